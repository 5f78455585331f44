"""A load test for people: one HTML file that needs nothing else, with pictures, percentiles and the sentence."""

from collections.abc import Sequence
from html import escape
from typing import Any

from .histogram import Histogram
from .plots import Line, Ticks, drawn, ticks

_STYLE = """
:root { color-scheme: light dark; --paper: #fcfcfa; --ink: #1d2126; --soft: #646b75; --line: #dcdfe3; --card: #fff;
  --c0: #1f5fa8; --c1: #0b6e4f; --c2: #8a5a00; --c3: #6b3fa0; --red: #b3372b; }
@media (prefers-color-scheme: dark) { :root { --paper: #15181c; --ink: #e8eaed; --soft: #9aa3ad; --line: #30363d;
  --card: #1b1f24; --c0: #6aa9f4; --c1: #4cc38a; --c2: #e0b04c; --c3: #b99af0; --red: #f08a7d; } }
body { margin: 0 auto; padding: 2rem 1.5rem; max-width: 74rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; } .soft { color: var(--soft); }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1rem; }
.panel { width: 100%; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.panel text { font: 12px system-ui, sans-serif; fill: var(--soft); }
.panel .title { font-weight: 600; fill: var(--ink); font-size: 13px; } .grid { stroke: var(--line); stroke-width: .6; }
polyline { fill: none; stroke-width: 1.6; stroke: var(--ink); }
polyline.c0 { stroke: var(--c0); } polyline.c1 { stroke: var(--c1); } polyline.c2 { stroke: var(--c2); }
polyline.c3 { stroke: var(--c3); } polyline.bad { stroke: var(--red); }
.panel .key.c0 { fill: var(--c0); } .panel .key.c1 { fill: var(--c1); } .panel .key.c2 { fill: var(--c2); }
.panel .key.c3 { fill: var(--c3); } .panel .key.bad { fill: var(--red); }
line.bound { stroke: var(--red); stroke-dasharray: 5 4; } .panel text.bound { fill: var(--red); }
table { border-collapse: collapse; } th, td { padding: .35rem .7rem; border-bottom: 1px solid var(--line);
  text-align: right; font-variant-numeric: tabular-nums; } th:first-child, td:first-child { text-align: left; }
"""
_PERCENTS = (50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9)
_COLOURS = ("c0", "c1", "c2", "c3")


def page(found: dict[str, Any]) -> str:
    """A report (`report.report`) as one HTML document, UTF-8, without references to other files."""
    title = f"Load test of {found['model']}: {'passed' if found['passed'] else 'not passed'}"
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><style>{_STYLE}</style></head>
<body>
<h1>{escape(title)}</h1>
<p>{escape(found["message"])}</p>
<p class="soft">{escape(found["started"])}, {found["seconds"]:g} s, {found["rate"]["wanted"]:g} requests per second
wanted, {found["rate"]["achieved"]:g} sent in time. Times are in milliseconds from when a request was due.</p>
<div class="pictures">{_over_time(found)}{_percentiles(found)}{_requests(found)}{_revisions(found)}</div>
<h2>Latency</h2>
{_table(found)}
<h2>Parts of the load</h2>
{_parts(found["parts"])}
</body></html>
"""


def _seconds(found: dict[str, Any]) -> tuple[float, Ticks]:
    seconds = [row[0] for row in found["bySecond"]] or [0]
    return seconds[0], ticks(max(1.0, seconds[-1] - seconds[0]), " s")


def _over_time(found: dict[str, Any]) -> str:
    began, axis = _seconds(found)
    lines = [
        Line(name, kind, [(row[0] - began, row[column]) for row in found["bySecond"]])
        for name, kind, column in (("p50", "c1", 3), ("p99", "c0", 4), ("slowest", "", 5))
    ]
    bound, most = found["objective"]["latency"], max((row[5] for row in found["bySecond"]), default=1.0)
    return drawn("Latency over time", axis, ticks(max(most, bound), " ms"), lines, bound, "objective")


def _percentiles(found: dict[str, Any]) -> str:
    axis = Ticks(range(len(_PERCENTS)), [f"{one:g}" for one in _PERCENTS])
    sides = [("all", found["histogram"]), *_signed(found)]
    lines, most = [], found["objective"]["latency"]
    for (name, counts), kind in zip(sides, ("", *_COLOURS), strict=False):
        histogram = Histogram(counts)
        values = [histogram.percentile(one) for one in _PERCENTS]
        lines.append(Line(name, kind, list(enumerate(values))))
        most = max(most, *values)
    text = f"objective at p{found['objective']['percentile']:g}"
    return drawn("Percentiles", axis, ticks(most, " ms"), lines, found["objective"]["latency"], text)


def _requests(found: dict[str, Any]) -> str:
    began, axis = _seconds(found)
    lines = [
        Line(name, kind, [(row[0] - began, row[column]) for row in found["bySecond"]])
        for name, kind, column in (("requests", "c0", 1), ("failed", "bad", 2))
    ]
    most = max((row[1] for row in found["bySecond"]), default=1.0)
    return drawn("Requests and errors per second", axis, ticks(most), lines)


def _revisions(found: dict[str, Any]) -> str:
    began, axis = _seconds(found)
    sides = [(name or "unsigned", one) for name, one in found["byRevision"].items()][: len(_COLOURS)]
    lines = [
        Line(name, kind, [(row[0] - began, row[4]) for row in one["bySecond"]])
        for (name, one), kind in zip(sides, _COLOURS, strict=False)
    ]
    most = max((row[4] for _, one in sides for row in one["bySecond"]), default=1.0)
    bound = found["objective"]["latency"]
    return drawn("p99 by revision", axis, ticks(max(most, bound), " ms"), lines, bound, "objective")


def _signed(found: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name or "unsigned", one["histogram"]) for name, one in found["byRevision"].items()][: len(_COLOURS)]


def _table(found: dict[str, Any]) -> str:
    names = ("requests", "p50", "p90", "p95", "p99", "p99.9", "max")
    services = {f"service time, {name}": times for name, times in found["latency"].items()}
    revisions = {name or "unsigned": one for name, one in found["byRevision"].items()}
    rows = [[name, *(f"{times[one]:g}" for one in names)] for name, times in
            {"from due": found["fromDue"], **services, **revisions}.items()]  # fmt: skip
    return _html(["", *names], rows)


def _parts(parts: Sequence[dict[str, Any]]) -> str:
    rows = [
        [f"{one['from']:g} to {one['to']:g} per second", f"{one['seconds']:g} s", str(one["requests"]),
         str(one["failed"]), f"{one['p99']:g}", "kept" if one["kept"] else "not kept"]
        for one in parts
    ]  # fmt: skip
    return (
        _html(["rate", "seconds", "requests", "failed", "p99", ""], rows) if rows else '<p class="soft">One rate.</p>'
    )


def _html(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(one)}</th>" for one in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"
