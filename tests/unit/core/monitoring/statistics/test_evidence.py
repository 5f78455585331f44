"""The e-detector's arithmetic: likelihood ratios, sums, thresholds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.core.monitoring.statistics.evidence import (
    ALTERNATIVES,
    RARE_ALTERNATIVES,
    advance,
    advance_mixed,
    slopes,
    smallest_share,
    threshold,
)


def test_rare_events_have_two_alternatives_more() -> None:
    assert len(slopes(0.3)) == len(ALTERNATIVES)
    assert len(slopes(0.01)) == len(ALTERNATIVES) + len(RARE_ALTERNATIVES)
    assert slopes(1.0) == ()
    assert slopes(0.3, smaller=(0.025,))[1:] == slopes(0.3)


@given(st.floats(1e-9, 0.99), st.floats(0.0, 1.6))
def test_each_likelihood_ratio_has_mean_one_at_the_moved_bound(bound: float, tolerance: float) -> None:
    share = 1.0 / (1.0 + math.exp(-(math.log(bound) - math.log1p(-bound) + tolerance)))
    for up, down in slopes(bound, tolerance):
        assert share * math.exp(up) + (1.0 - share) * math.exp(down) == pytest.approx(1.0)


def test_a_step_multiplies_what_was_and_what_begins_now() -> None:
    against = slopes(0.2)
    (first, *_) = advance((1.0,) * len(against), 3, 7, against)
    up, down = against[0]
    assert first == pytest.approx(2.0 * math.exp(3 * up + 7 * down))


def test_overdispersion_divides_the_logarithms() -> None:
    against = slopes(0.2)
    plain, divided = advance((0.0,) * 5, 30, 70, against), advance((0.0,) * 5, 30, 70, against, phi=2.0)
    assert divided == pytest.approx([math.sqrt(one) for one in plain])


def test_the_mixed_form_is_the_mean_of_the_ratios() -> None:
    against = slopes(0.2)
    assert advance_mixed(0.0, 30, 70, against) == pytest.approx(sum(advance((0.0,) * 5, 30, 70, against)) / 5)
    assert advance_mixed(3.0, 30, 70, ()) == 3.0


@pytest.mark.parametrize("rows", [10**6, 10**12])
def test_no_step_overflows(rows: int) -> None:
    against = slopes(1e-6)
    sums = advance((1e9,) * len(against), rows, 0, against)
    assert all(math.isfinite(one) for one in sums)
    assert math.isfinite(advance_mixed(1e9, rows, 0, against))
    assert all(0.0 <= one < math.inf for one in advance(sums, 0, rows, against))


def test_the_threshold_is_steps_by_features_by_false_alarms() -> None:
    assert threshold(525_960, 30, 1.0) == 30 * 525_960
    assert threshold(365.25, 0, 2.0) == 365.25 / 2


def test_the_smallest_share_is_the_one_whose_divergence_is_what_is_needed() -> None:
    share = smallest_share(0.01, 10_000, 20.0)
    told = 10_000 * (share * math.log(share / 0.01) + (1 - share) * math.log((1 - share) / 0.99))
    assert told == pytest.approx(20.0)
    assert smallest_share(0.01, 10_000, 20.0, phi=2.0) > share
    assert smallest_share(0.01, 10_000, 20.0, tolerance=0.2) > share


@pytest.mark.parametrize(("bound", "rows"), [(1.0, 1000), (0.5, 0), (0.5, 5)])
def test_too_few_rows_show_nothing(bound: float, rows: int) -> None:
    assert smallest_share(bound, rows, 20.0) == 1.0
