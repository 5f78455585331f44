"""Simulated labelled answers of two revisions that are asked at the same time, minute by minute.

| what | how |
|---|---|
| a hard minute | multiplies how often both are wrong, by a Beta-distributed factor |
| a burst | a minute in which the candidate alone is wrong in all it answers; else it is like the stable |
| a request of several rows | all of its rows stand and fall together: it is one request |
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from modelyard.core.analysis.feedback.evidence import evidence_by_group
from modelyard.records.feedback.compared import Shares, units


@dataclass(frozen=True)
class LabelledAnswers:
    """`per_minute` labelled requests of both, of which `share` are the candidate's; shares of wrong answers, 0..1.

    `hard` is the correlation within a minute that both have in common, `bursts` the share of minutes in which the
    candidate is wrong in everything (`wrong` counts outside of them).
    """

    per_minute: float
    wrong: float
    stable_wrong: float
    share: float = 0.25
    hard: float = 0.0
    bursts: float = 0.0

    def minutes(self, minutes: int, chance: random.Random) -> tuple[Shares, Shares]:
        """Shares of wrong answers of the candidate's requests and of the stable's, by minute."""
        mine: Shares = {}
        others: Shares = {}
        for minute in range(minutes):
            factor = self._factor(chance)
            wrong = 1.0 if chance.random() < self.bursts else self.wrong * factor
            for arm, rate, found in (
                (self.share, wrong, mine),
                (1.0 - self.share, self.stable_wrong * factor, others),
            ):
                requests = _poisson(self.per_minute * arm, chance)
                if requests:
                    found[(0, minute)] = [float(chance.random() < rate) for _ in range(requests)]
        return mine, others

    def _factor(self, chance: random.Random) -> float:
        """By which both are wrong more often in a minute: of mean 1, and neither goes above 1 by it."""
        if not self.hard:
            return 1.0
        rate = max(self.wrong, self.stable_wrong)
        size = 1.0 / self.hard - 1.0
        return chance.betavariate(rate * size, (1.0 - rate) * size) / rate


@dataclass(frozen=True)
class LabelledEnd:
    """How a simulated rollout ended: failed, passed or neither, and after how many of the candidate's labels."""

    failed: bool
    passed: bool
    requests: int


def ended(answers: LabelledAnswers, margin: float, minutes: int, chance: random.Random) -> LabelledEnd:
    """One rollout of so many minutes, looked at after every minute with labels."""
    requests = 0
    for requests, found in evidence_by_group(units(*answers.minutes(minutes, chance)), margin):
        if found.fails or found.passes:
            return LabelledEnd(found.fails, found.passes, requests)
    return LabelledEnd(False, False, requests)


def many(answers: LabelledAnswers, margin: float, minutes: int, runs: int, seed: int) -> Iterator[LabelledEnd]:
    """So many rollouts, always the same ones."""
    chance = random.Random(seed)
    for _ in range(runs):
        yield ended(answers, margin, minutes, chance)


def _poisson(mean: float, chance: random.Random) -> int:
    """By Knuth's product of uniforms, in parts that do not underflow."""
    if mean > 50.0:
        return _poisson(mean / 2.0, chance) + _poisson(mean / 2.0, chance)
    count, product, limit = 0, chance.random(), math.exp(-mean)
    while product > limit:
        count, product = count + 1, product * chance.random()
    return count
