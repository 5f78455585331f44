"""Evidence in spite of bursts: likelihood ratios that no law of bursts brings about too often."""

import math

import numpy as np
import pytest
from scipy import stats

from modelyard.core.analysis.statistics import burst_laws, bursts
from modelyard.core.analysis.statistics.bursts import BurstEvidence

LEVEL = math.log(200.0)
RATIO = 1.25


def step(*minutes, allowed=0.01, ratio=RATIO, evidence=None):
    """log e after closed minutes of (requests, bad, stable's requests, stable's bad), of which the last is open."""
    evidence = evidence or BurstEvidence()
    for minute in minutes[:-1]:
        evidence = evidence.with_minute(minute, allowed, ratio)
    counts = sum(minute[0] for minute in minutes), sum(minute[1] for minute in minutes)
    return evidence.log_e(counts, tuple(reversed(minutes[-5:])), allowed, ratio)


def minutes_until_proven(*minute, allowed=0.01):
    """Equal minutes it takes until e >= 200; none within an hour: 61."""
    return next((count for count in range(1, 61) if step(*[minute] * count, allowed=allowed) >= LEVEL), 61)


@pytest.mark.parametrize("allowed", [0.001, 0.01, 0.05, 0.3])
@pytest.mark.parametrize("correlation", burst_laws.CORRELATIONS)
@pytest.mark.parametrize("requests", [1, 40, 900])
def test_a_minute_of_a_burst_has_a_mean_e_of_one_at_most(allowed, correlation, requests):
    size = 1.0 / correlation - 1.0
    law = stats.betabinom(requests, allowed * size, (1.0 - allowed) * size)
    e_values = [math.exp(step((requests, bad, 0, 0), allowed=allowed, ratio=None)) for bad in range(requests + 1)]
    assert (law.pmf(np.arange(requests + 1)) * e_values).sum() <= 1.0


@pytest.mark.parametrize("correlation", bursts.PART_CORRELATIONS)
def test_a_minute_that_hits_one_arm_alone_has_a_mean_e_of_one_at_most(correlation):
    size = 1.0 / correlation - 1.0
    bad = np.arange(61)
    sides = stats.betabinom(60, size / 2.0, size / 2.0).pmf(bad)
    e_values = [math.exp(step((10**6, one, RATIO * 10**6, 60 - one))) for one in bad]
    assert (sides * e_values).sum() <= 1.0


def test_one_bad_minute_is_a_burst_however_many_requests_it_has():
    for requests in (100, 10_000, 1_000_000):
        assert step((requests, requests // 10, requests, 0)) < LEVEL


def test_bad_minutes_that_are_alike_are_none():
    assert minutes_until_proven(1000, 50, 1000, 5) == 3
    assert minutes_until_proven(30_000, 600, 30_000, 150) == 3
    assert minutes_until_proven(50, 3, 50, 0) <= 7


def test_what_hits_both_arms_at_once_is_no_regression():
    both = [(1000, 10, 1000, 10), (1000, 80, 1000, 75), (1000, 0, 1000, 1), (1000, 30, 1000, 33)] * 8
    assert step(*both, allowed=0.1) < 0


@pytest.mark.parametrize(("requests", "others"), [(1000, 1000), (100, 1900), (1900, 100)])
def test_a_candidate_that_keeps_its_objective_but_is_ten_times_as_bad_as_the_stable_is_found_at_any_share(
    requests, others
):
    assert minutes_until_proven(requests, requests // 20, others, others // 200, allowed=0.1) <= 14


def test_minutes_in_which_only_the_candidate_is_hit_are_tosses_of_a_coin():
    one_sided = [(1000, bad, 1000, 0) for bad in (90, 1, 300, 12, 700, 2, 45, 150, 8, 60, 3, 30)]
    assert step(*one_sided[:6], allowed=0.3) < LEVEL
    assert step(*one_sided, allowed=0.3) >= LEVEL


def test_a_candidate_of_which_everything_fails_needs_no_minute():
    assert step((1, 1, 50, 0)) < LEVEL <= step((2, 2, 50, 0))
    assert step((2, 2, 50, 0), allowed=0.05) < LEVEL <= step((3, 3, 50, 0), allowed=0.05)


def test_one_that_fails_altogether_within_a_good_minute_is_found_too():
    good = BurstEvidence().with_window(5000, 0, 0.01)
    assert good == BurstEvidence()
    broken = good
    for _ in range(20):
        broken = broken.with_window(1, 1, 0.01)
    assert step((5020, 20, 9000, 0), evidence=good) < LEVEL <= step((5020, 20, 9000, 0), evidence=broken)
    assert broken.with_window(200, 0, 0.01).streak == 0


def test_a_burst_of_less_than_a_third_is_no_streak_however_large():
    assert BurstEvidence().with_window(100_000, 30_000, 0.01).streak == 0
    assert BurstEvidence().with_window(100, 95, 0.45).streak > 0


def test_what_the_stable_had_in_the_minute_before_the_step_is_not_compared():
    before = BurstEvidence(before=(500, 100))
    assert before.with_minute((100, 5, 600, 105), 0.01, RATIO).parts == (4.0, 5.0)
    assert before.with_minute((100, 5, 500, 100), 0.01, RATIO).parts == (0.0, 0.0)
    assert before.with_minute((100, 5, 500, 100), 0.01, RATIO).before == (0, 0)


def test_at_equal_exposure_the_larger_arm_counts_in_part():
    assert bursts.at_equal_exposure((100, 4, 500, 8), 1.25) == (4.0, 2.0)
    assert bursts.at_equal_exposure((400, 8, 100, 3), 1.25) == (1.6, 3.0)
    assert bursts.at_equal_exposure((0, 0, 100, 3), 1.25) == bursts.at_equal_exposure((9, 1, 0, 0), 1.25) == (0.0, 0.0)


def test_evidence_that_began_anew_has_to_be_stronger():
    minutes = [(1000, 50, 1000, 5)] * 3
    once, twice = BurstEvidence().restarted(), BurstEvidence().restarted().restarted()
    lost = step(*minutes) - step(*minutes, evidence=once)
    assert lost == pytest.approx(math.log(2.0), abs=0.1)
    assert step(*minutes) - step(*minutes, evidence=twice) == pytest.approx(math.log(6.0), abs=0.3)


def test_nothing_seen_is_no_evidence():
    assert BurstEvidence().log_e((0, 0), (), 0.01, RATIO) == pytest.approx(math.log(1.75), abs=0.01)
    assert step((1000, 0, 1000, 3)) < -5


def counted(chance_of_bad, seed, minutes=10):
    """What is known after minutes of 3,000 requests, each of its own drawn bad rate."""
    chance, known, past = np.random.default_rng(seed), 0.0, []
    for _ in range(minutes):
        minute = (0, 0, 3000, int(chance.poisson(3000 * chance_of_bad(chance))))
        known = bursts.evenness(known, minute, past)
        past = [minute, *past][:4]
    return known


def test_independent_failures_show_themselves_even_within_ten_minutes():
    shown = [counted(lambda _: 0.01, seed) >= bursts.EVEN for seed in range(40)]
    assert sum(shown) >= 36


@pytest.mark.parametrize("correlation", [0.01, 0.05])
def test_bursts_do_not(correlation):
    size = 1.0 / correlation - 1.0
    shown = [counted(lambda chance: chance.beta(0.01 * size, 0.99 * size), seed, 60) > 0 for seed in range(40)]
    assert not any(shown)


def test_nothing_is_known_of_a_stable_without_failures_and_habits_that_change_are_noticed():
    assert bursts.evenness(0.0, (0, 0, 3000, 30), [(0, 0, 3000, 0)]) == 0.0
    assert bursts.evenness(3.0, (0, 0, 0, 0), [(0, 0, 3000, 9)]) == 3.0
    steady = [(0, 0, 3000, 30)] * 4
    assert bursts.evenness(12.0, (0, 0, 3000, 30), steady) == 12.0
    assert bursts.evenness(12.0, (0, 0, 3000, 200), steady) < 0


def test_the_numbers_that_are_kept_come_back():
    numbers = iter(range(100))
    rate, known, part = (tuple(float(next(numbers)) for _ in laws) for laws in (range(4), burst_laws.LAWS, range(5)))
    full = BurstEvidence(rate, known, part, (10.0, 11.5), 12.0, (13, 14), 15)
    assert BurstEvidence.from_list(full.as_list()) == full
    assert BurstEvidence.from_list(BurstEvidence().as_list()) == BurstEvidence()


def test_numbers_that_another_version_kept_are_refused():
    with pytest.raises(ValueError, match="15 numbers are not the 31"):
        BurstEvidence.from_list([0.0] * 15)
