"""What the gates promise, simulated from the gateway's counts to the verdict: seeds are fixed, slices are seconds.

`test_proof.py` simulates the tests by the thousand; here the same cases go through `judge`, in 15 runs, one row in
40, and in as many as a row says with MODELYARD_PROOF=1. A row of false aborts fails when its count would be a one in
a thousand surprise at 1 %.
"""

import random
from itertools import islice
from statistics import median

import pytest
from scipy import stats

from modelyard.api.rollout_status import GateVerdict, Phase
from modelyard.core.analysis.gates import evaluate
from modelyard.core.analysis.statistics.simulation import TrafficModel, windows
from modelyard.core.traffic import Counts, TrafficWindow
from tests.support.repository.proof import PROOF
from tests.support.worlds.gate_inputs import START, a_look

FAIL, PASS = GateVerdict.FAIL, GateVerdict.PASS
BAKING = {"weight": 100, "phase": Phase.BAKING, "rollout": {"strategy": "BlueGreen"}}
"""One question at one weight: it has all of alpha."""
KEPT = 600
FEW = 15


def at_weight(weight, **spec):
    return {"weight": weight, "rollout": {"strategy": "Canary", "steps": [{"weight": weight}]}, **spec}


def counted(traffic, minutes, dice, history=0):
    """Slices of the simulated traffic; the stable alone for as many minutes before START."""
    before = windows(TrafficModel(traffic.per_minute, 0.0, 0.0, traffic.stable_rate, traffic.correlation), dice, 60)
    during = windows(traffic, dice, 60)
    spans = [(START - 60 * history, before, 60 * history), (START, during, 60 * minutes)]
    return tuple(
        TrafficWindow(began + at, 1, {"b": arm(one.requests, one.bad), "a": arm(one.stable_requests, one.stable_bad)})
        for began, drawn, length in spans
        for at, one in enumerate(islice(drawn, length), 1)
    )


def arm(requests, bad):
    return Counts(requests, bad, requests, {})


def errors(slices, **look):
    return next(one for one in evaluate(a_look(slices, **look)) if one.name == "errors")


def judged(traffic, look, *, runs, few=FEW, minutes=30, history=0, seed=20):
    """The errors gate after a rollout, and the minutes until it failed (None: it did not), for every run.

    A failure is final and keeps the second it happened in, so one look at the end tells what a look every second
    would have told.
    """
    runs = runs if PROOF else min(runs, few)
    dice = random.Random(seed)
    ended = [errors(counted(traffic, minutes, dice, history), **look) for _ in range(runs)]
    took = [(one.state["windowEnd"] - START) / 60 if one.verdict is FAIL else None for one in ended]
    print(f"\n{traffic}: {sum(one is not None for one in took)} of {runs} failed, minutes {took[:10]}")
    return took


def rarely(took):
    failed = [one for one in took if one is not None]
    return len(failed) <= stats.binom.ppf(0.999, len(took), 0.01)


def surely(took, minutes):
    return None not in took and median(took) <= minutes


@pytest.mark.parametrize(("per_minute", "runs"), [(50, 25), (200, 25), (1000, 20)])
def test_a_candidate_at_the_limit_is_rarely_failed(per_minute, runs):
    assert rarely(judged(TrafficModel(per_minute, 0.01), BAKING, runs=runs))


def test_bursts_rarely_fail_a_candidate_when_the_stable_was_watched():
    bursts = TrafficModel(1000, 0.01, share=0.5, stable_rate=0.01, correlation=0.01)
    assert rarely(judged(bursts, at_weight(50), runs=20, history=10))


def test_without_the_stables_habits_bursts_fail_many():
    bursts = TrafficModel(500, 0.01, correlation=0.01)
    assert not rarely(judged(bursts, BAKING, runs=40, few=40))


def test_five_times_the_allowed_rate_is_found_at_fifty_requests_a_minute():
    assert surely(judged(TrafficModel(50, 0.05), BAKING, runs=40), 3.0)


def test_twice_the_allowed_rate_is_found_at_a_thousand_requests_a_minute():
    assert surely(judged(TrafficModel(1000, 0.02), BAKING, runs=20, minutes=15), 2.0)


def test_a_fivefold_regression_is_found_though_the_stable_is_bad_itself():
    worse = TrafficModel(1000, 0.10, share=0.1, stable_rate=0.02)
    assert surely(judged(worse, at_weight(10), runs=20, minutes=15, history=10), 2.0)
    assert surely(judged(worse, at_weight(10), runs=20, few=8, minutes=15), 5.0)


def test_a_twofold_regression_that_cannot_be_told_at_low_traffic_is_never_passed():
    said = {one.verdict for one in looked_at_every_minute(TrafficModel(200, 0.01, 0.1, 0.005), at_weight(10), runs=10)}
    assert said == {GateVerdict.CONTINUE}


def test_a_good_candidate_passes_as_soon_as_its_requests_allow():
    looks = looked_at_every_minute(TrafficModel(1000, 0.001, 0.1, 0.001), at_weight(10), runs=3, minutes=15)
    assert [one.verdict for one in looks[14::15]] == [PASS] * 3


def test_a_candidate_of_which_everything_fails_is_failed_within_two_seconds():
    took = judged(TrafficModel(3000, 1.0, share=0.05, stable_rate=0.001), at_weight(5), runs=20, minutes=1)
    assert max(took) <= 3 / 60
    assert median(took) <= 2 / 60


def looked_at_every_minute(traffic, look, *, runs, minutes=30):
    """Every answer of the gate, carried from look to look as a status does; slices are kept for ten minutes."""
    dice = random.Random(20)
    answers = []
    for _ in range(runs):
        slices = counted(traffic, minutes, dice)
        before = []
        for newest in range(60, 60 * minutes + 1, 60):
            before = [errors(slices[max(0, newest - KEPT) : newest], before=before, **look)]
            answers.append(before[0])
    return answers
