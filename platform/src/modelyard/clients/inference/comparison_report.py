"""The report of a comparison, for people and for programs: numbers, the verdict, and the sentence behind it.

The candidate passes when at most the allowed share of the compared requests got another answer from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .comparison import Findings, OutputDifference

_DIGITS = 4
_SHORT_OUTPUTS = 8


def report(findings: Findings, allowed: float, origin: str) -> dict[str, Any]:
    """Everything as plain values; shares and ratios are fractions, differences in the outputs' own units."""
    share = findings.disagreeing / findings.compared
    return {
        "passed": share <= allowed,
        "message": _sentence(findings, share, allowed),
        "asked": findings.asked,
        "compared": findings.compared,
        "disagreeing": findings.disagreeing,
        "share": round(share, 6),
        "allowed": allowed,
        "latencyRatio": {protocol: round(ratio, 3) for protocol, ratio in findings.ratios().items()},
        "outputs": {name: _output(output) for name, output in findings.outputs.items()},
        "examples": findings.words,
        "origin": origin,
    }


def short(report: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a report that fits a status: no sentences, the outputs that differ most."""
    worst = sorted(report["outputs"].items(), key=lambda item: (-item[1]["disagreeing"], -item[1]["maxRelative"]))
    kept = ("asked", "compared", "disagreeing", "share", "allowed", "latencyRatio")
    return {**{name: report[name] for name in kept}, "outputs": dict(worst[:_SHORT_OUTPUTS])}


def _output(output: OutputDifference) -> dict[str, Any]:
    values: dict[str, Any] = {
        "maxAbsolute": float(f"{output.absolute:.{_DIGITS}g}"),
        "maxRelative": float(f"{output.relative:.{_DIGITS}g}"),
        "disagreeing": output.disagreeing,
    }
    if output.scored:
        values["top1Agreement"] = round(output.same_top / output.scored, 6)
    return values


def _sentence(findings: Findings, share: float, allowed: float) -> str:
    times = ", ".join(f"{ratio:.2f} times over {protocol}" for protocol, ratio in findings.ratios().items())
    took = f"; it takes {times} the stable's time" if times else ""
    if not findings.disagreeing:
        apart = max((output.absolute for output in findings.outputs.values()), default=0.0)
        return f"All {findings.compared} compared requests got the same answer (at most {apart:.3g} apart){took}."
    tops = ", ".join(
        f"top-1 agreement of {name} {output.same_top / output.scored:.1%}"
        for name, output in findings.outputs.items()
        if output.scored
    )
    why = f"for example, {findings.words[0]}" if findings.words else "no example was kept"
    differing = f"{findings.disagreeing} of {findings.compared} compared requests ({share:.2%}) got another answer"
    return f"{differing}, {100 * allowed:g}% may: {why}{'; ' + tops if tops else ''}{took}."
