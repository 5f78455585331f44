"""E-values of counts: how strongly n requests with b bad ones speak against a bound on the bad rate.

A likelihood ratio LR(p : q) = (p/q)^b ((1-p)/(1-q))^(n-b), followed request by request, is a nonnegative
martingale of mean 1 when the true rate is q, and a supermartingale when the true rate lies on q's far side
from p: the families here have monotone likelihood ratios (Wald's sequential probability ratio test). The mean
over a grid of alternatives p_j is again one, so nobody has to know the true rate beforehand (Robbins' method
of mixtures). Ville's inequality then bounds the chance that it *ever* reaches 1/alpha by alpha, so one may
read it after every window and stop at any time (Ramdas, Gruenwald, Vovk and Shafer call such a process an
e-process).

| question | null hypothesis | 16 alternatives, geometric |
|---|---|---|
| `above` | the rate is at most the limit | 1.3 limit .. 0.9 |
| `below` | the rate is at least the limit | limit/20 .. limit/1.3 |
| `ratio_above` | the candidate's rate is at most r0 times the stable's | r0 < r <= max(16, 4 r0) |
| `ratio_below` | the candidate's rate is at least r1 times the stable's | r1/20 .. r1/1.3 |

Of the B bad requests of both arms together, Bin(B, s r / (s r + 1 - s)) are the candidate's when its share of
the requests is s: conditioning on B cancels whatever moves both arms at once.

All is done with logarithms. `phi` >= 1 divides every log-LR where requests fail in bursts (`overdispersion.py`);
the guarantee survives any phi, chosen however late: if the mean of the LR_j^(1/phi) reaches 1/alpha, then, the
power being concave, the mean of the LR_j reaches alpha^-phi >= 1/alpha.
"""

import math
from functools import lru_cache

GRID = 16
NARROWEST = 1.3
FURTHEST = 20.0
WORST_RATE = 0.9
WORST_RATIO = 16.0

Slopes = tuple[tuple[float, float], ...]


def above(requests: int, bad: int, limit: float, phi: float = 1.0) -> float:
    """log e against "the bad rate is at most `limit`" (0 < limit < 0.69), natural logarithm, any sign."""
    return _log_mean(bad, requests - bad, _slopes_above(limit), phi)


def below(requests: int, bad: int, limit: float, phi: float = 1.0) -> float:
    """log e against "the bad rate is at least `limit`" (0 < limit < 1), natural logarithm, any sign."""
    return _log_mean(bad, requests - bad, _slopes_below(limit), phi)


def ratio_above(bad: int, stable_bad: int, share: float, ratio: float, phi: float = 1.0) -> float:
    """log e against "the candidate's bad rate is at most `ratio` times the stable's"; 0 without two arms.

    `bad` and `stable_bad` are counts, `share` (0..1) is the candidate's fraction of the requests of both arms.
    """
    if not 0.0 < share < 1.0:
        return 0.0
    top = max(WORST_RATIO, 4.0 * ratio)
    step = (top / ratio) ** (1.0 / GRID)
    return _log_mean(bad, stable_bad, [_ratio_slopes(ratio * step**j, ratio, share) for j in range(1, GRID + 1)], phi)


def ratio_below(bad: int, stable_bad: int, share: float, ratio: float, phi: float = 1.0) -> float:
    """log e against "the candidate's bad rate is at least `ratio` times the stable's"; 0 without two arms.

    The parameters are those of `ratio_above`.
    """
    if not 0.0 < share < 1.0:
        return 0.0
    alternatives = geometric(ratio / FURTHEST, ratio / NARROWEST)
    return _log_mean(bad, stable_bad, [_ratio_slopes(alternative, ratio, share) for alternative in alternatives], phi)


def odds_share(share: float, ratio: float) -> float:
    """Probability that a bad request is the candidate's, at its share of requests and ratio of bad rates."""
    return share * ratio / (share * ratio + 1.0 - share)


def ceiling(hits: float, misses: float, rate: float) -> float:
    """The largest log-LR any alternative could reach against `rate`: (hits + misses) KL(observed : rate), >= 0."""
    total = hits + misses
    gain = 0.0
    if hits:
        gain += hits * math.log(hits / (total * rate))
    if misses:
        gain += misses * (math.log(misses / total) - math.log1p(-rate))
    return max(0.0, gain)


def geometric(low: float, high: float) -> tuple[float, ...]:
    """GRID numbers from `low` to `high`, each the same factor above the one before."""
    factor = (high / low) ** (1.0 / (GRID - 1))
    return tuple(low * factor**j for j in range(GRID))


@lru_cache(maxsize=512)
def _slopes_above(limit: float) -> Slopes:
    return tuple(_rate_slopes(alternative, limit) for alternative in geometric(NARROWEST * limit, WORST_RATE))


@lru_cache(maxsize=512)
def _slopes_below(limit: float) -> Slopes:
    return tuple(_rate_slopes(alternative, limit) for alternative in geometric(limit / FURTHEST, limit / NARROWEST))


def _rate_slopes(alternative: float, limit: float) -> tuple[float, float]:
    """What one bad and one good request add to the log-LR of `other` against `limit`."""
    return math.log(alternative / limit), math.log1p(-alternative) - math.log1p(-limit)


def _ratio_slopes(alternative: float, ratio: float, share: float) -> tuple[float, float]:
    """What a bad request of the candidate and one of the stable add to the log-LR of `other` against `ratio`."""
    spread = math.log((share * ratio + 1.0 - share) / (share * alternative + 1.0 - share))
    return math.log(alternative / ratio) + spread, spread


def _log_mean(hits: int, misses: int, slopes: Slopes | list[tuple[float, float]], phi: float) -> float:
    """log of the mean over the grid of LR^(1/phi), safe from overflow."""
    logs = [(hits * up + misses * down) / phi for up, down in slopes]
    top = max(logs)
    return top + math.log(sum(math.exp(log - top) for log in logs) / len(logs))
