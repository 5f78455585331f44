"""Rejected requests: a client's mistake hits both arms, a candidate that rejects what the stable accepts is failing."""

import random

import pytest

from modelyard.api.rollout_status import GateVerdict, Phase
from modelyard.core.analysis.client_errors import client_errors
from modelyard.core.analysis.gates import evaluate
from tests.support.worlds.gate_inputs import SLO, START, a_look, counts, mirrored, seconds

FAIL, PASS = GateVerdict.FAIL, GateVerdict.PASS


def judged(windows, **look):
    return client_errors(a_look(windows, slo=SLO, **look))


def test_mistakes_that_hit_both_arms_alike_are_held_against_nobody():
    gate = judged(seconds((600, counts(5, rejected=1), counts(5, rejected=1))), weight=50)

    assert gate.verdict is PASS
    assert (gate.requests, gate.failed_requests) == (gate.stable_requests, gate.stable_failed_requests) == (3000, 600)
    assert "600 of 3000 requests were rejected as the client's mistake (20 %); stable 600 of 3000" in gate.message


@pytest.mark.parametrize(("weight", "requests"), [(5, 6), (25, 10), (50, 19)])
def test_a_candidate_that_rejects_everything_is_out_after_a_few_requests(weight, requests):
    stable = counts(round(requests * (100 - weight) / weight))

    assert judged(seconds((1, counts(requests, rejected=requests), stable)), weight=weight).verdict is FAIL


def test_rejecting_everything_is_seen_among_the_mistakes_of_a_broken_client():
    gate = judged(seconds((4, counts(10, rejected=10), counts(50, rejected=10))), weight=17)

    assert gate.verdict is FAIL
    assert "rejects what the stable accepts: fails; its inputs" in gate.message


def test_fewer_rejections_than_may_fail_are_excused():
    assert judged(seconds((600, counts(500, rejected=1), counts(500))), weight=50).verdict is PASS


def test_counting_goes_on_from_the_status_and_counts_nothing_twice():
    windows = seconds((10, counts(5, rejected=1), counts(5, rejected=1)))
    first = judged(windows[:6], weight=50)

    second = judged(windows, weight=50, before=[first])

    assert (second.requests, second.failed_requests) == (50, 10)
    assert second == judged(windows, weight=50)


def test_what_came_before_the_weight_does_not_count():
    windows = seconds((20, counts(5, rejected=5), counts(5)))

    assert judged(windows, weight=50, since=START + 20).requests == 0


@pytest.mark.parametrize(("stable_rejects", "verdict"), [(0, FAIL), (4, PASS)])
def test_with_all_the_traffic_it_is_compared_to_the_stable_before_it(stable_rejects, verdict):
    windows = seconds((60, counts(0), counts(5, rejected=stable_rejects)), (4, counts(5, rejected=5), counts(0)))

    assert judged(windows, weight=100, phase=Phase.BAKING, since=START + 60).verdict is verdict


def test_a_client_that_breaks_while_it_bakes_does_not_end_it():
    windows = seconds((60, counts(0), counts(5)), (600, counts(10, rejected=3), counts(0)))

    assert judged(windows, weight=100, phase=Phase.BAKING, since=START + 60).verdict is PASS


def test_copies_of_requests_count_like_requests():
    look = a_look(
        mirrored((10, counts(5, rejected=5), counts(5))),
        phase=Phase.MIRRORING,
        weight=0,
        rollout={"strategy": "Shadow", "shadow": {"percent": 50}},
    )

    assert client_errors(look).verdict is FAIL


def test_a_canary_under_many_mistakes_passes_all_its_gates():
    windows = seconds((3600, counts(25, rejected=5), counts(25, rejected=5)))

    verdicts = {gate.name: gate.verdict for gate in evaluate(a_look(windows, weight=50, slo=SLO))}

    assert verdicts == dict.fromkeys(("latency", "errors", "clientErrors", "health", "sampleRatio"), PASS)


def test_bursts_of_mistakes_rarely_end_a_good_candidate():
    """At most one in a thousand: none of fifty, at a share where a coincidence costs most."""
    chance, failed = random.Random(7), 0
    for _ in range(50):
        windows = []
        for at in range(300):
            mistakes = 30 if chance.random() < 0.05 else 0
            mine = sum(chance.random() < 0.05 for _ in range(40))
            bad = sum(chance.random() < 0.05 for _ in range(mistakes))
            arms = counts(mine + bad, rejected=bad), counts(40 - mine + mistakes - bad, rejected=mistakes - bad)
            windows += seconds((1, *arms), start=START + at)
        failed += judged(tuple(windows)).verdict is FAIL

    assert failed == 0
