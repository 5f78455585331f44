"""The report for people: one HTML file that needs nothing else, with pictures, the table and every reason."""

from collections.abc import Iterable
from html import escape

from modelyard.api.optimization import CostOption, Optimization, Variant
from modelyard.builder.optimization.search.selection import percent

from .svg import drawn
from .tradeoff import in_bytes, panels, role

_STYLE = """
:root { color-scheme: light dark; --paper: #fcfcfa; --ink: #1d2126; --soft: #646b75; --line: #dcdfe3; --card: #fff;
  --accent: #0b6e4f; --blue: #1f5fa8; --red: #b3372b; }
@media (prefers-color-scheme: dark) { :root { --paper: #15181c; --ink: #e8eaed; --soft: #9aa3ad; --line: #30363d;
  --card: #1b1f24; --accent: #4cc38a; --blue: #6aa9f4; --red: #f08a7d; } }
body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 74rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2.5rem 0 .6rem; }
.lead { font-size: 1.1rem; margin: .4rem 0 1.6rem; max-width: 52rem; } .soft { color: var(--soft); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .8rem; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .8rem 1rem; }
.tile b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1rem; }
.panel { width: 100%; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.panel text { font: 12px system-ui, sans-serif; fill: var(--soft); }
.panel .title { font-weight: 600; fill: var(--ink); font-size: 13px; } .grid { stroke: var(--line); stroke-width: .6; }
line.bound { stroke: var(--red); stroke-dasharray: 5 4; } .panel text.bound { fill: var(--red); }
g.chosen { fill: var(--accent); stroke: var(--card); } g.pareto { fill: var(--blue); stroke: var(--card); }
g.original { fill: var(--ink); } g.eligible { fill: var(--card); stroke: var(--blue); stroke-width: 1.6; }
g.refused { fill: none; stroke: var(--red); stroke-width: 1.6; }
.panel text.name { fill: var(--ink); } .panel text.name.chosen { font-weight: 700; fill: var(--accent); }
.key { display: flex; flex-wrap: wrap; gap: 1.2rem; margin: .6rem 0 0; padding: 0; list-style: none; }
.key svg { width: 14px; height: 14px; vertical-align: -2px; margin-right: .35rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { padding: .4rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; vertical-align: top; }
th { font-size: .82rem; color: var(--soft); font-weight: 600; white-space: normal; }
th:first-child, td:first-child, .words { text-align: left; } td.pair { white-space: normal; }
td:first-child { position: sticky; left: 0; background: var(--paper); } tr.refused td { border-bottom: none; }
tr.reason td { padding-top: 0; text-align: left; }
tr.reason div { position: sticky; left: .6rem; max-width: min(70rem, 100vw - 5rem); white-space: normal;
  color: var(--red); }
tr.chosen td:first-child { color: var(--accent); font-weight: 700; } tr.refused td { color: var(--soft); }
tr.refused td.words { color: var(--red); }
ul.notes { max-width: 60rem; padding-left: 1.2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; } dt { color: var(--soft); }
dd { margin: 0; }
"""
_KEY = (
    ("chosen", '<circle cx="7" cy="7" r="6"/>', "chosen"),
    ("original", '<rect x="2" y="2" width="10" height="10"/>', "original"),
    ("pareto", '<circle cx="7" cy="7" r="5"/>', "Pareto front of latency, size and quality"),
    ("eligible", '<circle cx="7" cy="7" r="5"/>', "keeps the quality"),
    ("refused", '<path d="M3 3l8 8m0-8l-8 8"/>', "refused (triangle: beyond the picture)"),
)
_ORDER = {"chosen": 0, "original": 1, "pareto": 2, "eligible": 3, "refused": 4}


def page(report: Optimization) -> str:
    """The report as one HTML document, UTF-8, without references to other files."""
    title = f"Optimization of {report.source}"
    pictures = "\n".join(drawn(panel) for panel in panels(report))
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><style>{_STYLE}</style></head>
<body>
<h1>{escape(title)}</h1>
<p class="lead">Use <b>{escape(report.chosen.name)}</b>: {escape(report.chosen.reason)}</p>
<div class="tiles">{"".join(_tile(value, text) for value, text in _facts(report))}</div>
<h2>What is traded</h2>
<div class="pictures">{pictures}</div>
<ul class="key soft">{"".join(_key(*item) for item in _KEY)}</ul>
<h2>All variants</h2>
<div class="wide">{_table(report)}</div>
{_costs(report)}<h2>What to know about these figures</h2>
<ul class="notes">{"".join(f"<li>{escape(note)}</li>" for note in (*report.notes, *_method(report)))}</ul>
<dl>{"".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in _surroundings(report))}</dl>
</body></html>
"""


def _facts(report: Optimization) -> list[tuple[str, str]]:
    """The figures people look for first."""
    chosen, by_name = report.chosen, {variant.name: variant for variant in report.variants}
    variant, facts = by_name[chosen.name], []
    if chosen.speedup is not None:
        what = "the throughput" if report.goal in ("throughput", "cost") else "as fast at batch 1"
        facts.append((f"{chosen.speedup:.2f}×", f"{what}, against the original"))
    if 1 in variant.latency:
        facts.append((f"{variant.latency[1].p50:.3g} ms", f"median; 99th percentile {variant.latency[1].p99:.3g} ms"))
    if variant.size:
        facts.append((in_bytes(variant.size), f"on disk, {chosen.size_ratio:.0%} of the original"))
    if variant.quality is not None and report.metric and chosen.quality_loss is not None:
        words = f"{percent(chosen.quality_loss)} lost, {percent(report.max_quality_loss)} allowed"
        facts.append((f"{variant.quality:.4g}", f"{report.metric.name}; {words}"))
    return facts


def _costs(report: Optimization) -> str:
    """What keeping the objective costs, the cheapest first; empty when that was not asked for."""
    if not report.costs:
        return ""
    priced = any(option.per_thousand is not None for option in report.costs)
    heads = ["cores of a replica", "requests/s it takes on", "cores for 1,000 requests/s"]
    heads += ["cost of 1,000 requests"] if priced else []
    ranked = sorted(report.costs, key=lambda option: option.cores_per_thousand or float("inf"))
    rows = "".join(_cost_row(option, priced) for option in ranked)
    head = "<th>variant</th>" + "".join(f"<th>{text}</th>" for text in heads)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<h2>What keeping the objective costs</h2>\n<div class="wide">{table}</div>\n'


def _cost_row(option: CostOption, priced: bool) -> str:
    kept = option.cores_per_thousand is not None
    cells = [
        str(option.cpus),
        f"{option.requests_per_second:,.0f}" if kept else "not kept",
        f"{option.cores_per_thousand:.3g}" if option.cores_per_thousand is not None else "",
    ]
    if priced:
        cells.append(f"{option.per_thousand:.3g}" if option.per_thousand is not None else "")
    marked = ' class="chosen"' if option.chosen else ""
    return f"<tr{marked}><td>{escape(option.variant)}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _tile(value: str, text: str) -> str:
    return f'<div class="tile"><b>{escape(value)}</b><span class="soft">{escape(text)}</span></div>'


def _key(kind: str, shape: str, text: str) -> str:
    return f'<li><svg viewBox="0 0 14 14"><g class="{kind}">{shape}</g></svg>{text}</li>'


def _table(report: Optimization) -> str:
    batches = sorted({rows for variant in report.variants for rows in variant.latency})
    heads = ["precision", *(f"batch {rows}<br>p50 / p99 ms" for rows in batches), "speed-up", "rows/s"]
    heads += ["memory", "size", escape(report.metric.name) if report.metric else "quality", "lost"]
    ranked = sorted(report.variants, key=lambda v: (_ORDER[role(v, report)], -(v.speedup or 0.0), v.name))
    rows = "\n".join(_row(variant, report, batches) for variant in ranked)
    head = '<th>variant</th><th class="words">verdict</th>' + "".join(f"<th>{text}</th>" for text in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _row(variant: Variant, report: Optimization, batches: Iterable[int]) -> str:
    """The variant's figures behind its verdict; why it was refused below them, as wide as the window and no wider."""
    latencies = [variant.latency.get(rows) for rows in batches]
    pairs = [f"{latency.p50:.3g} / {latency.p99:.3g}" if latency else "" for latency in latencies]
    cells = [
        f"{variant.speedup:.2f}×" if variant.speedup else "",
        f"{variant.throughput:,.0f}" if variant.throughput else "",
        in_bytes(variant.peak_memory) if variant.peak_memory else "",
        in_bytes(variant.size) if variant.size else "",
        f"{variant.quality:.4g}" if variant.quality is not None else "",
        percent(variant.quality_loss) if variant.quality_loss is not None else "",
    ]
    kind = role(variant, report)
    words = {"original": "the original", "pareto": "Pareto front", "eligible": "eligible"}
    chain = escape(" → ".join(_steps(variant) or variant.passes)) or "no passes"
    runtime = "" if variant.runtime == "onnxruntime" else f" ({variant.runtime})"
    plain = f'<td>{escape(variant.name)}</td><td class="words">{words.get(kind, kind)}</td>'
    plain += f"<td>{escape(variant.precision + runtime)}</td>"
    plain += "".join(f'<td class="pair">{pair}</td>' for pair in pairs) + "".join(f"<td>{cell}</td>" for cell in cells)
    row = f'<tr class="{kind}" title="{chain}">{plain}</tr>'
    if not variant.refused:
        return row
    columns = 3 + len(pairs) + len(cells)
    return f'{row}<tr class="reason"><td colspan="{columns}"><div>{escape(variant.refused)}</div></td></tr>'


def _steps(variant: Variant) -> list[str]:
    """Each pass with the parameters that were set for it."""
    written = []
    for step in variant.steps:
        for name, params in step.items():
            settled = ", ".join(f"{key}={value}" for key, value in params.items())
            written.append(f"{name} ({settled})" if settled else name)
    return written


def _method(report: Optimization) -> list[str]:
    sentences = [
        f"Every variant ran in a process of its own, {report.conditions.rounds} rounds in shuffled order, "
        f"{report.hardware.cores} threads; a speed-up is the median of the ratios within the rounds.",
        "Memory is the largest resident memory of a process that holds nothing but the runtime and the variant.",
    ]
    if report.metric:
        sentences.append(
            "Passes that calibrate draw their rows from the inputs of the same evaluation set, never its labels."
        )
        sentences.append(f"Quality is {report.metric.name} on {report.metric.rows} rows: {report.metric.reason}")
    return sentences


def _surroundings(report: Optimization) -> list[tuple[str, str]]:
    hardware = report.hardware
    versions = ", ".join(f"{name} {version}" for name, version in report.conditions.versions.items())
    return [
        ("goal", f"{report.goal}, at most {percent(report.max_quality_loss)} of the quality lost"),
        ("processor", f"{hardware.processor}, {hardware.cores} cores ({', '.join(hardware.flags)})"),
        ("GPU", hardware.gpu or "none used"),
        ("versions", f"modelyard {report.program}, {versions}"),
        (
            "time",
            f"{report.created}, {report.spent_seconds:.0f} s of {report.budget_seconds:.0f} s, seed {report.seed}",
        ),
        ("digest", report.digest),
    ]
