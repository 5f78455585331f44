"""The simulator itself: the traffic it makes, and the threshold rules it compares with, against known laws."""

import random
from itertools import islice

import numpy as np
import pytest
from scipy import stats

from modelyard.core.analysis.statistics.sequential_test import Rule
from modelyard.core.analysis.statistics.simulation import (
    SimulatedOutcome,
    SimulationResult,
    TrafficModel,
    outcome,
    tally,
    threshold_outcome,
    windows,
)


def traffic_of(seconds, traffic, seed=7):
    counted = list(islice(windows(traffic, random.Random(seed)), seconds))
    return {name: np.array([getattr(one, name) for one in counted]) for name in counted[0].__slots__}


def test_requests_arrive_as_a_poisson_process_and_are_split_by_the_weight():
    seen = traffic_of(20_000, TrafficModel(300, 0.1, share=0.2, stable_rate=0.02))

    for counts, mean in (("requests", 1.0), ("bad", 0.1), ("stable_requests", 4.0), ("stable_bad", 0.08)):
        observed = np.bincount(np.minimum(seen[counts], 3), minlength=4)
        law = stats.poisson(mean)
        expected = np.array([*law.pmf([0, 1, 2]), law.sf(2)]) * len(seen[counts])
        assert stats.chisquare(observed, expected).pvalue > 0.001


def test_heavy_traffic_has_the_mean_and_the_variance_of_its_law():
    requests = traffic_of(3000, TrafficModel(60_000, 0.5))["requests"]
    assert requests.mean() == pytest.approx(1000, rel=0.005)
    assert requests.var() == pytest.approx(1000, rel=0.1)


def test_bursts_make_bad_counts_as_variable_as_their_correlation_says():
    seen = traffic_of(60 * 1000, TrafficModel(500, 0.01, correlation=0.01))
    by_minute = seen["bad"].reshape(-1, 60).sum(axis=1)

    assert by_minute.mean() == pytest.approx(5, rel=0.1)
    assert by_minute.var() / by_minute.mean() == pytest.approx(1 + 500 * 0.01, rel=0.3)


@pytest.mark.parametrize(("shared", "together"), [(True, 0.9), (False, 0.0)])
def test_shared_bursts_hit_both_arms_and_others_one(shared, together):
    seen = traffic_of(60 * 300, TrafficModel(9000, 0.02, 0.5, 0.01, correlation=0.05, shared=shared))
    bad, stable = (seen[name].reshape(-1, 60).sum(axis=1) for name in ("bad", "stable_bad"))

    assert np.corrcoef(bad, stable)[0, 1] == pytest.approx(together, abs=0.15)
    assert bad.sum() / stable.sum() == pytest.approx(2.0, rel=0.2)


def test_bursts_of_an_arm_without_bad_requests_are_nothing():
    assert not traffic_of(200, TrafficModel(500, 0.0, correlation=0.01))["bad"].any()


def test_the_same_seed_gives_the_same_endings():
    def endings(seed):
        chance = random.Random(seed)
        return [outcome(Rule(0.01), TrafficModel(200, 0.02), 10, chance) for _ in range(20)]

    assert endings(4) == endings(4) != endings(5)


def test_fractions_and_the_median_of_decided_runs_are_what_is_told():
    ended = iter(
        [
            (SimulatedOutcome.ABORTED, 1.0),
            (SimulatedOutcome.PROMOTED, 5.0),
            (SimulatedOutcome.INCONCLUSIVE, 30.0),
            (SimulatedOutcome.ABORTED, 2.0),
        ]
    )
    assert tally(4, lambda: next(ended)) == SimulationResult(0.5, 0.25, 0.25, 2.0)
    assert tally(3, lambda: (SimulatedOutcome.INCONCLUSIVE, 30.0)) == SimulationResult(0, 0, 1, None)


@pytest.mark.parametrize(
    ("per_minute", "rate", "misses"),
    [(50, 0.003, 0), (50, 0.005, 0), (20, 0.028, 5)],
)
def test_threshold_rules_abort_as_often_as_arithmetic_says(per_minute, rate, misses):
    requests = np.arange(200)
    missed = sum(stats.poisson.pmf(n, per_minute) * stats.binom.sf(np.floor(0.01 * n), n, rate) for n in requests)
    expected = stats.binom.sf(misses, 10, missed)
    chance = random.Random(11)

    found = tally(500, lambda: threshold_outcome(0.01, misses, TrafficModel(per_minute, rate), chance))

    assert found.aborted == pytest.approx(expected, abs=0.07)
    assert found.inconclusive == 0


def test_a_rollout_of_which_too_little_was_seen_ends_undecided_though_the_stable_was_watched_before():
    few = TrafficModel(20, 0.0, share=0.5, history=1)

    assert outcome(Rule(0.01, max_regression=0.25), few, 2, random.Random(1)) == (SimulatedOutcome.INCONCLUSIVE, 2)


def test_a_rollout_ends_with_the_second_that_decides_it():
    good, minutes = outcome(Rule(0.01), TrafficModel(1000, 0.0), 5, random.Random(1))
    bad, seconds = outcome(Rule(0.01), TrafficModel(1000, 1.0), 5, random.Random(1))

    assert (good, bad) == (SimulatedOutcome.PROMOTED, SimulatedOutcome.ABORTED)
    assert 0 < seconds < minutes < 5
