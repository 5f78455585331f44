"""The report for people: one HTML file that needs nothing else, with every feature's distribution then and now.

A bar is a bin of the reference's. Bins of numbers hold about as many of the reference's rows each, so that a bar that
stands out is one that has more, or fewer, rows than it had.
"""

from html import escape
from typing import TYPE_CHECKING

from modelyard.api.monitoring.counts import FeatureCounts
from modelyard.api.monitoring.profile import FeatureProfile
from modelyard.api.quantity import shown
from modelyard.core.monitoring.findings import FeatureFinding, sentence

from .drift import moment, visible_text

if TYPE_CHECKING:
    from .watched_rows import WatchedRows

_STYLE = """
:root { color-scheme: light dark; --page: #fff; --text: #1c1f23; --quiet: #6a717b; --then: #a9b4c2; --now: #1f5fa8;
  --rule: #e1e4e8; --broken: #b3372b; --moved: #a15c00; }
@media (prefers-color-scheme: dark) { :root { --page: #14171b; --text: #e7e9ec; --quiet: #99a2ac; --then: #56606c;
  --now: #6aa9f4; --rule: #2c3238; --broken: #f08a7d; --moved: #e3a857; } }
body { background: var(--page); color: var(--text); font: 15px/1.45 system-ui, sans-serif; margin: 0 auto;
  max-width: 68rem; padding: 2rem 1.25rem 3rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } p { max-width: 50rem; } small, .quiet { color: var(--quiet); }
main { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); }
section { border-top: 2px solid var(--rule); padding-top: .5rem; } section.broken { border-color: var(--broken); }
section.moved { border-color: var(--moved); } h2 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; margin: .4rem 0; }
.then { fill: var(--then); } .now { fill: var(--now); }
svg text { fill: var(--quiet); font: 10px system-ui, sans-serif; } .key i { display: inline-block; width: .8em;
  height: .8em; margin: 0 .3em 0 1em; } .key .a { background: var(--then); } .key .b { background: var(--now); }
"""
_WIDTH, _HEIGHT, _FOOT = 320, 110, 16
_LONGEST = 9


def page(rows: "WatchedRows", found: list[FeatureFinding]) -> str:
    """The report as one HTML document."""
    recent = rows.recent()
    changed = len({one.profile.name for one in found if one.alarm is not None})
    watched = len(rows.questions.features)
    lead = f"{changed} of {watched} features are not like the reference." if changed else (
        f"All {watched} features are like the reference, as far as {rows.rows_a_day:,} rows a day show."
    )  # fmt: skip
    sections = "\n".join(_section(one, recent.get(one.profile.name), timed=rows.timed) for one in found)
    notes = "".join(f"<li>{escape(note)}</li>" for note in rows.notes)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Drift: {escape(rows.title)}</title><style>{_STYLE}</style></head>
<body><h1>{escape(rows.title)}</h1>
<p>{lead} <span class="quiet">The reference is {escape(rows.questions.profile.source)},
{rows.questions.profile.rows:,} rows.</span></p>
<p class="key quiet"><i class="a"></i>then (reference)<i class="b"></i>now</p>
<main>
{sections}
</main>
<ul class="quiet">{notes}</ul>
</body></html>
"""


def _section(finding: FeatureFinding, counts: FeatureCounts | None, *, timed: bool) -> str:
    alarm, profile = finding.alarm, finding.profile
    kind = "" if alarm is None else "broken" if alarm.broken else "moved"
    said = "like the reference" if alarm is None else sentence(alarm)
    since = f" <small>since about {moment(alarm.since)}</small>" if alarm is not None and timed else ""
    weight = "" if finding.weight is None or alarm is None else f"; weight {finding.weight:.2g}"
    return f"""<section class="{kind}"><h2>{escape(profile.name)}</h2>
<div>{escape(said)}{since}</div>{_picture(profile, counts)}
<small>{finding.rows:,} rows now{weight}; visible from: {escape(visible_text(finding))}</small></section>"""


def _picture(profile: FeatureProfile, counts: FeatureCounts | None) -> str:
    """Bars of the bins' shares, then and now, with what is missing or outside at the right."""
    now = counts if counts is not None and len(counts.bins) == len(profile.bins) else None
    pairs = list(zip(_shares(profile.bins), _shares(now.bins) if now else [0.0] * len(profile.bins), strict=True))
    rows = max(1, now.rows) if now else 1
    pairs.append((profile.missing / max(1, profile.rows), now.missing / rows if now else 0.0))
    pairs.append((profile.outside / max(1, profile.rows), now.outside / rows if now else 0.0))
    labels = [*_labels(profile), "none", "outside"]
    top, step = max(max(pair) for pair in pairs) or 1.0, _WIDTH / len(pairs)
    bars = []
    for at, (pair, label) in enumerate(zip(pairs, labels, strict=True)):
        for side, (share, word) in enumerate(zip(pair, ("then", "now"), strict=True)):
            height = share / top * (_HEIGHT - _FOOT - 4)
            x, y = at * step + side * step * 0.42, _HEIGHT - _FOOT - height
            bars.append(
                f'<rect class="{word}" x="{x:.1f}" y="{y:.1f}" width="{step * 0.4:.1f}" height="{height:.1f}">'
                f"<title>{escape(label)}, {word}: {100 * share:.3g}%</title></rect>"
            )
        if at in _written(len(pairs)):
            text = label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…"
            bars.append(f'<text x="{at * step:.1f}" y="{_HEIGHT - 4}">{escape(text)}</text>')
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(profile.name)}">{"".join(bars)}</svg>'


def _written(bins: int) -> set[int]:
    """Which bins have room for their names below them."""
    return set(range(bins)) if bins <= 6 else {0, (bins - 2) // 2, bins - 2}


def _labels(profile: FeatureProfile) -> list[str]:
    if profile.kind == "category":
        return [*profile.categories, "another"][: len(profile.bins)]
    edges = [shown(edge) for edge in profile.edges]
    return (
        [f"≤ {edges[0]}", *(f"> {edge}" for edge in edges)][: len(profile.bins)]
        if edges
        else ["all"][: len(profile.bins)]
    )


def _shares(bins: tuple[int, ...]) -> list[float]:
    total = sum(bins) or 1
    return [count / total for count in bins]
