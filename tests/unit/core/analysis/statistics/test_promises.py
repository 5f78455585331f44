"""What the gates promise, simulated through the tests themselves: seeds are fixed, looks come every second.

The allowed bad rate is 1 % and alpha 1 % unless a row says otherwise. MODELYARD_PROOF=1 runs some ten thousand
rollouts (five minutes) and asserts each bound as it stands. By default there are too few to tell 1 % from 2 %:
then a row fails when its count would be a one in a thousand surprise at 1 %.
"""

import random

import pytest
from scipy import stats

from modelyard.core.analysis.statistics.sequential_test import Rule
from modelyard.core.analysis.statistics.simulation import TrafficModel, outcome, tally, threshold_outcome
from tests.support.repository.proof import PROOF

ALONE = Rule(0.01)
COMPARED = Rule(0.01, max_regression=0.25)


def simulated(rule, traffic, *, runs=2000, few=150, baking=False):
    """Tally of rollouts of 30 minutes, printed for whoever wants the numbers (`pytest -s`)."""
    chance = random.Random(20)
    found = tally(runs if PROOF else few, lambda: outcome(rule, traffic, 30, chance, baking=baking))
    print(f"\n{traffic} allowed={rule.allowed} runs={runs if PROOF else few}: {found}")
    return found


def assert_rarely_aborted(rule, traffic, *, runs, few):
    """At most one in a hundred, for a rollout that can only fail."""
    aborted = simulated(rule, traffic, runs=runs, few=few, baking=True).aborted
    assert aborted <= (0.01 if PROOF else stats.binom.ppf(0.999, few, 0.01) / few)


@pytest.mark.parametrize("per_minute", [50, 200, 1000])
def test_a_candidate_at_the_limit_is_aborted_in_at_most_one_of_a_hundred_rollouts(per_minute):
    assert_rarely_aborted(ALONE, TrafficModel(per_minute, 0.01), runs=1500, few=40)


@pytest.mark.parametrize("per_minute", [100, 2000])
def test_the_same_holds_with_an_equal_stable_beside_it(per_minute):
    both = TrafficModel(per_minute, 0.01, share=0.5, stable_rate=0.01)
    assert_rarely_aborted(COMPARED, both, runs=600, few=20)


def test_a_regression_of_just_what_is_allowed_is_aborted_in_at_most_one_of_a_hundred_rollouts():
    allowed = TrafficModel(1000, 0.025, share=0.1, stable_rate=0.02)
    assert_rarely_aborted(Rule(0.10, max_regression=0.25), allowed, runs=500, few=20)


def test_bursts_abort_at_most_one_of_a_hundred_rollouts_when_the_stable_was_watched():
    bursts = TrafficModel(1000, 0.01, share=0.5, stable_rate=0.01, correlation=0.01, history=10)
    assert_rarely_aborted(COMPARED, bursts, runs=1000, few=40)


@pytest.mark.parametrize("correlation", [0.01, 0.05])
def test_nor_do_they_when_nobody_knows_the_stable(correlation):
    bursts = TrafficModel(1000, 0.01, share=0.5, stable_rate=0.01, correlation=correlation)
    assert_rarely_aborted(COMPARED, bursts, runs=1000, few=20)


def test_without_phi_the_same_bursts_abort_a_fifth_of_them():
    alone = TrafficModel(500, 0.01, correlation=0.01)
    assert simulated(ALONE, alone, runs=300, few=40, baking=True).aborted >= 0.15


def test_five_times_the_allowed_rate_is_found_at_fifty_requests_a_minute():
    found = simulated(ALONE, TrafficModel(50, 0.05))
    assert found.aborted == 1
    assert found.median_minutes <= 3


def test_twice_the_allowed_rate_is_found_at_a_thousand_requests_a_minute():
    found = simulated(ALONE, TrafficModel(1000, 0.02), baking=True)
    assert found.aborted == 1
    assert found.median_minutes <= 2


@pytest.mark.parametrize(
    ("history", "allowed", "minutes"), [(10, 0.01, 2), (10, 0.10, 2), (0, 0.01, 3), (0, 0.10, 7.1)]
)
def test_a_fivefold_regression_is_found_though_the_stable_is_bad_itself(history, allowed, minutes):
    """Soon where the stable was watched, whose failures come evenly; else it has to be told from bursts.

    A stable is called even after ten minutes, no longer after five (decision 0017): the last row took six minutes then.
    """
    worse = TrafficModel(1000, 0.10, share=0.1, stable_rate=0.02, history=history)
    found = simulated(Rule(allowed, max_regression=0.25), worse, runs=500, few=60, baking=True)
    assert found.aborted == 1
    assert found.median_minutes <= minutes


def test_a_twofold_regression_that_cannot_be_told_at_low_traffic_is_never_passed():
    found = simulated(COMPARED, TrafficModel(200, 0.01, share=0.1, stable_rate=0.005), runs=1000, few=40)
    assert found.promoted == 0
    assert found.inconclusive >= 0.98


def test_a_candidate_of_which_everything_fails_is_aborted_within_seconds():
    assert simulated(ALONE, TrafficModel(50, 1.0)).median_minutes <= 5 / 60


def test_a_good_candidate_is_promoted_as_soon_as_three_hundred_requests_allow():
    for per_minute, minutes in ((50, 6.5), (1000, 0.4)):
        found = simulated(ALONE, TrafficModel(per_minute, 0.002))
        assert found.promoted >= 0.99
        assert found.median_minutes <= minutes


def test_a_threshold_rule_aborts_a_healthy_service_or_misses_a_bad_one():
    chance = random.Random(20)
    healthy = tally(500, lambda: threshold_outcome(0.01, 0, TrafficModel(50, 0.003), chance))
    bad = tally(500, lambda: threshold_outcome(0.01, 5, TrafficModel(20, 0.025), chance))
    assert healthy.aborted > 0.7
    assert bad.promoted > 0.7
