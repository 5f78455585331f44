"""Overdispersion of counts by minutes: how much more they vary within an hour than independent rows would.

Rows come in bursts: one user's, one batch job's. Evidence that takes them for independent calls a burst a change (in
10 quiet days with a correlation of 0.01 within the minute, every run). Over an hour's k minutes with n_i rows and b_i
events, N and B in all, r = B/N, Pearson's statistic against the hour's own share is

    X^2 = (sum b_i^2/n_i - B^2/N) / (r (1-r))        k - 1 degrees of freedom

so a rhythm of the day, or a change that lasts, adds next to nothing. Questions about one feature share one phi: their
sums are weighted by the reference's variances, and one number is kept for all of them. phi is the running mean over the
last two days of minutes, and never below 1 where it divides. (`core.analysis.statistics.overdispersion` asks the same
of a rollout's windows, from the rollout's beginning on.)
"""

from typing import NamedTuple

MEMORY = 2_880.0
"""Minutes over which phi is a mean."""


class Phi(NamedTuple):
    """A running overdispersion and the minutes behind it, at most MEMORY."""

    value: float = 1.0
    weight: float = 0.0

    @property
    def divisor(self) -> float:
        """What evidence is divided by: never below 1."""
        return max(1.0, self.value)

    def after(self, minutes: int, factor: float) -> "Phi":
        """With an hour of so many minutes, whose factor was that."""
        if minutes < 2:
            return self
        added = minutes - 1.0
        value = self.value + added / (self.weight + added) * (factor - self.value)
        return Phi(value, min(MEMORY, self.weight + added))


def pooled(minutes: int, rows: int, hits: tuple[int, ...], squares: float, variances: tuple[float, ...]) -> float:
    """X^2 by its degrees of freedom of all questions; 1 where nothing varied.

    `squares` is the sum over minutes and questions of b^2/(n v), v being the question's variance in the reference.
    """
    expected = excess = 0.0
    for count, variance in zip(hits, variances, strict=True):
        share = count / rows if rows else 0.0
        expected += share * (1.0 - share) / variance
        excess += count * share / variance
    if minutes < 2 or expected <= 0.0:
        return 1.0
    return (squares - excess) / (expected * (minutes - 1))
