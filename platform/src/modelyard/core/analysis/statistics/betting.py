"""Bets on a difference: how strongly pairs of shares speak for or against "the one is at most so much above the other".

Two revisions are asked at the same time; d is the candidate's share of wrong answers less the stable's among the
requests of one unit, and so lies in [-1, 1], whatever a request, a user or a minute does to both alike. Against
"the mean of d is at most m, whatever came before" one stakes, at fair odds, a part of what one has:

    K = product over units of 1 + f (d - m)/(1 + m)         0 < f < 1

K is a nonnegative supermartingale of mean 1 at most where the statement is true, so by Ville's inequality it ever
reaches 1/alpha with chance alpha at most: one may look after every unit and stop at any time. Nothing is assumed of how
d is distributed, nor of how the requests inside a unit hang together; of a minute that goes wrong as a whole K grows to
less than its double. Against "the mean is at least m" the stakes are on the other side, (m - d)/(1 - m). The best f
depends on what is true; the mean over STAKES, half as much each time, knows it well enough.

Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting (2024); of two samples Shekhar and
Ramdas, Nonparametric two-sample testing by betting (2023).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from .burst_laws import log_sum

_LEAST = 1e-9
STAKES = tuple(0.9 * 0.5**power for power in range(6))

Capital = tuple[float, ...]
"""log K for each of STAKES."""
NOTHING_STAKED: Capital = (0.0,) * len(STAKES)


def after(capital: Capital, difference: float, margin: float) -> Capital:
    """The capital against "at most `margin` (0 <= m < 1) more" after one more unit, of difference -1..1."""
    gain = (difference - margin) / (1.0 + margin)
    return tuple(before + math.log1p(stake * gain) for before, stake in zip(capital, STAKES, strict=True))


def after_opposite(capital: Capital, difference: float, margin: float) -> Capital:
    """The capital against "at least `margin` more" after one more unit."""
    return after(capital, -difference, -margin)


def log_e(capital: Capital) -> float:
    """log of the mean over the stakes: the evidence, natural logarithm, any sign."""
    return log_sum(list(capital)) - math.log(len(STAKES))


class GroupedDispersion(NamedTuple):
    """How much more sums over groups vary than parts would let them that have nothing to do with each other.

    With x the distance of a part's difference from the mean of all, phi = sum over groups of (sum of x)^2 : sum of x^2.
    Kept are: parts, their sum and sum of squares; and of groups the squared sizes, size times sum, squared sums.
    """

    parts: int = 0
    total: float = 0.0
    squares: float = 0.0
    sizes: int = 0
    weighted: float = 0.0
    together: float = 0.0

    def plus(self, differences: Sequence[float]) -> "GroupedDispersion":
        """With the parts of one more group."""
        size, total = len(differences), sum(differences)
        return GroupedDispersion(
            self.parts + size,
            self.total + total,
            self.squares + sum(one * one for one in differences),
            self.sizes + size * size,
            self.weighted + size * total,
            self.together + total * total,
        )

    @property
    def phi(self) -> float:
        """The factor, 1 at least; 1 while nothing varies."""
        mean = self.total / self.parts if self.parts else 0.0
        spread = self.squares - mean * self.total
        if spread <= _LEAST:
            return 1.0
        return max(1.0, (self.together - 2.0 * mean * self.weighted + mean * mean * self.sizes) / spread)
