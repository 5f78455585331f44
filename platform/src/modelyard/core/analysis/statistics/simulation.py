"""Rollouts without a cluster: random traffic through the very tests that gates use, many times over.

Requests arrive as a Poisson process, in windows of one second; each goes to the candidate with the probability
of its weight and is bad with the probability of its arm. With a `correlation`, bad requests come in bursts:
each arm's rate is drawn anew for every burst from a Beta distribution with that correlation between the
requests of a burst (a fraction rho makes a sum of n of them 1 + (n-1) rho times as variable).

For comparison the same traffic is judged by the two usual rules over ten checks of a minute each: every check
must keep the objective, or at most five may miss it (`threshold_outcome`).

Nothing here makes random numbers: the caller hands in a generator, and the same one gives the same result.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from statistics import median
from typing import Protocol

from .sequential_test import AnalysisState, Rule, RuleVerdict, Window, reset_for_step, update, verdict

LOOKS = 10
LOOK = 60
BIG_MEAN = 200.0


class Chance(Protocol):
    """The methods of `random.Random` that a simulation uses."""

    def random(self) -> float:
        """A number from [0, 1), uniform."""
        ...

    def betavariate(self, alpha: float, beta: float) -> float:
        """A number from [0, 1], by the Beta distribution."""
        ...


class SimulatedOutcome(StrEnum):
    """How a rollout ended."""

    ABORTED = "aborted"
    PROMOTED = "promoted"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class TrafficModel:
    """Requests a minute to both arms, the candidate's share of them, true bad rates, and bursts in seconds.

    `history` is the number of minutes for which the stable alone was watched before; `shared` bursts hit both arms.
    """

    per_minute: float
    true_rate: float
    share: float = 1.0
    stable_rate: float = 0.0
    correlation: float = 0.0
    burst: int = 60
    history: int = 0
    shared: bool = False


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """Fractions of the runs by ending, and the median of the minutes to a decision (None: nothing was decided)."""

    aborted: float
    promoted: float
    inconclusive: float
    median_minutes: float | None


Outcome = tuple[SimulatedOutcome, float]


def windows(traffic: TrafficModel, chance: Chance, start: int = 0) -> Iterator[Window]:
    """Windows of one second from second `start`, a whole number of bursts, on, without end."""
    second = start
    candidate_mean = traffic.per_minute / 60.0 * traffic.share
    stable_mean = traffic.per_minute / 60.0 - candidate_mean
    rate, stable_rate = traffic.true_rate, traffic.stable_rate
    while True:
        if traffic.correlation and second % traffic.burst == 0:
            rate, stable_rate = _burst(traffic, chance)
        second += 1
        bad, stable_bad = _poisson(candidate_mean * rate, chance), _poisson(stable_mean * stable_rate, chance)
        good, stable_good = (
            _poisson(candidate_mean * (1.0 - rate), chance),
            _poisson(stable_mean * (1.0 - stable_rate), chance),
        )
        yield Window(second, good + bad, bad, stable_good + stable_bad, stable_bad)


def outcome(rule: Rule, traffic: TrafficModel, minutes: float, chance: Chance, *, baking: bool = False) -> Outcome:
    """(ending, minutes it took) of one rollout of at most `minutes`; one that is baking cannot pass, only fail."""
    state = _watched(rule, traffic, chance)
    began = state.end
    for window in islice(windows(traffic, chance, began), round(minutes * 60)):
        state = update(rule, state, window)
        if state.failed:
            return SimulatedOutcome.ABORTED, (window.end - began) / 60.0
        if not baking and verdict(rule, state) is RuleVerdict.PASS:
            return SimulatedOutcome.PROMOTED, (window.end - began) / 60.0
    return SimulatedOutcome.INCONCLUSIVE, minutes


def _watched(rule: Rule, traffic: TrafficModel, chance: Chance) -> AnalysisState:
    """What a rollout begins with when the stable, alone, was watched for `traffic.history` minutes."""
    state = AnalysisState()
    for window in islice(windows(replace(traffic, share=0.0), chance), traffic.history * 60):
        state = update(rule, state, window)
    return reset_for_step(state)


def threshold_outcome(limit: float, misses: int, traffic: TrafficModel, chance: Chance) -> Outcome:
    """The same for a rule of ten checks, of which at most `misses` may show a bad rate above `limit`."""
    seconds = windows(traffic, chance)
    for minute in range(1, LOOKS + 1):
        counted = list(islice(seconds, LOOK))
        misses -= sum(window.bad for window in counted) > limit * sum(window.requests for window in counted)
        if misses < 0:
            return SimulatedOutcome.ABORTED, float(minute)
    return SimulatedOutcome.PROMOTED, float(LOOKS)


def tally(runs: int, run: Callable[[], Outcome]) -> SimulationResult:
    """Fractions and the median time of `runs` calls of `run`."""
    ended = [run() for _ in range(runs)]
    decided = [minutes for ending, minutes in ended if ending is not SimulatedOutcome.INCONCLUSIVE]
    aborted, promoted, open_ = (sum(reached is ending for reached, _ in ended) / runs for ending in SimulatedOutcome)
    return SimulationResult(aborted, promoted, open_, median(decided) if decided else None)


def _burst(traffic: TrafficModel, chance: Chance) -> tuple[float, float]:
    """The bad rates of both arms in one burst; a shared one multiplies both alike."""
    stable_rate = _drawn(traffic.stable_rate, traffic.correlation, chance)
    if traffic.shared and traffic.stable_rate:
        return min(1.0, traffic.true_rate * stable_rate / traffic.stable_rate), stable_rate
    return _drawn(traffic.true_rate, traffic.correlation, chance), stable_rate


def _drawn(rate: float, correlation: float, chance: Chance) -> float:
    """A burst's bad rate: Beta with mean `rate`, so that two requests of the burst correlate so much."""
    if not 0.0 < rate < 1.0:
        return rate
    size = 1.0 / correlation - 1.0
    return chance.betavariate(rate * size, (1.0 - rate) * size)


def _poisson(mean: float, chance: Chance) -> int:
    """By inversion; a large mean is halved until its table is small."""
    if mean <= 0.0:
        return 0
    if mean > BIG_MEAN:
        return _poisson(mean / 2.0, chance) + _poisson(mean / 2.0, chance)
    return bisect_left(_cumulative(mean), chance.random())


@lru_cache(maxsize=4096)
def _cumulative(mean: float) -> tuple[float, ...]:
    """P(X <= k) for k = 0, 1, ... up to where nothing is left."""
    probabilities, k, weight, total = [], 0, math.exp(-mean), 0.0
    while k <= mean or weight > 1e-17:
        total += weight
        probabilities.append(total)
        k += 1
        weight *= mean / k
    return (*probabilities, 1.0)
