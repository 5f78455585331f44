"""The share check: the candidate gets what its weight says, or the evidence waits."""

import random

import pytest
from scipy import stats

from modelyard.api.rollout_status import GateVerdict, Phase
from modelyard.core.analysis.sample_ratio import chance, sample_ratio
from modelyard.core.traffic import TrafficWindow
from tests.support.worlds.gate_inputs import START, a_look, counts, seconds

HOLD, PASS = GateVerdict.HOLD, GateVerdict.PASS


def routed(weight, per_second, length, seed=3, start=START):
    """Every request goes to the candidate with the chance of the weight."""
    dice = random.Random(seed)
    drawn = [sum(dice.random() < weight / 100 for _ in range(per_second)) for _ in range(length)]
    each = [(counts(own), counts(per_second - own)) for own in drawn]
    return tuple(TrafficWindow(start + at, 1, {"b": mine, "a": other}) for at, (mine, other) in enumerate(each, 1))


@pytest.mark.parametrize("weight", [1, 5, 25, 50, 99])
@pytest.mark.parametrize("per_second", [2, 30])
def test_requests_routed_by_the_weight_agree_with_it_at_every_look(weight, per_second):
    slices = routed(weight, per_second, 400)
    for newest in range(1, 401, 7):
        assert sample_ratio(a_look(slices[:newest], weight=weight)).verdict is PASS


@pytest.mark.parametrize(("weight", "observed"), [(5, 25), (25, 5), (50, 40), (5, 1), (1, 5)])
def test_another_share_than_the_weights_is_held(weight, observed):
    found = sample_ratio(a_look(routed(observed, 50, 120), weight=weight))
    assert found.verdict is HOLD
    assert "SampleRatioMismatch" in found.message
    assert f"weight is {weight} %" in found.message
    assert found.requests + found.stable_requests > 5000


def test_a_candidate_that_gets_nothing_at_all_is_held_once_there_were_five_hundred_requests():
    nothing = seconds((100, counts(0), counts(10)))
    assert sample_ratio(a_look(nothing[:51], weight=50)).verdict is PASS
    assert sample_ratio(a_look(nothing[:52], weight=50)).verdict is HOLD


def test_the_first_two_seconds_of_a_weight_do_not_count():
    settling = seconds((2, counts(0), counts(5000)), (20, counts(25), counts(25)))
    assert sample_ratio(a_look(settling, weight=50)).verdict is PASS
    assert sample_ratio(a_look(settling, weight=50, since=START - 2)).verdict is HOLD


def test_requests_from_before_the_slot_was_the_stables_do_not_count():
    earlier = seconds((60, counts(0), counts(50)), (60, counts(25), counts(25)))
    assert sample_ratio(a_look(earlier, weight=50, watched=START + 60)).verdict is PASS


def test_a_share_that_was_mended_agrees_again_after_twenty_thousand_requests():
    mended = (*routed(5, 200, 100), *routed(50, 200, 100, start=START + 100))
    assert sample_ratio(a_look(mended[:100], weight=50)).verdict is HOLD
    assert sample_ratio(a_look(mended, weight=50)).verdict is PASS


def test_without_traffic_there_is_nothing_to_disagree_about():
    found = sample_ratio(a_look(weight=50))
    assert found.verdict is PASS
    assert found.message.startswith("share: 0 requests so far")


def test_seconds_that_go_to_one_side_as_a_whole_count_as_few_choices():
    bursts = seconds(*[(1, counts(40), counts(0)), (1, counts(0), counts(40))] * 20, (12, counts(40), counts(0)))
    assert sample_ratio(a_look(bursts, weight=50)).verdict is PASS


def test_of_an_ab_test_whole_users_go_to_one_side_so_only_gross_differences_count():
    uneven, gross = routed(40, 100, 120), routed(10, 100, 120)
    assert sample_ratio(a_look(uneven, weight=50)).verdict is HOLD
    assert sample_ratio(a_look(uneven, weight=50, phase=Phase.SPLITTING)).verdict is PASS
    assert sample_ratio(a_look(gross, weight=50, phase=Phase.SPLITTING)).verdict is HOLD


@pytest.mark.parametrize(("requests", "mine", "weight"), [(1000, 80, 0.05), (4000, 2100, 0.5), (600, 6, 0.01)])
def test_the_chance_is_that_of_a_chi_square_of_half_as_many_requests(requests, mine, weight):
    observed = [mine / 2, (requests - mine) / 2]
    expected = [requests * weight / 2, requests * (1 - weight) / 2]
    assert chance([(requests, mine)], weight) == pytest.approx(stats.chisquare(observed, expected).pvalue)
