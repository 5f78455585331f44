"""The report of a comparison, for people and for programs: numbers, the verdict, and the sentence behind it.

The candidate passes when at most the allowed share of the compared requests got another answer from it; where only
failures count, because another model has other outputs, when at most that share got none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .comparison import Findings, OutputDifference

_DIGITS = 4
_SHORT_OUTPUTS = 8
_PERCENTILES = (50, 99)


def report(findings: Findings, allowed: float, origin: str, failures_only: bool = False) -> dict[str, Any]:
    """Everything as plain values: shares and ratios as fractions, differences in the outputs' units, times in ms."""
    share = findings.disagreeing / findings.compared
    judged = findings.failed / findings.compared if failures_only else share
    return {
        "passed": judged <= allowed,
        "message": _sentence(findings, share, allowed, failures_only),
        "asked": findings.asked,
        "compared": findings.compared,
        "disagreeing": findings.disagreeing,
        "failed": findings.failed,
        "share": round(share, 6),
        "allowed": allowed,
        "failuresOnly": failures_only,
        "latency": {protocol: _latency(times) for protocol, times in findings.times.items() if times},
        "latencyRatio": {protocol: round(ratio, 3) for protocol, ratio in findings.ratios().items()},
        "outputs": {name: _output(output) for name, output in findings.outputs.items()},
        "examples": findings.words,
        "origin": origin,
    }


def short(report: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a report that fits a status: no sentences, the outputs that differ most."""
    worst = sorted(report["outputs"].items(), key=lambda item: (-item[1]["disagreeing"], -item[1]["maxRelative"]))
    kept = ("asked", "compared", "disagreeing", "failed", "share", "allowed", "failuresOnly", "latencyRatio")
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


def _latency(times: Sequence[tuple[float, float]]) -> dict[str, dict[str, float]]:
    """Percentiles of both sides, milliseconds."""
    sides = zip(("stable", "candidate"), zip(*times, strict=True), strict=True)
    return {side: {f"p{at}": _percentile(seconds, at) for at in _PERCENTILES} for side, seconds in sides}


def _percentile(seconds: Sequence[float], at: int) -> float:
    """The smallest time within which `at` percent were answered, milliseconds."""
    ordered = sorted(seconds)
    return round(1000 * ordered[max(0, -(-at * len(ordered) // 100) - 1)], 3)


def _sentence(findings: Findings, share: float, allowed: float, failures_only: bool) -> str:
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
    if failures_only:
        failed = f"{findings.failed} got none" if findings.failed else "none failed"
        return f"{differing}, {failed}, which {100 * allowed:g}% may: {why}{'; ' + tops if tops else ''}{took}."
    return f"{differing}, {100 * allowed:g}% may: {why}{'; ' + tops if tops else ''}{took}."
