"""A rollout knows the stable's last minutes: those of this stable, and by the objectives that are asked about now."""

import pytest

from modelyard.api.rollout_status import GateVerdict
from modelyard.core.analysis.gates import evaluate, reset_gates
from modelyard.core.analysis.state import from_json
from modelyard.core.traffic import NO_TRAFFIC, TrafficWindow
from tests.support.worlds.gate_inputs import SLO, START, a_look, counts, seconds

TWENTY = 20
REQUESTS = 900


def at_rest(minutes, errors=0, slow=0):
    """The stable alone, in slices of twenty seconds that end at START."""
    began, stable = START - 60 * minutes, counts(REQUESTS, errors, slow)
    ends = range(began + TWENTY, START + 1, TWENTY)
    return tuple(TrafficWindow(end, TWENTY, {"a": stable, "b": NO_TRAFFIC}) for end in ends)


def known(name, slices, **look):
    """What a gate remembers of the stable's minutes."""
    gate = next(one for one in evaluate(a_look(slices, **{"slo": SLO, **look})) if one.name == name)
    return from_json(gate.state).history


STEP = seconds((5, counts(5, slow=2), counts(45)))


def test_slices_at_rest_are_the_minutes_a_rollout_begins_with():
    assert known("errors", at_rest(10) + STEP) == ((3 * REQUESTS, 0),) * 10
    assert known("latency", at_rest(10, slow=2) + STEP) == ((3 * REQUESTS, 6),) * 10
    assert known("latency", at_rest(30) + STEP) == ((3 * REQUESTS, 0),) * 10


def test_without_slices_it_begins_with_none():
    assert known("latency", STEP) == ()


def test_another_stable_had_no_such_minutes():
    assert known("latency", at_rest(10) + STEP, watched=START - 180) == ((3 * REQUESTS, 0),) * 3
    assert known("latency", at_rest(10) + STEP, watched=START) == ()


@pytest.mark.parametrize(("threshold", "late"), [("100ms", 0), ("50ms", 6)])
def test_they_are_counted_by_the_threshold_that_is_promised_now(threshold, late):
    within = {25.0: REQUESTS - 2, 50.0: REQUESTS - 2, 100.0: REQUESTS}
    stable = counts(REQUESTS)._replace(within=within)
    slices = tuple(TrafficWindow(one.end, one.seconds, {"a": stable}) for one in at_rest(3))
    slo = {"latency": {"percentile": 99, "threshold": threshold}}
    assert known("latency", slices + STEP, slo=slo) == ((3 * REQUESTS, late),) * 3


def test_another_threshold_in_the_middle_of_a_rollout_forgets_them():
    before = evaluate(a_look(at_rest(10) + STEP, slo=SLO))
    laxer = {"latency": {"percentile": 99, "threshold": "200ms"}}
    assert known("latency", STEP, before=before, slo=laxer) == ()


def test_another_rate_in_the_middle_of_a_rollout_forgets_what_was_proven_and_keeps_them():
    before = evaluate(a_look(at_rest(10) + STEP, slo=SLO))
    laxer = evaluate(a_look(STEP, before=before, slo={**SLO, "errorRate": "5%"}))[1]
    same = evaluate(a_look(STEP, before=before, slo=SLO))[1]
    assert (laxer.requests, same.requests) == (0, 25)
    assert from_json(laxer.state).history == from_json(same.state).history == ((3 * REQUESTS, 0),) * 10


def test_the_next_step_knows_the_minutes_of_the_one_before():
    first = seconds((120, counts(5), counts(45)))
    before = reset_gates(evaluate(a_look(at_rest(10) + first, slo=SLO)))
    next_step = {"since": START + 120, "before": before}
    step = seconds((5, counts(5), counts(45)), start=START + 120)
    assert known("errors", first + step, **next_step) == ((3 * REQUESTS, 0),) * 8 + ((60 * 45, 0),) * 2


def late_ones_are_out(history, seconds_long):
    found = evaluate(a_look(history + seconds((seconds_long, counts(3, slow=1), counts(45))), slo=SLO))
    return found[0].verdict is GateVerdict.FAIL


def test_after_ten_clean_minutes_a_candidate_of_which_a_third_is_late_is_out_within_twenty_seconds():
    assert late_ones_are_out(at_rest(10), 20)
    assert not late_ones_are_out((), 20)
