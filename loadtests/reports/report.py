"""What a load test found, for programs (JSON) and for people (a few lines), and the sentence of its verdict."""

import math
from collections.abc import Sequence
from typing import Any

from loadtests.judging import Judgement, Objective
from loadtests.options import Options
from loadtests.parts import Part, parts
from loadtests.recording import PROTOCOLS, Recording, Row, percentile
from modelyard.core.analysis.statistics.sequential_test import RuleVerdict

from .histogram import Histogram

_PERCENTS = (50, 90, 95, 99, 99.9)


def report(recording: Recording, judgement: Judgement, options: Options, started: str) -> dict[str, Any]:
    """The whole report; times are in milliseconds unless their name says otherwise."""
    rows = list(recording.rows())
    by_protocol = {
        name: times_of([row.took for row in rows if row.protocol == index])
        for index, name in enumerate(PROTOCOLS)
        if options.share(name)
    }
    return {
        "id": options.id,
        "model": options.model,
        "namespace": options.namespace,
        "revision": options.revision,
        "started": started,
        "passed": judgement.passed,
        "message": sentence(recording, judgement, options),
        "seconds": round(judgement.seconds, 1),
        "rate": {"wanted": options.rate, "achieved": round(judgement.achieved, 2)},
        "requests": len(rows),
        "failed": sum(row.failed for row in rows),
        "reasons": dict(recording.reasons.most_common()),
        "objectives": [_objective(one) for one in judgement.objectives],
        "objective": {"latency": options.latency * 1000.0, "percentile": options.percentile},
        "latency": {"all": times_of([row.took for row in rows]), **by_protocol},
        "fromDue": times_of([row.total for row in rows]),
        "unanswered": len(recording.owed) if not options.until_missed else 0,
        "generator": {
            "users": options.users,
            "lagP99": round(judgement.lag, 2),
            "core": round(judgement.core, 3),
            "waiting": round(judgement.waiting, 4),
        },
        "parts": [_part(part) for part in parts(recording, options) if part.rows],
        "highestKept": judgement.highest,
        "byRevision": _by_revision(rows, recording.began()),
        "histogram": Histogram.of([row.total for row in rows]).counts(),
        "bySecond": _by_second(rows, recording.began()),
    }


def _part(part: Part) -> dict[str, Any]:
    rates = {"from": round(part.piece.begin, 2), "to": round(part.piece.end, 2), "seconds": part.piece.seconds}
    times = times_of([row.total for row in part.rows])
    return {**rates, **times, "failed": sum(row.failed for row in part.rows), "kept": part.kept}


def _by_revision(rows: Sequence[Row], began: float) -> dict[str, Any]:
    """What each revision answered, by its header; under "" what nobody signed."""
    found = {}
    for revision in sorted({row.revision for row in rows}):
        mine = [row for row in rows if row.revision == revision]
        totals = [row.total for row in mine]
        found[revision] = {
            **times_of(totals),
            "failed": sum(row.failed for row in mine),
            "bySecond": _by_second(mine, began),
            "histogram": Histogram.of(totals).counts(),
        }
    return found


def short(found: dict[str, Any]) -> dict[str, Any]:
    """The part of a report that fits a status."""
    kept = ("requests", "failed", "rate", "objectives")
    return {**{name: found[name] for name in kept}, "latency": found["latency"]["all"]}


def sentence(recording: Recording, judgement: Judgement, options: Options) -> str:
    """The verdict with its numbers."""
    took = sorted(row.total for row in recording.rows())
    head = f"{len(recording):,} requests at {judgement.achieved:.1f} per second for {judgement.seconds:.0f} s"
    tail = f"p50 {percentile(took, 50):.1f} ms, p99 {percentile(took, 99):.1f} ms from when they were due"
    if judgement.highest is not None:
        tail = f"the highest rate that was kept is {judgement.highest:g} per second; {tail}"
    failed = [_said(one, recording, options) for one in judgement.objectives if one.verdict is RuleVerdict.FAIL]
    if judgement.below:
        most = "none was" if judgement.highest is None else f"{judgement.highest:g} were"
        failed.append(f"{judgement.at_least:g} per second have to be kept and {most}")
    if judgement.short:
        failed.append(f"{options.rate:g} per second were wanted and could not be reached, answers took too long")
    if failed:
        return f"{head}: {'; '.join(failed)} ({tail})."
    return f"{head}: {'; '.join(_said(one, recording, options) for one in judgement.objectives)} ({tail})."


def text(found: dict[str, Any]) -> str:
    """A few lines for people."""
    title = f"load test {found['id']}: {'passed' if found['passed'] else 'NOT passed'}"
    lines = [
        title,
        "",
        f"{'':10}{'requests':>10}" + "".join(f"{f'p{one:g}':>10}" for one in _PERCENTS) + f"{'max':>10}",
    ]
    for name, times in {**found["latency"], "from due": found["fromDue"]}.items():
        values = [times[f"p{one:g}"] for one in _PERCENTS] + [times["max"]]
        lines.append(f"{name:10}{times['requests']:>10}" + "".join(f"{value:>10.2f}" for value in values))
    lines += ["(milliseconds; from due counts from when the request was planned, and is what is judged)", ""]
    for one in found["parts"]:
        lines.append(
            f"{one['from']:g} to {one['to']:g} a second for {one['seconds']:g} s: {one['requests']} answers, "
            f"{one['failed']} failed, p99 {one['p99']:.2f} ms, {'kept' if one['kept'] else 'NOT kept'}"
        )
    for one in found["objectives"]:
        share = one["bad"] / one["requests"] if one["requests"] else 0.0
        lines.append(
            f"{one['name']:10}{one['bad']} of {one['requests']} bad ({share:.3%}, allowed {one['allowed']:.3%}): "
            f"{one['verdict']}, e-value {one['against']:.3g} of {one['failsAt']:.3g}"
        )
    return "\n".join([*lines, "", found["message"]])


def _said(one: Objective, recording: Recording, options: Options) -> str:
    share = one.bad / one.requests if one.requests else 0.0
    what = (
        "failed" if one.name == "errors" else f"took longer than {options.latency * 1000:g} ms from when they were due"
    )
    most = recording.reasons.most_common(1)
    why = f", most often {most[0][0]}" if one.name == "errors" and most else ""
    ends = {RuleVerdict.FAIL: "missed", RuleVerdict.PASS: "kept"}
    proven = f"the objective is {ends[one.verdict]}" if one.verdict in ends else "too few to be sure"
    return f"{one.bad} {what} ({share:.2%} where {100 * one.allowed:g}% may{why}): {proven}"


def _objective(one: Objective) -> dict[str, Any]:
    return {
        "name": one.name,
        "allowed": round(one.allowed, 9),
        "requests": one.requests,
        "bad": one.bad,
        "verdict": one.verdict.value,
        "against": float(f"{one.evidence.exceeds:.4g}"),
        "failsAt": round(one.evidence.fail_threshold, 3),
    }


def times_of(values: Sequence[float]) -> dict[str, Any]:
    """How many, percentiles and the greatest of times in milliseconds."""
    ordered = sorted(values)
    found: dict[str, Any] = {"requests": len(ordered)}
    found |= {f"p{one:g}": round(percentile(ordered, one), 3) for one in _PERCENTS}
    found["max"] = round(ordered[-1], 3) if ordered else 0.0
    return found


def _by_second(rows: Sequence[Row], began: float) -> list[list[float]]:
    """[epoch second, requests, failed, p50, p99, slowest] of every second in which a request was due."""
    seconds: dict[int, list[Row]] = {}
    for row in rows:
        seconds.setdefault(math.floor(began + row.due), []).append(row)
    found = []
    for second, mine in sorted(seconds.items()):
        totals = sorted(row.total for row in mine)
        times = [round(value, 3) for value in (percentile(totals, 50), percentile(totals, 99), totals[-1])]
        found.append([second, len(mine), sum(row.failed for row in mine), *times])
    return found
