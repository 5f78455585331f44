import math

import pytest

from modelyard.core.monitoring.performance.intervals import independent_rows, wilson


def test_wilsons_interval_is_that_of_the_literature() -> None:
    """Newcombe, Two-sided confidence intervals for the single proportion (1998), table I."""
    for hits, rows, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        told = wilson(hits / rows, rows)
        assert (round(told.low, 4), round(told.high, 4)) == (low, high)


@pytest.mark.parametrize("share", [0.0, 1e-12, 0.3, 1.0])
@pytest.mark.parametrize("rows", [0.0, 0.4, 1.0, 1e9])
def test_an_interval_holds_its_share_and_stays_within_0_and_1(share: float, rows: float) -> None:
    told = wilson(share, rows)
    assert 0.0 <= told.low <= share <= told.high <= 1.0


def test_rows_that_stand_and_fall_together_count_as_one() -> None:
    """100 requests of 10 rows, 70 right: V = p(1-p)/100 when all rows of a request are alike."""
    variance = 0.7 * 0.3 / 100
    assert math.isclose(independent_rows(0.7, variance, 1000, 100), 100)
    assert math.isclose(independent_rows(0.7, variance / 10, 1000, 100), 1000)
    assert independent_rows(0.7, variance / 1e6, 1000, 100) == 1000, "never more than there are rows"
    assert independent_rows(1.0, 0.0, 1000, 100) == 100
