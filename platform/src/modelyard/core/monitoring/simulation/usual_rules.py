"""The usual rules of drift monitors, to be compared with: a look at fixed times, a statistic, a number to hold it to.

| rule | statistic of a feature's bins against the reference | alarm |
|---|---|---|
| chi2 | two-sample chi-square, its p-value | p below 5 % |
| chi2, Benjamini-Hochberg | the same | the step-up procedure at 5 % over the features of a look |
| chi2, Bonferroni | the same | p below 5 % by features and looks of a month |
| PSI | population stability index, sum (a-b) log(a/b) | above 0.1 |
| Jensen-Shannon | distance, the square root of the divergence in bits | above 0.1 |
| half of the features | chi2 | p below 5 % in at least half of the features |

Nobody's default is left out for being bad: they are what people have. Benjamini and Hochberg, Controlling the false
discovery rate, 1995; the share of half is what Evidently takes by default.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

LEVEL = 0.05
DISTANCE = 0.1
_LOOKS_A_MONTH = {15: 2880, 60: 720, 1440: 30}
_EMPTY = 1e-4

Bins = Sequence[int]


class UsualRule(NamedTuple):
    """A rule: its name, minutes between looks, the statistic of a feature, and which of a look's statistics alarm."""

    name: str
    minutes: int
    statistic: Callable[[Bins, Bins], float]
    alarms: Callable[[Sequence[float], int, int], list[int]]


def chi_square(reference: Bins, now: Bins) -> float:
    """The p-value of Pearson's test that both samples are of one distribution; bins empty in both are left out."""
    before, after, statistic, bins = sum(reference), sum(now), 0.0, 0
    for a, b in zip(reference, now, strict=True):
        if a + b:
            bins += 1
            share = (a + b) / (before + after)
            statistic += (a - before * share) ** 2 / (before * share) + (b - after * share) ** 2 / (after * share)
    return survival(statistic, bins - 1) if bins > 1 else 1.0


def survival(statistic: float, degrees: int) -> float:
    """P(X^2 > statistic) with that many degrees of freedom: a finite sum (Abramowitz and Stegun 26.4.4, 26.4.5)."""
    half = statistic / 2.0
    if degrees % 2:
        total, term, start = math.erfc(math.sqrt(half)), math.sqrt(half / math.pi) * 2.0 * math.exp(-half), 3
        if degrees == 1:
            return total
    else:
        total, term, start = 0.0, math.exp(-half), 2
    total += term
    for k in range(start, degrees - 1, 2):
        term *= statistic / k
        total += term
    return min(1.0, total)


def stability_index(reference: Bins, now: Bins) -> float:
    """PSI; empty bins count as 0.01 %."""
    before, after = sum(reference), sum(now)
    shares = [(max(a / before, _EMPTY), max(b / after, _EMPTY)) for a, b in zip(reference, now, strict=True)]
    return sum((a - b) * math.log(a / b) for a, b in shares)


def jensen_shannon(reference: Bins, now: Bins) -> float:
    """The distance of Jensen and Shannon with logarithms to base 2, 0..1."""
    before, after, total = sum(reference), sum(now), 0.0
    for a, b in ((a / before, b / after) for a, b in zip(reference, now, strict=True)):
        middle = (a + b) / 2.0
        total += sum(share * math.log2(share / middle) for share in (a, b) if share) / 2.0
    return math.sqrt(max(0.0, total))


def _below(values: Sequence[float], level: float) -> list[int]:
    return [at for at, value in enumerate(values) if value < level]


def _above(values: Sequence[float], features: int, minutes: int) -> list[int]:
    return [at for at, value in enumerate(values) if value > DISTANCE]


def _plain(values: Sequence[float], features: int, minutes: int) -> list[int]:
    return _below(values, LEVEL)


def _step_up(values: Sequence[float], features: int, minutes: int) -> list[int]:
    passed = [p for rank, p in enumerate(sorted(values), start=1) if p <= LEVEL * rank / len(values)]
    return [at for at, value in enumerate(values) if passed and value <= passed[-1]]


def _corrected(values: Sequence[float], features: int, minutes: int) -> list[int]:
    return _below(values, LEVEL / features / _LOOKS_A_MONTH[minutes])


def _half(values: Sequence[float], features: int, minutes: int) -> list[int]:
    low = _below(values, LEVEL)
    return low if 2 * len(low) >= features else []


RULES = (
    UsualRule("chi2 p < 0.05, hourly", 60, chi_square, _plain),
    UsualRule("chi2, Benjamini-Hochberg 5 %, hourly", 60, chi_square, _step_up),
    UsualRule("chi2, Benjamini-Hochberg 5 %, daily", 1440, chi_square, _step_up),
    UsualRule("chi2, Bonferroni features x looks, 15 min", 15, chi_square, _corrected),
    UsualRule("PSI > 0.1, hourly", 60, stability_index, _above),
    UsualRule("Jensen-Shannon > 0.1, hourly", 60, jensen_shannon, _above),
    UsualRule("half of the features p < 0.05, hourly", 60, chi_square, _half),
)
