"""Rows -> counts, by the bins of a profile: whole arrays at a time, or by the minutes the rows are of."""

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from modelyard.api.monitoring.counts import FeatureCounts, MinuteCounts
from modelyard.api.monitoring.profile import FeatureProfile, ReferenceProfile

from .reference import bins_of, mark, words
from .values import ColumnValues, as_kind, category_names, empty


def feature_counts(profile: FeatureProfile, given: ColumnValues) -> FeatureCounts:
    """The counts of a column; of another type than the reference's, its rows are invalid."""
    read = _readable(profile, given)
    missing, invalid = int(read.missing().sum()), int(read.invalid.sum())
    present = read.present()
    bins, outside = _counted(profile, read) if len(present) else ((0,) * len(profile.bins), 0)
    if not profile.bins and len(present):
        bins = (len(present),)
    return FeatureCounts(rows=read.rows, missing=missing, invalid=invalid, outside=outside, bins=bins)


def table_counts(profile: ReferenceProfile, columns: Mapping[str, ColumnValues], rows: int) -> dict[str, FeatureCounts]:
    """The counts of all features of `rows` rows; a column that is not there is invalid in every row.

    Columns that the profile does not have are counted as rows without bins, so that somebody notices.
    """
    counts = {one.name: feature_counts(one, columns.get(one.name) or empty(one.name, rows)) for one in profile.features}
    strange = [name for name in columns if name not in counts]
    return counts | {name: FeatureCounts(rows=rows, invalid=rows) for name in strange}


def counts_by_minute(
    profile: ReferenceProfile, columns: Mapping[str, ColumnValues], minutes: np.ndarray
) -> list[MinuteCounts]:
    """The counts of rows by the minute (since the epoch) each is of, in order."""
    counted = []
    for minute in np.unique(minutes):
        here = minutes == minute
        part = {name: ColumnValues(name, one.values[here], one.invalid[here]) for name, one in columns.items()}
        rows = int(here.sum())
        counted.append(MinuteCounts(minute=int(minute), requests=rows, features=table_counts(profile, part, rows)))
    return counted


def _readable(profile: FeatureProfile, given: ColumnValues) -> ColumnValues:
    """The column in the form of the reference: categories of numbers may come as numbers or as text."""
    if profile.kind == "category":
        return given
    return as_kind(given, text=profile.kind == "text")


def _counted(profile: FeatureProfile, given: ColumnValues) -> tuple[tuple[int, ...], int]:
    """(bins, outside) of the values that are there."""
    if profile.kind == "category":
        names = category_names(given)
        bins = [int((names == name).sum()) for name in profile.categories]
        outside = sum(mark(name) not in _seen(profile.seen) for name in names)
        return (*bins, len(names) - sum(bins)), outside
    if profile.kind == "text":
        rows = [words(text) for text in given.present()]
        lengths, seen = np.array([len(row) for row in rows], np.float64), _seen(profile.seen)
        outside = sum(any(mark(word) not in seen for word in row) for row in rows)
        return tuple(bins_of(lengths, profile.edges)), outside
    present = given.present()
    low = -math.inf if profile.low is None else profile.low
    high = math.inf if profile.high is None else profile.high
    outside = int(((present < low) | (present > high) | ~np.isfinite(present)).sum())
    return tuple(bins_of(present, profile.edges)), outside


@lru_cache(maxsize=256)
def _seen(marks: tuple[int, ...]) -> frozenset[int]:
    return frozenset(marks)
