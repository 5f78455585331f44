"""What is left of an error budget, and when it is empty."""

import pytest

from modelyard.core.slo.budget import ErrorBudget
from modelyard.core.slo.objectives import Promise, PromisedObjective

MONTH = 30 * 86400.0
ERRORS = PromisedObjective(Promise.ERRORS, 0.01, "1% may fail")


def budget(bad: float, total: float = 10_000, **burns: float) -> ErrorBudget:
    return ErrorBudget(ERRORS, total, bad, burns)


@pytest.mark.parametrize(("bad", "left"), [(0, 1.0), (25, 0.75), (100, 0.0), (150, -0.5)])
def test_what_is_left_is_what_was_allowed_less_what_was_bad(bad, left):
    assert budget(bad).left == pytest.approx(left)


def test_nothing_is_known_before_anything_was_counted():
    empty = budget(0, 0, **{"1h": 3.0})
    assert (empty.bad_ratio, empty.left, empty.empty_in(MONTH)) == (None, None, None)


def test_a_half_full_budget_that_burns_twice_as_fast_as_allowed_is_empty_in_a_quarter_of_its_window():
    assert budget(50, **{"1h": 2.0}).empty_in(MONTH) == pytest.approx(MONTH / 4)


@pytest.mark.parametrize("burns", [{}, {"1h": 1.0}, {"1h": 0.2, "5m": 30.0}, {"1d": 5.0}])
def test_no_end_is_in_sight_at_a_pace_that_may_go_on_for_ever_or_is_not_known(burns):
    assert budget(50, **burns).empty_in(MONTH) is None


def test_an_empty_budget_is_empty_now():
    assert budget(100, **{"1h": 0.0}).empty_in(MONTH) == 0.0


def test_without_an_hour_the_nearest_window_that_is_known_tells_the_pace():
    assert budget(0, **{"5m": 4.0, "6h": 2.0}).pace == 4.0
