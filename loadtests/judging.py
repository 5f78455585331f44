"""Whether the load test speaks against the revision: the rollout's own tests, second by second, not a threshold.

| question | bad request | allowed |
|---|---|---|
| errors | it failed | `--error-rate` |
| latency | its answer came later than `--latency` after the request was due, or not at all | 100 % - `--percentile` |
| rate | (no test) fewer than 90 % of the wanted requests could be sent in its time | |

Counted is from when a request was due, not from when it could be sent: a server that stalls keeps others waiting too,
whose requests would not even be sent while every connection waits ("coordinated omission"). By Little's law all
connections wait only when answers take longer than twice the objective, so this is the server's doing, unless there
are fewer connections than the rate needs.

One request too slow among a thousand, or none in a short test, proves nothing, so a question is failed only when
`core.sequential` proves the objective missed; a sentence says when it could not prove it kept either.

There is no verdict (`Unusable`) when the load is not what was asked for through no fault of the revision: the test was
interrupted, somebody else answered, a process that makes load died, or this machine could not keep up.
"""

import math
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
from .parts import ENOUGH, IN_TIME_SECONDS, highest_kept, judged_seconds
from .recording import Recording, percentile

ALPHA = 0.01
"""Chance to fail a revision that keeps its objectives, shared over the questions."""
BUSY = 0.9
"""Share of a core from which on a process that makes load is taken to be late for its own fault."""
LOST = 0.01
"""Share of the planned requests that may be lost with a process; a user that is ended in a hurry may lose its own."""
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
    """The answers; `achieved` requests per second over `seconds`; the generator's lag in milliseconds (99th percentile)
    and its use of a core (median); `waiting`, the share of requests for which no connection was free in time; where a
    limit was looked for the `highest` rate that was kept, and what it has to be `at_least`."""

    objectives: tuple[Objective, ...]
    seconds: float
    achieved: float
    lag: float
    core: float
    waiting: float
    short: bool
    highest: float | None = None
    at_least: float = 0.0

    @property
    def below(self) -> bool:
        """The highest rate that was kept is not the one that has to be."""
        return (self.highest or 0.0) < self.at_least

    @property
    def passed(self) -> bool:
        """Nothing speaks against the revision."""
        return not self.short and not self.below and all(one.verdict is not RuleVerdict.FAIL for one in self.objectives)


def judge(recording: Recording, options: Options, until: float) -> Judgement:
    """The verdict over a load that ended at `until` (epoch); raises Unusable."""
    asked = 2 if options.latency else 1
    rows = list(recording.rows())
    seconds = min(max(0.0, until - recording.began()), judged_seconds(recording, options) if rows else options.seconds)
    rows = [row for row in rows if row.due < seconds] if options.until_missed else rows
    owed = [due for due in recording.owed if due <= seconds] if not recording.full else []
    objectives = [_objective("errors", options.error_rate, asked, ((row.due, row.failed) for row in rows))]
    limit, allowed = options.latency * 1000.0, 1.0 - options.percentile / 100.0
    if options.latency:
        late = [(row.due, row.total > limit) for row in rows] + [(due, True) for due in owed]
        objectives.append(_objective("latency", allowed, asked, late))
    in_time = sum(row.due + row.late / 1000.0 <= seconds + IN_TIME_SECONDS for row in rows)
    wanted = min(ENOUGH * options.arrivals.planned(seconds), options.most_requests)
    lag = max(percentile(sorted(values), 99) for values in (recording.lags, recording.own))
    waiting = sum(row.late - row.own > max(_LAG_FLOOR, _LAG_SHARE * limit) for row in rows) / max(1, len(rows))
    found = Judgement(
        tuple(objectives), seconds, in_time / seconds if seconds else 0.0, lag,
        percentile(sorted(recording.cores), 50), waiting, in_time < wanted,
        highest_kept(recording, options) if options.until_missed else None,
        getattr(options.arrivals, "at_least", 0.0),
    )  # fmt: skip
    _refuse_unusable(recording, options, found)
    alone = _objective("latency", allowed, asked, ((row.due, row.took > limit + lag) for row in rows))
    proven = _errors_failed(found) or (bool(options.latency) and alone.verdict is RuleVerdict.FAIL)
    if not found.passed and not proven:
        _refuse_a_miss_of_its_own(options, found)
    return found


def _objective(name: str, allowed: float, asked: int, requests: Iterable[tuple[float, bool]]) -> Objective:
    windows: dict[int, list[int]] = {}
    for due, bad in requests:
        counts = windows.setdefault(int(due) + 1, [0, 0])
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
    planned = math.floor(options.arrivals.planned(options.arrivals.seconds))
    lost = recording.lost(planned)
    if lost > LOST * planned:
        raise Unusable(
            f"nothing is known of {lost} of {planned} requests: a process that makes load died, as without memory it "
            "does (check.memoryLimit): give it more, or begin fewer processes."
        )
    wanted = judged_seconds(recording, options)
    if found.seconds < ENOUGH * wanted and not recording.full:
        raise Unusable(f"the load test was ended after {found.seconds:.0f} of {wanted:g} s.")


def _refuse_a_miss_of_its_own(options: Options, found: Judgement) -> None:
    """Failed requests, and answers too slow by more than this machine was late, prove a miss whatever else."""
    more = "give it more CPU (check.cpu) or more processes, or lower the rate."
    if found.lag > max(_LAG_FLOOR, _LAG_SHARE * options.latency * 1000.0):
        raise Unusable(
            f"the load generator itself was {found.lag:.0f} ms late at its 99th percentile, so slow answers may be its "
            f"own: {more}"
        )
    if found.core > BUSY:
        raise Unusable(
            f"the load generator itself used {found.core:.0%} of a core, which is all a process can, so slow answers "
            f"may be its own: {more}"
        )
    if options.users < options.wanted_users and (found.waiting or found.short):
        raise Unusable(
            f"only {found.achieved:.1f} of {options.rate:g} requests per second could be sent in time, with the most "
            f"users there may be ({options.users} of {options.wanted_users}): lower the rate, or run several tests."
        )


def _errors_failed(found: Judgement) -> bool:
    return any(one.name == "errors" and one.verdict is RuleVerdict.FAIL for one in found.objectives)
