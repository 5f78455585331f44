"""Whether the load test speaks against the revision: the rollout's own tests, second by second, not a threshold.

| question | bad request | allowed |
|---|---|---|
| errors | it failed | `--error-rate` |
| latency | it took longer than `--latency`, answered or not | 100 % - `--percentile` |
| rate | (no test) fewer than 90 % of the wanted requests could be sent in its time | |

One request too slow among a thousand, or none in a short test, proves nothing, so a question is failed only when
`core.sequential` proves the objective missed; a sentence says when it could not prove it kept either.

There is no verdict (`Unusable`) when the load is not what was asked for through no fault of the revision: the test was
interrupted, somebody else answered, or this machine could not keep up.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from modelyard.core.analysis.evidence import Evidence, evidence
from modelyard.core.analysis.statistics.sequential_test import (
    HIGHEST_RATE,
    LOWEST_RATE,
    AnalysisState,
    Rule,
    RuleVerdict,
    Window,
    update,
    verdict,
)
from modelyard.errors import OutsideError

from .options import Options
from .recording import Recording, Row, percentile

ALPHA = 0.01
"""Chance to fail a revision that keeps its objectives, shared over the questions."""
ENOUGH = 0.9
_IN_TIME_SECONDS = 1.0
_LAG_FLOOR = 20.0
_LAG_SHARE = 0.5


class Unusable(OutsideError):
    """The load test gives no answer; the sentence says why."""


@dataclass(frozen=True)
class Objective:
    """One question, the counts and the answer."""

    name: str
    allowed: float
    requests: int
    bad: int
    verdict: RuleVerdict
    evidence: Evidence


@dataclass(frozen=True)
class Judgement:
    """The answers; `achieved` requests per second over `seconds`."""

    objectives: tuple[Objective, ...]
    seconds: float
    achieved: float
    lag: float
    short: bool

    @property
    def passed(self) -> bool:
        """Nothing speaks against the revision."""
        return not self.short and all(one.verdict is not RuleVerdict.FAIL for one in self.objectives)


def judge(recording: Recording, options: Options, until: float) -> Judgement:
    """The verdict over a load that ended at `until` (epoch); raises Unusable."""
    asked = 2 if options.latency else 1
    rows = list(recording.rows())
    objectives = [_objective("errors", options.error_rate, asked, ((row, row.failed) for row in rows))]
    if options.latency:
        limit, allowed = options.latency * 1000.0, 1.0 - options.percentile / 100.0
        objectives.append(_objective("latency", allowed, asked, ((row, row.took > limit) for row in rows)))
    seconds = min(max(0.0, until - recording.began()), options.arrivals.seconds)
    in_time = sum(row.due + row.late / 1000.0 <= seconds + _IN_TIME_SECONDS for row in rows)
    achieved = in_time / seconds if seconds else 0.0
    lag = percentile(sorted(recording.lags), 99)
    wanted = min(ENOUGH * options.arrivals.planned(seconds), options.most_requests)
    found = Judgement(tuple(objectives), seconds, achieved, lag, in_time < wanted)
    _refuse_unusable(recording, options, found)
    return found


def _objective(name: str, allowed: float, asked: int, rows: Iterable[tuple[Row, bool]]) -> Objective:
    windows: dict[int, list[int]] = {}
    for row, bad in rows:
        counts = windows.setdefault(int(row.due) + 1, [0, 0])
        counts[0] += 1
        counts[1] += bad
    bounded = min(max(allowed, 2.0 * LOWEST_RATE), HIGHEST_RATE - LOWEST_RATE)
    rule, state = Rule(bounded, alpha=ALPHA / asked), AnalysisState()
    for second in sorted(windows):
        state = update(rule, state, Window(second, *windows[second]))
    return Objective(name, allowed, state.requests, state.bad, verdict(rule, state), evidence(rule, state))


def _refuse_unusable(recording: Recording, options: Options, found: Judgement) -> None:
    if not len(recording):
        raise Unusable("no request was sent: the load test was ended before it began.")
    if recording.strangers:
        who, times = recording.strangers.most_common(1)[0]
        raise Unusable(
            f"{times} requests for {options.revision} were answered by {who}: its pinned route is not there."
        )
    if found.seconds < ENOUGH * options.seconds and not recording.full:
        raise Unusable(f"the load test was ended after {found.seconds:.0f} of {options.seconds:g} s.")
    if found.passed or any(one.name == "errors" and one.verdict is RuleVerdict.FAIL for one in found.objectives):
        return
    if found.lag > max(_LAG_FLOOR, _LAG_SHARE * options.latency * 1000.0):
        raise Unusable(
            f"the load generator itself was {found.lag:.0f} ms late at its 99th percentile, so slow answers may be its "
            "own: give it more CPU (check.cpu), or lower the rate."
        )
    if found.short and options.users < options.wanted_users:
        raise Unusable(
            f"only {found.achieved:.1f} of {options.rate:g} requests per second could be sent, with the most users "
            "there may be: lower the rate, or run several load tests."
        )
