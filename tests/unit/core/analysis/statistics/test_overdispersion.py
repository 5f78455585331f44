"""Overdispersion: Pearson's statistic, in running sums."""

import random

import numpy as np
import pytest
from scipy import stats

from modelyard.core.analysis.statistics.overdispersion import Dispersion

START = 1_700_000_040


def watched(windows, start=START):
    seen = Dispersion()
    for second, (requests, bad) in enumerate(windows, start + 1):
        seen = seen.plus(second, requests, bad)
    return seen


def pearson(windows):
    table = np.array([(bad, requests - bad) for requests, bad in windows if requests])
    found = stats.chi2_contingency(table, correction=False)
    return found.statistic / found.dof


def independent(seconds, requests, rate, seed):
    chance = random.Random(seed)
    return [(requests, sum(chance.random() < rate for _ in range(requests))) for _ in range(seconds)]


def test_within_a_minute_phi_is_pearsons_chi_square_by_its_degrees_of_freedom():
    windows = [(40, 3), (60, 0), (0, 0), (25, 9), (50, 1), (31, 2)]
    assert watched(windows).phi == pytest.approx(pearson(windows), rel=1e-6)
    assert watched(windows).phi > 3


def test_over_minutes_phi_is_the_larger_of_both_scales():
    bad_minutes = [[(20, 4)] * 60, [(20, 0)] * 60, [(20, 1)] * 60, [(20, 1)] * 60, [(20, 9)] * 5]
    windows = [window for minute in bad_minutes for window in minute]
    closed = [(1200, 240), (1200, 0), (1200, 60), (1200, 60)]

    assert watched(windows).phi == pytest.approx(pearson(closed), rel=1e-6)
    assert pearson(closed) > pearson(windows) > 1


def test_independent_requests_give_a_phi_near_one():
    assert 1 <= watched(independent(1800, 12, 0.05, seed=3)).phi < 1.5


@pytest.mark.parametrize("windows", [[], [(10, 3)], [(10, 0)] * 9, [(10, 10)] * 9, [(0, 0)] * 9, [(100, 1)] * 200])
def test_phi_is_one_while_nothing_speaks_for_more(windows):
    assert watched(windows).phi == 1


def test_a_gap_in_time_closes_the_minute_before_it():
    before = watched([(10, 1)] * 20)
    after = before.plus(START + 3600, 10, 2)
    assert (after.minutes, after.open_requests, after.requests) == (1, 10, 210)


def test_what_a_few_failures_seem_to_show_is_not_shown():
    few = Dispersion()
    for second in range(1, 601):
        few = few.plus(second, 5, 2 if second in (100, 400) else 0)
    assert few.phi > 1.5
    assert few.shown == 1.0


def test_a_burst_of_many_is_shown_in_windows_and_in_minutes():
    burst, slow = Dispersion(), Dispersion()
    for second in range(1, 601):
        burst = burst.plus(second, 50, 40 if second == 300 else 0)
        slow = slow.plus(second, 50, 5 if 300 < second <= 360 else 0)
    assert burst.shown == burst.phi > 10
    assert slow.shown == slow.phi > 10
    assert Dispersion().shown == 1.0
