"""The laws by which a candidate may fail that is like its stable, and what the stable's last minutes say of each.

The laws of `bursts.py` have the allowed rate p0 as their mean. A candidate that is at most r times as bad as its stable
has a lower one where the stable hardly fails, and then a bad minute, and a second one still more, is so much rarer:

| law | the stable's minutes | the candidate's minutes |
|---|---|---|
| fraction 1 | mean p0, 4 p0 or 16 p0, whatever they fit best | mean p0 |
| fraction f | mean f p0 | mean 2 r f p0, at most p0 |

for every correlation of CORRELATIONS; the 2 covers means between two fractions. Minutes are independent, so what the
minutes h of the stable before a step say of a law is a factor of its own, log(R(h) : P(h)): R is a mixture of all laws
and of a stable that hardly ever fails, which each get half of it. Whichever law is true, the mean of R : P is 1. A law
that h refutes need not be refuted by the candidate's minutes any more.

Nothing is taken from minutes that the candidate has part in, for bursts may hit both at once; and without a
comparison to the stable (r unknown) nothing at all, for then the candidate's mean is p0 whatever the stable did.
"""

import math
from functools import lru_cache
from itertools import product

CORRELATIONS = (0.05, 0.0125, 0.003, 0.0008)
FRACTIONS = (1.0, 1 / 4, 1 / 16, 1 / 64)
LAWS = tuple(product(FRACTIONS, CORRELATIONS))
HISTORY = 10
"""Minutes of the stable that are remembered."""
_ABOVE = (1.0, 4.0, 16.0)
_NEVER = 2.0**-10
_GAP = 2.0
_HIGHEST = 0.9
_POINTS = tuple(product((*_ABOVE[1:], *FRACTIONS), CORRELATIONS))
"""What R is mixed of, beside a stable that hardly ever fails: (mean : p0, correlation)."""

Sums = tuple[float, ...]
History = tuple[tuple[int, int], ...]
"""(requests, bad ones) of the stable's minutes, oldest first."""
UNKNOWN: Sums = (0.0,) * len(LAWS)


@lru_cache(maxsize=512)
def candidate_means(allowed: float, ratio: float | None) -> Sums:
    """A minute's mean bad rate, 0..1, by each of LAWS, of a candidate that is at most `ratio` times the stable."""
    if ratio is None:
        return (allowed,) * len(LAWS)
    return tuple(allowed * (1.0 if fraction == 1.0 else min(1.0, _GAP * ratio * fraction)) for fraction, _ in LAWS)


@lru_cache(maxsize=512)
def from_history(history: History, allowed: float, ratio: float | None) -> Sums:
    """log(R : P) of the stable's minutes for each of LAWS; zeros where nothing is to be learnt from them."""
    if ratio is None or not history:
        return UNKNOWN
    logs = [
        max(_log_chance(history, allowed * mean, rho) for mean in (_ABOVE if fraction == 1.0 else (fraction,)))
        for fraction, rho in LAWS
    ]
    never = _log_chance(history, allowed * _NEVER, CORRELATIONS[0])
    points = [_log_chance(history, allowed * mean, rho) for mean, rho in _POINTS]
    mixed = log_sum([never, *(log - math.log(len(points)) for log in points)]) - math.log(2.0)
    return tuple(math.floor(100.0 * (mixed - log)) / 100.0 for log in logs)


def _log_chance(history: History, mean: float, rho: float) -> float:
    size = 1.0 / rho - 1.0
    return sum(beta_binomial(requests, bad, min(mean, _HIGHEST), size) for requests, bad in history)


def log_sum(logs: list[float]) -> float:
    """log of the sum of exp(log), safe from overflow."""
    top = max(logs)
    return top + math.log(sum(math.exp(log - top) for log in logs))


def independent(trials: float, hits: float, rate: float) -> float:
    """log-likelihood of one order of the trials when each is a hit with probability `rate`."""
    return hits * math.log(rate) + (trials - hits) * math.log1p(-rate)


def beta_binomial(trials: float, hits: float, mean: float, size: float) -> float:
    """log-likelihood of one order of the trials when their rate has a Beta distribution of `size` prior trials."""
    yes, no = mean * size, (1.0 - mean) * size
    return rising(yes, hits) + rising(no, trials - hits) - rising(size, trials)


def rising(start: float, steps: float) -> float:
    """log of start (start + 1) ... (start + steps - 1)."""
    return math.lgamma(start + steps) - math.lgamma(start)
