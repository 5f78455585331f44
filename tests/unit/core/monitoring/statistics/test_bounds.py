"""Bounds of shares: Clopper and Pearson's interval, against scipy's beta distribution."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from modelyard.core.monitoring.statistics.bounds import LEVEL, expit, incomplete_beta, interval, logit


@pytest.mark.parametrize(
    ("hits", "trials"), [(0, 1), (1, 1), (0, 500), (40, 4000), (2000, 4000), (5, 10**7), (10**6, 10**6), (3, 7)]
)
def test_the_interval_is_clopper_and_pearsons(hits: int, trials: int) -> None:
    low = beta.ppf(LEVEL / 2, hits, trials - hits + 1) if hits else 0.0
    high = beta.ppf(1 - LEVEL / 2, hits + 1, trials - hits) if hits < trials else 1.0
    assert interval(hits, trials) == (pytest.approx(low, rel=1e-6), pytest.approx(high, rel=1e-6))


@given(st.integers(0, 3000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_the_share_itself_lies_in_its_interval(counts: tuple[int, int]) -> None:
    hits, trials = counts
    low, high = interval(hits, trials)
    assert 0.0 <= low <= (hits / trials if trials else 0.5) <= high <= 1.0


def test_five_hundred_rows_without_a_null_allow_nearly_two_percent() -> None:
    assert interval(0, 500)[1] == pytest.approx(0.0196, abs=1e-4)


def test_nothing_counted_bounds_nothing() -> None:
    assert interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("hits", "trials"), [(-1, 5), (6, 5)])
def test_impossible_counts_are_refused(hits: int, trials: int) -> None:
    with pytest.raises(ValueError, match="no count of hits"):
        interval(hits, trials)


@pytest.mark.parametrize("share", [1e-9, 0.01, 0.5, 0.999])
def test_log_odds_go_there_and_back(share: float) -> None:
    assert expit(logit(share)) == pytest.approx(share)


@pytest.mark.parametrize(("share", "expected"), [(-0.5, 0.0), (0.0, 0.0), (1.0, 1.0), (2.0, 1.0)])
def test_the_incomplete_beta_function_ends_at_its_ends(share: float, expected: float) -> None:
    assert incomplete_beta(share, 2.0, 3.0) == expected


def test_the_incomplete_beta_function_of_equal_parameters_is_a_half_in_the_middle() -> None:
    assert incomplete_beta(0.5, 7.0, 7.0) == pytest.approx(0.5)
    assert incomplete_beta(0.5, 1.0, 1.0) == pytest.approx(0.5)


def test_counts_beyond_reason_still_end() -> None:
    assert 0.0 <= incomplete_beta(0.5, 1e12, 1e12) <= 1.0
