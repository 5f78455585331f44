"""Percentiles are read from buckets and never promise more than was measured."""

import math

import pytest

from modelyard.cli.models.percentile import percentile

BUCKETS = {1.0: 10, 5.0: 98, 10.0: 99, 25.0: 100, math.inf: 100}


@pytest.mark.parametrize(("percent", "bound"), [(5, 1.0), (10, 1.0), (50, 5.0), (99, 10.0), (99.9, 25.0), (100, 25.0)])
def test_a_percentile_is_the_upper_bound_of_its_bucket(percent, bound):
    assert percentile(BUCKETS, percent) == bound


def test_above_the_last_bound_it_is_infinite():
    assert percentile({1.0: 1, math.inf: 100}, 99) == math.inf


@pytest.mark.parametrize("buckets", [{}, {1.0: 0, math.inf: 0}])
def test_without_requests_there_is_no_percentile(buckets):
    assert percentile(buckets, 99) is None
