"""Rows of made-up features, counted by minutes, with a change of known size from a known minute on.

A number is normal; its reference is so many draws of it, its edges are their deciles. What happens to it:

| change | what |
|---|---|
| shift | the mean moves by so many standard deviations |
| missing | so many of the rows have no value any more |
| outside | so many hold a word that the reference does not have |
| category | of three categories the rarest becomes so frequent |
| rhythm | the mean goes up and down every day by so many standard deviations: no change |
| correlation | the share of every bin is drawn anew every minute (Dirichlet): bursts, no change |

A minute's rows are drawn by bins, by inversion of the binomial from tables; a rhythm moves every quarter of an hour.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from statistics import NormalDist
from typing import Protocol

from modelyard.api.monitoring.counts import FeatureCounts
from modelyard.api.monitoring.profile import FeatureProfile

QUARTER = 15
DAY = 1440
MOST_AT_ONCE = 512
DECILES = 10
_NORMAL = NormalDist()
_LEAST = 1e-12


class Draws(Protocol):
    """The methods of `random.Random` that a simulation uses."""

    def random(self) -> float:
        """A number from [0, 1), uniform."""
        ...

    def gauss(self, mu: float, sigma: float) -> float:
        """A number by the normal distribution."""
        ...

    def gammavariate(self, alpha: float, beta: float) -> float:
        """A number by the Gamma distribution."""
        ...


@dataclass(frozen=True)
class StreamModel:
    """A feature's rows a minute, its change (after minute `begins`), its rhythm and its bursts."""

    rows: int = 100
    begins: int = 0
    shift: float = 0.0
    missing: tuple[float, float] = (0.0, 0.0)
    outside: float = 0.0
    category: tuple[float, float] | None = None
    rhythm: float = 0.0
    correlation: float = 0.0


def reference(model: StreamModel, rows: int, name: str, chance: Draws) -> FeatureProfile:
    """The profile of `rows` rows of the stream before its change."""
    missing = _binomial(rows, model.missing[0], chance)
    values = rows - missing
    shared = {"name": name, "column": name, "role": "input", "rows": rows, "missing": missing}
    if model.category is not None:
        bins = (*_split(values, (0.6, 0.4 - model.category[0], model.category[0]), chance), 0)
        return FeatureProfile(**shared, kind="category", categories=("a", "b", "c"), bins=bins, seen=(1, 2, 3))
    drawn = sorted(chance.gauss(0.0, 1.0) for _ in range(values))
    edges = tuple(dict.fromkeys(drawn[values * tenth // DECILES] for tenth in range(1, DECILES))) if values else ()
    places = [0, *(bisect_right(drawn, edge) for edge in edges), values]
    bins = tuple(b - a for a, b in pairwise(places))
    return FeatureProfile(**shared, kind="number", edges=edges, bins=bins)


class Stream:
    """The counts of one feature, minute by minute."""

    def __init__(self, model: StreamModel, profile: FeatureProfile, chance: Draws) -> None:
        self._model, self._profile, self._chance = model, profile, chance

    def minute(self, minute: int) -> FeatureCounts:
        """The counts of one minute."""
        model, chance = self._model, self._chance
        changed = minute >= model.begins
        missing = _binomial(model.rows, model.missing[changed], chance)
        values = model.rows - missing
        bins = _split(values, self._shares(minute, changed), chance)
        outside = _binomial(values, model.outside, chance) if changed else 0
        return FeatureCounts.model_construct(rows=model.rows, missing=missing, invalid=0, outside=outside, bins=bins)

    def _shares(self, minute: int, changed: bool) -> tuple[float, ...]:
        model = self._model
        if model.category is not None:
            rare = model.category[changed]
            shares = (0.6, 0.4 - rare, rare, 0.0)
        else:
            turn = math.sin(2.0 * math.pi * (minute % DAY // QUARTER) * QUARTER / DAY)
            shares = _normal_bins(self._profile.edges, model.rhythm * turn + model.shift * changed)
        if not model.correlation:
            return shares
        size = 1.0 / model.correlation - 1.0
        drawn = [self._chance.gammavariate(max(size * share, _LEAST), 1.0) for share in shares]
        return tuple(one / sum(drawn) for one in drawn)


@lru_cache(maxsize=4096)
def _normal_bins(edges: tuple[float, ...], mean: float) -> tuple[float, ...]:
    below = [0.0, *(_NORMAL.cdf(edge - mean) for edge in edges), 1.0]
    return tuple(b - a for a, b in pairwise(below))


def _split(total: int, shares: Sequence[float], chance: Draws) -> tuple[int, ...]:
    """A multinomial draw: each bin is a binomial of what is left."""
    rest, left, counts = 1.0, total, []
    for share in shares[:-1]:
        part = min(1.0, share / rest) if rest > _LEAST else 1.0
        drawn = _binomial(left, part, chance)
        counts.append(drawn)
        left, rest = left - drawn, rest - share
    return (*counts, left)


def _binomial(trials: int, share: float, chance: Draws) -> int:
    if share <= 0.0 or not trials:
        return 0
    if share > 0.5:
        return trials - _binomial(trials, 1.0 - share, chance)
    if trials > MOST_AT_ONCE:
        return _binomial(MOST_AT_ONCE, share, chance) + _binomial(trials - MOST_AT_ONCE, share, chance)
    return bisect_left(_cumulative(trials, share), chance.random())


@lru_cache(maxsize=65_536)
def _cumulative(trials: int, share: float) -> tuple[float, ...]:
    """P(X <= k) for k = 0 .. trials, of a share up to 1/2."""
    odds, term, total, summed = share / (1.0 - share), (1.0 - share) ** trials, 0.0, []
    for k in range(trials):
        total += term
        summed.append(total)
        term *= odds * (trials - k) / (k + 1)
    return (*summed, 1.0)
