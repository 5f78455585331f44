"""Counts add, in any order."""

import pytest

from modelyard.api.monitoring.counts import FeatureCounts, MinuteCounts
from modelyard.core.monitoring.adding import added, features_added, minute_added


def test_two_replicas_counts_are_one() -> None:
    first = FeatureCounts(rows=5, missing=1, outside=1, bins=(2, 2))
    second = FeatureCounts(rows=4, invalid=1, bins=(3, 0))
    assert added(first, second) == FeatureCounts(rows=9, missing=1, invalid=1, outside=1, bins=(5, 2))
    assert added(first, second) == added(second, first)


def test_a_minute_without_values_adds_to_any_bins() -> None:
    nothing = FeatureCounts(rows=3, missing=3)
    assert added(nothing, FeatureCounts(rows=2, bins=(1, 1))).bins == (1, 1)
    assert added(nothing, nothing).bins == ()


def test_counts_of_different_bins_do_not_add() -> None:
    with pytest.raises(ValueError, match="different bins"):
        added(FeatureCounts(rows=1, bins=(1,)), FeatureCounts(rows=1, bins=(1, 0)))


def test_features_of_many_minutes_are_added_by_name() -> None:
    a, b = FeatureCounts(rows=1, bins=(1,)), FeatureCounts(rows=2, bins=(2,))
    assert features_added([{"x": a}, {"y": b}, {"x": b}]) == {"x": FeatureCounts(rows=3, bins=(3,)), "y": b}


def test_a_minute_of_two_writers_has_the_share_of_all_their_requests() -> None:
    def written(requests: int, share: float) -> MinuteCounts:
        return MinuteCounts(minute=7, share=share, requests=requests, incomplete=1, features={})

    both = minute_added([written(100, 0.1), written(100, 0.5)])
    assert (both.minute, both.requests, both.incomplete) == (7, 200, 2)
    assert both.share == pytest.approx(200 / 1200)
    assert minute_added([written(0, 0.5)]).share == 0.5


def test_minutes_that_differ_are_not_one() -> None:
    with pytest.raises(ValueError, match="one minute"):
        minute_added([MinuteCounts(minute=1, features={}), MinuteCounts(minute=2, features={})])
    with pytest.raises(ValueError, match="one minute"):
        minute_added([])
