"""What minutes of the stable say of bursts: never too much, and more where they were clean."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from modelyard.core.analysis.statistics import burst_laws, bursts
from modelyard.core.analysis.statistics.bursts import BurstEvidence
from modelyard.core.analysis.statistics.sequential_test import (
    AnalysisState,
    Rule,
    Window,
    in_bursts_log_e,
    reset_for_step,
    update,
)
from modelyard.core.analysis.statistics.simulation import TrafficModel
from tests.support.traffic.burst_grid import failures

ALLOWED, RATIO = 0.01, 1.25
RULE = Rule(ALLOWED, 0.0025, max_regression=0.25)
CLEAN = ((2700, 0),) * 10
BURSTY = ((2700, 0), (2700, 300), (2700, 2), (2700, 0), (2700, 90), (2700, 0), (2700, 0), (2700, 11)) + ((2700, 0),) * 2


def minute(requests, mean, correlation):
    """The chance of every number of bad requests in a minute."""
    size = 1.0 / correlation - 1.0
    return stats.betabinom(requests, mean * size, (1.0 - mean) * size).pmf(np.arange(requests + 1))


def after(history, ratio=RATIO):
    return BurstEvidence().after(history, ALLOWED, ratio)


def log_e(history, requests, bad, ratio=RATIO):
    return after(history, ratio).log_e((requests, bad), ((requests, bad, 0, 0),), ALLOWED, ratio)


@pytest.mark.parametrize("correlation", burst_laws.CORRELATIONS)
@pytest.mark.parametrize("stable", [0.0003, 0.0012, 0.01])
def test_a_history_and_a_bad_minute_have_a_mean_e_of_one_half_of_alpha_at_most(correlation, stable):
    seen, tried = minute(40, stable, correlation), minute(25, min(ALLOWED, RATIO * stable), correlation)
    mean = sum(
        before * now * math.exp(log_e(((40, past),), 25, bad))
        for (past, before), (bad, now) in product(enumerate(seen), enumerate(tried))
        if before * now > 1e-12
    )
    assert mean <= 2.0


@pytest.mark.parametrize(("fraction", "correlation"), burst_laws.LAWS)
def test_what_a_history_says_of_the_law_it_follows_has_a_mean_of_one_at_most(fraction, correlation):
    at = burst_laws.LAWS.index((fraction, correlation))
    chances = minute(100, ALLOWED * fraction, correlation)
    told = [math.exp(burst_laws.from_history(((100, bad),), ALLOWED, RATIO)[at]) for bad in range(101)]
    assert (chances * told).sum() <= 1.0 + 1e-9


def test_ten_clean_minutes_make_a_bad_one_worth_more_and_bursty_ones_do_not():
    unknown = log_e((), 20, 6)
    assert log_e(CLEAN, 20, 6) > unknown + 1.0
    assert log_e(CLEAN[:3], 20, 6) > unknown - 0.7
    assert unknown >= log_e(BURSTY, 20, 6) >= unknown - 0.7


def test_without_a_stable_to_compare_to_its_past_says_nothing():
    assert after(CLEAN, None).known == burst_laws.UNKNOWN
    assert log_e(CLEAN, 20, 6, None) == log_e((), 20, 6, None)


def test_a_candidate_may_be_as_bad_as_the_promise_or_somewhat_worse_than_the_stable_whichever_is_less():
    means = dict(zip(burst_laws.LAWS, burst_laws.candidate_means(ALLOWED, RATIO), strict=True))
    assert means[1.0, 0.05] == ALLOWED
    assert means[1 / 16, 0.05] == pytest.approx(2 * RATIO * ALLOWED / 16)
    assert set(burst_laws.candidate_means(ALLOWED, 50.0)) == set(burst_laws.candidate_means(ALLOWED, None)) == {ALLOWED}


def watched(minutes, bad=0):
    """A state that begins a step after so many minutes of the stable."""
    state = AnalysisState()
    for second in range(20, 60 * minutes + 1, 20):
        state = update(RULE, state, Window(second, 0, 0, 900, bad))
    return reset_for_step(update(RULE, state, Window(60 * minutes + 1, 0, 0, 45, 0)))


@pytest.mark.parametrize(("minutes", "feared"), [(9, True), (10, False)])
def test_only_ten_minutes_show_that_failures_come_evenly(minutes, feared):
    """Six alike come about by luck, where the rate varies by half of itself."""
    state = watched(minutes, bad=10)
    assert state.evenness > bursts.EVEN
    assert math.isfinite(in_bursts_log_e(RULE, state)) == feared


def seconds_until_failed(state, late, limit=60):
    """Five requests a second, of which `late` of each ten are bad, in turns."""
    for second in range(1, limit + 1):
        bad = (5 * second * late) // 10 - (5 * (second - 1) * late) // 10
        state = update(RULE, state, Window(state.end + 1, 5, bad, 45, 0))
        if state.failed:
            return second
    return limit + 1


def test_a_quarter_late_is_proven_within_seconds_after_ten_clean_minutes_and_else_in_the_second_minute():
    assert seconds_until_failed(watched(10), 3) <= 12
    assert seconds_until_failed(AnalysisState(end=60), 3) > 20
    assert seconds_until_failed(watched(10, bad=30), 3) > 3


@pytest.mark.parametrize(("late", "history", "seconds"), [(1.0, 0, 1), (0.54, 0, 4), (0.35, 10, 7), (0.28, 10, 12)])
def test_half_of_the_candidates_of_which_so_many_are_late_are_out_in_time(late, history, seconds):
    traffic = TrafficModel(3000, late, 0.1, 0.0003, history=history)
    took = failures(RULE, traffic, 21, 3, 1)
    assert sorted(61.0 if one is None else one * 60 for one in took)[10] <= seconds
