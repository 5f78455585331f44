"""Bounds of a share from counts: Clopper and Pearson's interval, and shares as log-odds.

Of m rows of the reference k showed an event. Its true share is unknown, and a test of the point k/m rejects it for ever
once rows enough have come (in 30 quiet days of 30 features 1,900 times). So the null hypothesis is an interval,
at the level 1e-4 for both sides together:

    lo: P(X >= k) = level/2 at share lo        hi: P(X <= k) = level/2 at share hi        X ~ Bin(m, share)

Clopper and Pearson, The use of confidence or fiducial limits, Biometrika 26 (1934). The tails of the binomial are
incomplete beta functions, P(X >= k) = I_p(k, m-k+1), here by Lentz's continued fraction (DLMF 8.17.22).
"""

import math
from functools import lru_cache

LEVEL = 1e-4
_TINY = 1e-300
_TERMS = 20_000
_HALVINGS = 80


@lru_cache(maxsize=65_536)
def interval(hits: int, trials: int, level: float = LEVEL) -> tuple[float, float]:
    """(lo, hi), 0..1, for `hits` of `trials`; (0, 1) without trials. Raises ValueError for counts that cannot be."""
    if not 0 <= hits <= trials:
        raise ValueError(f"{hits} of {trials} is no count of hits.")
    if not trials:
        return 0.0, 1.0
    low = 0.0 if hits == 0 else _share_at(level / 2.0, hits, trials - hits + 1)
    high = 1.0 if hits == trials else _share_at(1.0 - level / 2.0, hits + 1, trials - hits)
    return low, high


def logit(share: float) -> float:
    """Log-odds of a share in (0, 1)."""
    return math.log(share) - math.log1p(-share)


def expit(log_odds: float) -> float:
    """The share of log-odds, the inverse of `logit`."""
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    grown = math.exp(log_odds)
    return grown / (1.0 + grown)


def incomplete_beta(share: float, first: float, second: float) -> float:
    """I_share(first, second), the regularized incomplete beta function, for share in [0, 1] and positive parameters."""
    if share <= 0.0 or share >= 1.0:
        return 0.0 if share <= 0.0 else 1.0
    front = math.exp(
        math.lgamma(first + second)
        - math.lgamma(first)
        - math.lgamma(second)
        + first * math.log(share)
        + second * math.log1p(-share)
    )
    if share < (first + 1.0) / (first + second + 2.0):
        return front * _fraction(share, first, second) / first
    return 1.0 - front * _fraction(1.0 - share, second, first) / second


def _fraction(share: float, first: float, second: float) -> float:
    c, d = 1.0, 1.0 / _nonzero(1.0 - (first + second) * share / (first + 1.0))
    value = d
    for m in range(1, _TERMS):
        even = m * (second - m) * share / ((first + 2 * m - 1.0) * (first + 2 * m))
        odd = -(first + m) * (first + second + m) * share / ((first + 2 * m) * (first + 2 * m + 1.0))
        for term in (even, odd):
            d = 1.0 / _nonzero(1.0 + term * d)
            c = _nonzero(1.0 + term / c)
            value *= c * d
        if abs(c * d - 1.0) < 1e-14:
            break
    return value


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _share_at(chance: float, first: int, second: int) -> float:
    """The share at which I_share(first, second) is `chance`, found by halving."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if incomplete_beta(middle, first, second) < chance else (low, middle)
    return (low + high) / 2.0
