"""The e-detector: evidence, without a horizon and at any look, that an event's share has left its bounds.

After a step with n rows, b of them showing an event whose share was at most q before, for alternatives p_j above q:

    LR_j = (p_j/q)^b ((1-p_j)/(1-q))^(n-b)        S_j <- (1 + S_j) LR_j^(1/phi)        E = mean of a feature's S_j

Alarm at E >= A F / r: A steps a year, F features, r false alarms allowed a year. The form is Shiryaev and Roberts';
Shin, Ramdas and Rinaldo, E-detectors: a nonparametric framework for sequential change detection (2024), show that its
mean time to a false alarm is at least the threshold, whatever the true share is below q. A step more than once looked
at, or a look later, changes nothing. "Falls below lo" is the same question of the rows that do not show the event.

p_j lies 0.1, 0.2, 0.4, 0.8 and 1.6 log-odds above q; for rare events also 2.5 and 3.5; for the many rows of an hour or
a day also 0.025 and 0.05, because a share that is less than half way to the nearest p_j is never found. phi is the
overdispersion (`dispersion.py`).

| how | S kept | for |
|---|---|---|
| `advance` | one for each p_j | minutes: no single step tells enough, the right p_j has to be followed |
| `advance_mixed` | one, of the mean of the LR_j | hours and days: one step tells enough, at the price of log 7 |
"""

import math
from functools import lru_cache

from .bounds import expit, logit

ALTERNATIVES = (0.1, 0.2, 0.4, 0.8, 1.6)
RARE_ALTERNATIVES = (2.5, 3.5)
SMALL_ALTERNATIVES = (0.025, 0.05)
RARE = 0.05
_SMALLEST = 1e-9
_LARGEST_EXPONENT = 300.0
"""A single step never multiplies evidence by more than this, so that nothing overflows."""

Slopes = tuple[tuple[float, float], ...]
"""What one row with the event and one without add to log LR_j, for each alternative."""
Sums = tuple[float, ...]


@lru_cache(maxsize=65_536)
def slopes(bound: float, tolerance: float = 0.0, smaller: tuple[float, ...] = ()) -> Slopes:
    """The slopes against "the share is at most `bound`", moved up by `tolerance` log-odds; none when it is 1.

    `smaller` are alternatives besides the usual ones.
    """
    if bound >= 1.0 - _SMALLEST:
        return ()
    start = logit(max(bound, _SMALLEST)) + tolerance
    moves = ALTERNATIVES + RARE_ALTERNATIVES if bound < RARE else ALTERNATIVES
    moves, null = smaller + moves, expit(start)
    return tuple(
        (math.log(other) - math.log(null), math.log1p(-other) - math.log1p(-null))
        for other in (expit(start + move) for move in moves)
    )


def advance(sums: Sums, hits: int, misses: int, against: Slopes, phi: float = 1.0) -> Sums:
    """The S_j after one more step of `hits` and `misses`; phi >= 1."""
    exp = math.exp
    return tuple(
        (1.0 + s) * exp(min((hits * up + misses * down) / phi, _LARGEST_EXPONENT))
        for s, (up, down) in zip(sums, against, strict=True)
    )


def advance_mixed(total: float, hits: int, misses: int, against: Slopes, phi: float = 1.0) -> float:
    """S after one more step, of the mean of the likelihood ratios."""
    if not against:
        return total
    grown = sum(math.exp(min((hits * up + misses * down) / phi, _LARGEST_EXPONENT)) for up, down in against)
    return (1.0 + total) * grown / len(against)


def threshold(steps_a_year: float, features: int, false_alarms_a_year: float) -> float:
    """E from which on a feature alarms, so that all features together do so falsely at that rate at most."""
    return steps_a_year * max(1, features) / false_alarms_a_year


def smallest_share(bound: float, rows: int, needed: float, phi: float = 1.0, tolerance: float = 0.0) -> float:
    """The smallest share above `bound` that `rows` rows show at the log evidence `needed`; 1 when none is.

    rows KL(share : moved bound) = needed phi, solved by halving: what is to be seen within so many rows, on average.
    """
    if bound >= 1.0 - _SMALLEST or rows <= 0:
        return 1.0
    null = expit(logit(max(bound, _SMALLEST)) + tolerance)

    def told(share: float) -> float:
        kept = (1.0 - share) * (math.log1p(-share) - math.log1p(-null)) if share < 1.0 else 0.0
        return rows * (share * (math.log(share) - math.log(null)) + kept)

    if told(1.0) < needed * phi:
        return 1.0
    low, high = null, 1.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if told(middle) < needed * phi else (low, middle)
    return high
