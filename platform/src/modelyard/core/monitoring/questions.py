"""What is asked of a feature's rows: events with a share that the reference bounds.

| what | event | among | clock | sides |
|---|---|---|---|---|
| missing | a row has no value | rows with a readable column | minutes | more |
| invalid | a row lacks the column, or it holds another type | rows | minutes | more |
| outside | beyond the reference's range; a category or word it does not have | values | minutes | more |
| shape of numbers, of text's length | above the reference's 10, 30, 50, 70, 90 % point | values | hours, days | both |
| shape of categories | it is this one of the nine most frequent, or another seen one | values | hours, days | more |

One that grows takes from others, so for categories "more" sees both. What cannot be asked is left out: a reference of
which every row is missing bounds nothing.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from modelyard.api.monitoring.counts import FeatureCounts
from modelyard.api.monitoring.profile import FeatureProfile

from .statistics.bounds import interval
from .statistics.evidence import SMALL_ALTERNATIVES, Slopes, slopes

POINTS = (0.9, 0.7, 0.5, 0.3, 0.1)
"""Shares of the reference above the points that are asked about."""
USUAL = 0.01
"""Share of a break in the reference from which on it is nothing unheard of."""
MISSING, INVALID, OUTSIDE, SHAPE = "missing", "invalid", "outside", "shape"


class BreakQuestion(NamedTuple):
    """An event that means that the data broke: its kind, its share in the reference, the bound, the slopes."""

    kind: str
    share: float
    bound: float
    against: Slopes

    @property
    def usual(self) -> bool:
        """Whether the reference has such rows too, so that every hour has some."""
        return self.share >= USUAL

    def counted(self, counts: FeatureCounts) -> tuple[int, int]:
        """(hits, trials) in a minute."""
        if self.kind == MISSING:
            return counts.missing, counts.rows - counts.invalid
        if self.kind == INVALID:
            return counts.invalid, counts.rows
        return counts.outside, counts.rows - counts.missing - counts.invalid


class ShapeQuestion(NamedTuple):
    """An event of the distribution: what it is in words, its share in the reference, its bounds, and its bin.

    For numbers the event is "in a bin behind `at`", for categories "in bin `at`".
    """

    label: str
    at: int
    share: float
    low: float
    high: float

    @property
    def variance(self) -> float:
        """Of one row, in the reference; never 0."""
        middle = min(max(self.share, self.low / 2.0, 1e-6), 1.0 - 1e-6)
        return middle * (1.0 - middle)


@dataclass(frozen=True)
class FeatureQuestions:
    """All that is asked of one feature."""

    profile: FeatureProfile

    @cached_property
    def breaks(self) -> tuple[BreakQuestion, ...]:
        """Those of the fast clock."""
        profile = self.profile
        asked = [(INVALID, 0, profile.rows), (MISSING, profile.missing, profile.rows)]
        if profile.values and (profile.kind == "number" or profile.seen):
            asked.append((OUTSIDE, profile.outside, profile.values))
        made = [BreakQuestion(kind, hits / trials, *self._bounded(kind, hits, trials)) for kind, hits, trials in asked]
        return tuple(question for question in made if question.against)

    def _bounded(self, kind: str, hits: int, trials: int) -> tuple[float, Slopes]:
        """The bound of the share that a break may have: the reference's, or the larger one that the spec allows."""
        bound = interval(hits, trials)[1]
        if kind == MISSING and self.profile.allowed_missing is not None:
            bound = max(bound, self.profile.allowed_missing)
        return bound, slopes(bound)

    @cached_property
    def shapes(self) -> tuple[ShapeQuestion, ...]:
        """Those of the slow clocks."""
        profile, values = self.profile, self.profile.values
        if not values or not profile.bins:
            return ()
        if profile.kind == "category":
            names = [*profile.categories, "another"]
            there = [(name, at) for at, name in enumerate(names) if profile.bins[at]]
            return tuple(_shape(name, at, profile.bins[at], values) for name, at in there)
        above = _above(profile.bins)
        nearest = {min(range(len(above)), key=lambda at: abs(above[at] / values - point)) for point in POINTS if above}
        unit = " words" if profile.kind == "text" else ""
        return tuple(
            _shape(f"above {profile.edges[at]:.6g}{unit}", at, above[at], values)
            for at in sorted(nearest)
            if 0 < above[at] < values
        )

    @cached_property
    def both_sides(self) -> bool:
        """Whether fewer is asked as well as more."""
        return self.profile.kind != "category"

    @cached_property
    def variances(self) -> tuple[float, ...]:
        """Of the shapes' events, in the reference."""
        return tuple(question.variance for question in self.shapes)

    def shape_hits(self, bins: tuple[int, ...]) -> tuple[int, ...]:
        """How many of the counted values show each shape's event."""
        if self.profile.kind == "category":
            return tuple(bins[question.at] for question in self.shapes)
        above = _above(bins)
        return tuple(above[question.at] for question in self.shapes)

    def sides(self, tolerance: float) -> tuple[Slopes, ...]:
        """The slopes of every shape's event becoming more frequent, then of every one becoming rarer."""
        bounds = [question.high for question in self.shapes]
        if self.both_sides:
            bounds += [1.0 - question.low for question in self.shapes]
        return tuple(slopes(bound, tolerance, SMALL_ALTERNATIVES) for bound in bounds)

    def fits(self, counts: FeatureCounts) -> bool:
        """Whether the counts are of this profile's bins."""
        empty = not self.profile.bins or counts.rows == counts.missing + counts.invalid
        return empty or len(counts.bins) == len(self.profile.bins)


def _shape(label: str, at: int, hits: int, values: int) -> ShapeQuestion:
    return ShapeQuestion(label, at, hits / values, *interval(hits, values))


def _above(bins: tuple[int, ...]) -> list[int]:
    """How many lie in the bins behind each but the last."""
    rest, above = sum(bins), []
    for count in bins[:-1]:
        rest -= count
        above.append(rest)
    return above
