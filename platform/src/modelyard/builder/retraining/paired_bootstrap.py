"""How much better one model is than another on the same rows, with an interval.

    d = sum w (loss of the champion - loss of the candidate) / sum w      above 0: the candidate is better

Both answer the same rows, so what makes a row hard for both cancels out, and far fewer rows tell them apart than two
intervals side by side would. Rows of one request stand or fall together: the bootstrap draws requests, each as often as
a Poisson number of mean 1 says (Chamandy et al., Estimating uncertainty for massive data streams, 2012), with a fixed
seed. `low` is the 5 % point of the draws: a candidate that is no better passes `low > 0` once in twenty.
"""

from typing import Any, NamedTuple

import numpy as np

DRAWS = 2000
LEVEL = 0.05
_SEED = 1
_AT_ONCE = 4_000_000


class PairedDifference(NamedTuple):
    """The champion's mean loss less the candidate's, and the ends of its 90 % interval."""

    value: float
    low: float
    high: float


def paired_difference(champion: Any, candidate: Any, weights: Any, requests: Any) -> PairedDifference:
    """Of losses [rows] of both on the same rows; `requests` names the request of each row, `weights` are positive.

    Raises ValueError without rows.
    """
    if not len(champion):
        raise ValueError("nothing was asked of both")
    _, groups = np.unique(requests, return_inverse=True)
    gains = np.bincount(groups, weights * (champion - candidate))
    masses = np.bincount(groups, weights)
    drawn = np.concatenate([_means(gains, masses, part) for part in _parts(len(gains))])
    low, high = np.quantile(drawn, (LEVEL, 1 - LEVEL))
    return PairedDifference(float(gains.sum() / masses.sum()), float(low), float(high))


def _parts(requests: int) -> list[tuple[int, int]]:
    """(seed, draws) of parts that fit into memory."""
    size = max(1, min(DRAWS, _AT_ONCE // requests))
    return [(at, min(size, DRAWS - at)) for at in range(0, DRAWS, size)]


def _means(gains: Any, masses: Any, part: tuple[int, int]) -> Any:
    """The mean gain of each draw; none of a draw without any request."""
    at, draws = part
    counts = np.random.default_rng((_SEED, at)).poisson(1.0, (draws, len(gains)))
    drawn = counts @ masses
    return (counts @ gains)[drawn > 0] / drawn[drawn > 0]
