"""What is kept between looks: little, exact, and the same after a restart."""

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from modelyard.core.analysis.state import AnalysisState, FailedTest, Window, as_json, from_json
from modelyard.core.analysis.statistics.bursts import BurstEvidence
from modelyard.core.analysis.statistics.sequential_test import Rule, RuleVerdict, reset_for_step, update, verdict

RULE = Rule(0.01, max_regression=0.25)
START = 1_700_000_040


@some.composite
def arm(draw):
    requests = draw(some.integers(0, 60))
    return requests, draw(some.sampled_from([0, 0, 0, min(1, requests), requests // 3]))


windows = some.lists(some.tuples(arm(), arm(), some.integers(1, 90)), max_size=40)


def states(drawn, rule=RULE):
    state, now, seen = AnalysisState(), START, [AnalysisState()]
    for (requests, bad), (stable, stable_bad), step in drawn:
        now += step
        state = update(rule, state, Window(now, requests, bad, stable, stable_bad))
        seen.append(state)
    return seen


@given(windows)
def test_a_state_survives_json_to_the_byte(drawn):
    for state in states(drawn):
        assert from_json(json.loads(json.dumps(as_json(state)))) == state


@given(windows)
def test_windows_that_come_again_change_nothing(drawn):
    seen = states(drawn)
    now = START
    replayed = seen[-1]
    for (requests, bad), (stable, stable_bad), step in drawn:
        now += step
        replayed = update(RULE, replayed, Window(now, requests, bad, stable, stable_bad))
    assert replayed is seen[-1]


@given(windows, some.integers(0, 39))
def test_a_restart_anywhere_leads_to_the_same_end(drawn, cut):
    straight = states(drawn)
    now, state = START, AnalysisState()
    for number, ((requests, bad), (stable, stable_bad), step) in enumerate(drawn):
        if number == cut:
            state = from_json(json.loads(json.dumps(as_json(state))))
        now += step
        state = update(RULE, state, Window(now, requests, bad, stable, stable_bad))
    assert state == straight[-1]
    assert verdict(RULE, state) is verdict(RULE, straight[-1])


@given(some.lists(arm(), min_size=1, max_size=30), some.randoms())
def test_the_order_of_windows_does_not_change_what_is_counted(arms, shuffler):
    def counted(order):
        final = states([(one, (one[0], 0), 1) for one in order])[-1]
        return final.requests, final.bad, final.stable_requests, final.stable_bad

    shuffled = list(arms)
    shuffler.shuffle(shuffled)
    assert counted(arms) == counted(shuffled)


def test_a_state_takes_less_than_800_bytes_after_ten_million_requests():
    chance = random.Random(8)
    drawn = [((2800, chance.randrange(40)), (2800, chance.randrange(40)), 1) for _ in range(3600)]
    state = states(drawn, Rule(0.1, max_regression=0.25))[-1]

    assert state.requests + state.stable_requests > 10**7
    troubled = states([((2800, 900), (2800, 900), 1)] * 30 + [((2800, 0), (2800, 1), 1)] * 50, Rule(0.1))[-1]
    held = replace(state, stable_out=troubled.stable_out, run=troubled.run)
    assert held.stable_out
    assert held.run.requests > 10**5
    assert len(json.dumps(as_json(held), separators=(",", ":"))) < 800


def test_a_new_step_begins_without_evidence_and_with_the_stables_habits():
    worn = states([((50, 25), (900, 3), 1)] * 80)[-1]
    assert worn.failed is not FailedTest.NONE

    fresh = reset_for_step(worn)

    assert verdict(RULE, fresh) is RuleVerdict.INCONCLUSIVE
    assert (fresh.requests, fresh.bad, fresh.stable_requests, fresh.stable_bad, fresh.share) == (0, 0, 0, 0, 0)
    assert (fresh.dispersion, fresh.evenness, fresh.end) == (worn.dispersion, worn.evenness, worn.end)
    assert fresh.history == worn.history == ((60 * 900, 60 * 3),)
    assert fresh.bursts == BurstEvidence(before=(20 * 900, 20 * 3))
    assert sum(bucket[0] for bucket in fresh.recent.buckets) == 0
    assert sum(bucket[2] for bucket in fresh.recent.buckets) == 80 * 900


def test_of_the_stable_the_last_ten_minutes_are_remembered_in_which_it_had_requests():
    spans = [((0, 0), (100 + minute, minute % 2), 1) for minute in range(15) for _ in range(60)]
    state = states([*spans, ((0, 0), (0, 0), 90), ((0, 0), (7, 0), 60)])[-1]
    assert [requests for requests, _ in state.history] == [60 * (100 + minute) for minute in range(5, 15)]
    assert {bad for _, bad in state.history} == {0, 60}


def test_a_state_of_an_earlier_version_is_not_read_as_one_of_this():
    stored = {**as_json(states([((50, 5), (900, 3), 1)] * 80)[-1]), "bursts": [1.0, 2.0]}
    with pytest.raises(ValueError, match="2 numbers are not the"):
        from_json(stored)


@pytest.mark.parametrize("counts", [(1, 2, 0, 0), (0, 0, 3, 4), (5, -1, 0, 0)])
def test_counts_that_cannot_be_are_refused(counts):
    with pytest.raises(ValueError, match="more bad requests than requests"):
        Window(START, *counts)
