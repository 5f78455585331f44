"""The gates that count: what their verdicts and sentences say, and that no second is counted twice."""

import json
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from modelyard.api.rollout_status import GateStatus, GateVerdict, Phase
from modelyard.core.analysis.gates import evaluate, reset_gates
from modelyard.core.traffic import NO_TRAFFIC
from tests.support.worlds.gate_inputs import SLO, START, a_look, counts, mirrored, seconds

CONTINUE, FAIL, HOLD, PASS = GateVerdict.CONTINUE, GateVerdict.FAIL, GateVerdict.HOLD, GateVerdict.PASS
NO_DATA, PROVIDER_ERROR = GateVerdict.NO_DATA, GateVerdict.PROVIDER_ERROR
SPLIT = (counts(5), counts(95))


def gate(name, slices=(), **look):
    return next(one for one in evaluate(a_look(slices, **look)) if one.name == name)


def errors(*spans, **look):
    return gate("errors", seconds(*spans), **look)


def latency(*spans, **look):
    return gate("latency", seconds(*spans), **{"slo": SLO, **look})


def through_json(status):
    return GateStatus.model_validate_json(status.model_dump_json(by_alias=True))


def test_a_failure_tells_what_was_counted_what_is_allowed_and_how_sure_it_is():
    found = errors((60, *SPLIT), (9, counts(5, errors=5), counts(95)), slo={"errorRate": "0.1%"})
    assert found.verdict is FAIL
    assert found.message.startswith("errors: 5 of 305 requests failed (1.64 %), allowed 0.1 %; stable 0 of 5795; ")
    assert found.message.endswith(f"evidence against {found.evidence_against:.0f} of 800 needed: fails.")
    assert found.evidence_against >= found.fail_threshold == 800


def test_what_was_not_promised_is_called_the_default():
    assert "allowed 1 % (the default of slo.errorRate)" in errors((1, *SPLIT)).message


def test_late_answers_fail_like_errors():
    found = latency((20, counts(5, slow=3), counts(95)))
    assert found.verdict is FAIL
    assert "answers took longer than 100 ms" in found.message


def test_a_threshold_between_two_bounds_is_judged_at_the_lower_one_and_says_so():
    between = {"latency": {"percentile": 99, "threshold": "80ms"}}
    found = latency((20, counts(5), counts(95)), slo=between)
    assert "took longer than 75 ms, allowed 1 % (80 ms is no bound of the gateway's buckets" in found.message


def test_a_threshold_below_every_bound_is_held_and_says_what_to_do():
    found = latency((20, *SPLIT), slo={"latency": {"percentile": 99, "threshold": "1ms"}})
    assert (found.verdict, found.reason) == (HOLD, "ThresholdTooLow")
    assert "counts no answers below 25 ms" in found.message
    assert "set slo.latency.threshold to 25ms or more" in found.message


def test_a_gate_that_does_not_hold_gives_no_reason_beside_its_name():
    assert latency((20, *SPLIT)).reason == ""
    assert errors((20, counts(5), counts(95, errors=60))).reason == ""


def test_a_regression_is_told_as_one():
    worse = errors((200, counts(50, errors=5), counts(450, errors=9)), slo={"errorRate": "10%"}, weight=10)
    assert worse.verdict is FAIL
    assert "its bad rate is more than 1.25 times the stable's, evidence against" in worse.message


def test_a_regression_that_keeps_the_objective_with_room_does_not_look_like_a_threat():
    fine = errors((30, counts(1000, errors=1), counts(1000)), weight=50)
    assert fine.verdict is PASS
    assert fine.evidence_against < fine.fail_threshold


def test_a_candidate_that_breaks_late_fails_by_its_burn_rate():
    baking = {"weight": 100, "phase": Phase.BAKING}
    served = gate("errors", seconds((1500, counts(500), NO_TRAFFIC)), **baking)
    assert served.verdict is PASS
    broken = seconds((600, counts(0), NO_TRAFFIC), (100, counts(2, errors=2), NO_TRAFFIC), start=START + 1500)
    found = gate("errors", broken, before=[served], **baking)
    assert found.verdict is FAIL
    assert "in the last 5 min 10 of 10 were bad" in found.message


def test_a_pass_tells_its_evidence():
    found = errors((240, *SPLIT))
    assert found.verdict is PASS
    assert found.evidence_for >= found.pass_threshold == 1000
    assert found.message.endswith(f"evidence for it {found.evidence_for:.0f} of 1000 needed: passes.")


def test_an_undecided_gate_tells_how_many_requests_and_how_much_time_it_needs():
    found = errors((60, *SPLIT))
    assert found.verdict is CONTINUE
    assert found.eta == pytest.approx(110, abs=30)
    missing = int(re.search(r"undecided: needs about (\d+) more requests, 2 min at 5/s\.$", found.message)[1])
    assert found.eta == math.ceil(missing / 5)


def test_an_eta_beyond_the_rollouts_end_offers_what_can_be_done():
    slow = seconds(*[(29, counts(0), counts(1)), (1, counts(1), counts(0))] * 4)
    found = gate("errors", slow, rollout={"maxDuration": "30m"})
    assert found.verdict is CONTINUE
    assert "at 2/min, longer than maxDuration (30 min): send traffic, use rollout.loadTest" in found.message


def test_before_the_first_request_only_the_number_is_known():
    found = gate("errors", weight=5)
    assert (found.verdict, found.eta) == (CONTINUE, None)
    assert found.message.endswith("more requests.")


def test_a_bad_rate_that_neither_passes_nor_fails_yet_promises_nothing():
    found = errors((10, *SPLIT), (1, counts(50, errors=2), counts(95)), slo={"errorRate": "1%"})
    assert (found.verdict, found.eta) == (CONTINUE, None)
    assert "no pass is in sight" in found.message


def test_a_stable_that_misses_the_objective_itself_holds():
    found = errors((60, *SPLIT), (30, counts(5, errors=1), counts(95, errors=19)))
    assert found.verdict is HOLD
    assert "the stable itself misses the objective (570 of 8550 in the last 5 min)" in found.message


def test_a_candidate_without_a_request_for_half_a_minute_is_not_judged_but_told():
    quiet = seconds((60, counts(0), counts(95)))
    assert gate("errors", quiet[:29]).verdict is CONTINUE
    found = gate("errors", quiet[:30])
    assert found.verdict is NO_DATA
    assert "for 30 s though it should get 5 % of the traffic: send traffic, use rollout.loadTest" in found.message


def test_no_requests_at_all_are_no_traffic_after_half_a_minute():
    nothing = counts(0), counts(0)
    assert errors((29, *nothing)).verdict is CONTINUE
    assert errors((30, *nothing)).verdict is NO_DATA


def test_what_nobody_counted_is_not_called_silence():
    before = [through_json(errors((100, *SPLIT)))]
    away = gate("errors", before=before, now=START + 700)
    assert away.verdict is CONTINUE
    assert "no request reached" not in away.message
    back = gate("errors", seconds((3, counts(0), counts(0)), start=START + 697), before=before)
    assert back.verdict is CONTINUE


def test_after_an_outage_old_counts_are_not_called_the_last_minutes():
    trouble = through_json(errors((120, counts(2), counts(50, errors=9)), weight=50))
    assert "in the last 5 min), which is not held against" in trouble.message
    later = gate("errors", before=[trouble], now=START + 120 + 1200, weight=50)
    assert later.verdict is HOLD
    assert "in the 5 min that ended 20 min ago), which is not held against" in later.message


def test_silence_is_measured_from_the_last_request():
    found = errors((100, *SPLIT), (30, counts(0), counts(95)))
    assert found.verdict is NO_DATA
    assert errors((100, *SPLIT), (29, counts(0), counts(95))).verdict is CONTINUE


def test_after_a_restart_silence_begins_with_what_was_counted_last():
    before = [through_json(errors((100, *SPLIT)))]
    assert gate("errors", before=before, now=START + 125).verdict is CONTINUE
    begun = seconds((5, counts(0), counts(95)), start=START + 140)
    assert gate("errors", begun, before=before).verdict is CONTINUE


def test_little_traffic_and_a_small_weight_are_given_longer():
    rare = [(9, counts(0), counts(0)), (1, counts(0), counts(10))]
    assert errors(*rare * 4).verdict is CONTINUE
    assert errors(*rare * 9).verdict is NO_DATA
    hardly = [(59, counts(0), counts(0)), (1, counts(0), counts(1))]
    assert errors(*hardly * 4).verdict is CONTINUE
    assert errors(*hardly * 5).verdict is NO_DATA


def test_while_it_bakes_no_traffic_is_nothing_to_wait_for():
    baking = {"weight": 100, "phase": Phase.BAKING}
    found = errors((60, counts(0), counts(0)), **baking)
    assert (found.verdict, found.eta) == (CONTINUE, None)
    assert found.message.endswith("nothing speaks against the candidate so far.")
    assert "stable" not in found.message


def test_while_it_bakes_the_stables_past_excuses_nothing():
    trouble = seconds((120, counts(50, errors=2), counts(50, errors=9)))
    held = gate("errors", trouble, weight=50)
    assert held.verdict is HOLD
    broken = seconds((5, counts(100, errors=50), counts(3, errors=3)), start=START + 120)
    found = gate("errors", broken, weight=100, phase=Phase.BAKING, since=START + 120, before=reset_gates([held]))
    assert found.verdict is FAIL
    assert found.stable_requests == 0


def test_a_weight_that_is_not_on_yet_is_no_silence():
    found = errors((60, counts(0), counts(95)), weight=0)
    assert found.verdict is CONTINUE
    assert found.message.endswith("it has no traffic yet.")


def test_counters_that_do_not_come_for_five_seconds_are_waited_for():
    slices = seconds((60, *SPLIT))
    down = {"outage": "connection refused by 10.0.0.7."}
    assert gate("errors", slices, now=START + 65, **down).verdict is CONTINUE
    found = gate("errors", slices, now=START + 66, **down)
    assert found.verdict is PROVIDER_ERROR
    assert "have not come for 6 s (connection refused by 10.0.0.7)" in found.message
    assert gate("errors", slices, now=START + 66).verdict is CONTINUE


def test_counters_that_never_came_are_waited_for_after_ten_seconds():
    assert gate("errors", now=START + 10, outage="no gateway").verdict is CONTINUE
    assert gate("errors", now=START + 11, outage="no gateway").verdict is PROVIDER_ERROR


def test_an_outage_delays_a_pass_but_no_failure():
    down = {"now": START + 400, "outage": "timed out"}
    assert errors((240, *SPLIT), **down).verdict is PROVIDER_ERROR
    assert errors((60, *SPLIT), (10, counts(5, errors=5), counts(95)), **down).verdict is FAIL


def test_after_an_outage_it_goes_on():
    slices = seconds((60, *SPLIT))
    during = gate("errors", slices, now=START + 130, outage="timed out")
    later = (*slices, *seconds((200, *SPLIT), start=START + 130))
    assert during.verdict is PROVIDER_ERROR
    assert gate("errors", later, before=[during]).verdict is PASS


def test_mirrored_requests_are_judged_while_mirroring():
    shadow = {"strategy": "Shadow", "shadow": {"percent": 10}}
    look = {"phase": Phase.MIRRORING, "weight": 0, "rollout": shadow, "slo": SLO}
    assert gate("errors", mirrored((90, counts(5, errors=1), counts(50))), **look).verdict is FAIL
    assert gate("latency", mirrored((90, counts(5, slow=1), counts(50))), **look).verdict is FAIL
    assert gate("errors", seconds((30, counts(5, errors=5), counts(50))), **look).requests == 0
    silent = gate("errors", mirrored((30, counts(0), counts(50))), **look)
    assert silent.verdict is NO_DATA
    assert "10 % of the traffic" in silent.message


def test_what_came_before_the_weight_tells_only_the_stables_habits():
    bursts = [(59, counts(9), counts(100)), (1, counts(9, errors=9), counts(100, errors=6))] * 10
    slices = (*seconds(*bursts), *seconds((10, *SPLIT), start=START + 600))
    found = gate("errors", slices, since=START + 600)
    assert (found.requests, found.failed_requests, found.stable_requests, found.stable_failed_requests) == (
        50,
        0,
        950,
        0,
    )
    assert found.overdispersion > 5
    unwatched = gate("errors", slices, since=START + 600, watched=START + 600)
    assert unwatched.overdispersion == 1


def test_a_pass_at_a_lower_weight_is_none_at_the_next_even_when_it_was_not_cleared():
    slices = seconds((240, *SPLIT))
    passed = gate("errors", slices)
    assert passed.verdict is PASS
    more = (*slices, *seconds((10, counts(25), counts(75)), start=START + 240))
    found = gate("errors", more, weight=25, since=START + 240, before=[passed])
    assert (found.verdict, found.requests, found.stable_requests) == (CONTINUE, 250, 750)


def test_the_stables_requests_from_before_it_was_the_stable_do_not_count():
    found = errors((20, *SPLIT), watched=START + 10)
    assert (found.requests, found.stable_requests) == (100, 950)


def test_another_threshold_begins_anew():
    slices = seconds((20, counts(5, slow=3), counts(95)))
    before = [gate("latency", slices, slo=SLO)]
    lax = {"latency": {"percentile": 99, "threshold": "200ms"}}
    assert before[0].verdict is FAIL
    fast = seconds((20, counts(5), counts(95)))
    assert gate("latency", fast, slo=lax, before=before).verdict is CONTINUE
    assert gate("latency", fast, slo=SLO, before=before).verdict is FAIL


def test_after_a_failure_nothing_is_counted_any_more():
    failed = errors((60, counts(5, errors=5), counts(95)))
    later = errors((60, counts(5, errors=5), counts(95)), (600, *SPLIT), before=[failed])
    assert later.requests == failed.requests < 60
    assert later.verdict is FAIL


arms = some.builds(lambda n, bad, slow: counts(n, min(n, bad), min(n, slow)), *[some.integers(0, 60)] * 3)
spans = some.lists(some.tuples(some.integers(1, 40), arms, arms), min_size=1, max_size=8)
TWO = {"slo": SLO, "rollout": {"steps": [{"weight": 20}]}, "weight": 20}


def counting(slices, before=(), **look):
    return list(evaluate(a_look(slices, before=before, **{**TWO, **look}))[:2])


@settings(max_examples=40, deadline=None)
@given(spans, some.data())
def test_a_restart_from_the_written_status_leads_to_the_same_evidence(drawn, data):
    slices = seconds(*drawn)
    cut = data.draw(some.integers(0, len(slices)))
    kept = data.draw(some.integers(0, cut))
    written = [through_json(one) for one in counting(slices[:cut])]

    assert counting(slices[kept:], before=written, now=slices[-1].end) == counting(slices)


@settings(max_examples=40, deadline=None)
@given(spans)
def test_the_same_slices_again_change_nothing(drawn):
    slices = seconds(*drawn)
    once = counting(slices)
    assert counting(slices, before=once) == once
    assert counting(slices[:-1], before=once, now=slices[-1].end)[0].state == once[0].state


@settings(max_examples=60, deadline=None)
@given(spans, some.sampled_from([Phase.ADVANCING, Phase.BAKING, Phase.MIRRORING]), some.sampled_from(["", "down"]))
def test_whatever_is_counted_a_status_holds_numbers_and_a_short_sentence(drawn, phase, outage):
    weight = {Phase.ADVANCING: 20, Phase.BAKING: 100, Phase.MIRRORING: 0}[phase]
    for found in evaluate(a_look(seconds(*drawn), phase=phase, weight=weight, slo=SLO, outage=outage)):
        told = json.dumps(found.model_dump(by_alias=True, mode="json"), allow_nan=False)
        assert "nan" not in told.lower()
        assert "inf" not in found.message.replace("infer", "")
        assert len(found.message) <= 1024
        for number in (
            found.evidence_against,
            found.evidence_for,
            found.fail_threshold,
            found.pass_threshold,
            found.overdispersion,
        ):
            assert math.isfinite(number)
            assert number == float(f"{number:.4g}") <= 1e12


def test_overwhelming_evidence_stays_a_number():
    found = errors((1, counts(10**6, errors=10**6), counts(0)), slo={"errorRate": "10%"})
    assert found.evidence_against == 1e12
    assert "evidence against more than 10^12 of 800 needed: fails." in found.message


def test_slices_with_other_bounds_are_judged_by_their_own():
    coarse = seconds((10, counts(5, bounds=(50.0, 250.0)), counts(95, bounds=(50.0, 250.0))))
    both = (*coarse, *seconds((10, counts(5, slow=1), counts(95)), start=START + 10))
    found = gate("latency", both, slo={"latency": {"percentile": 50, "threshold": "100ms"}})
    assert (found.requests, found.failed_requests) == (100, 10)
