"""Which gates are asked in which phase, and those that do not count: health, load test, shadow."""

from dataclasses import replace

import pytest

from modelyard.api.rollout_status import GateStatus, GateVerdict, Phase
from modelyard.core.analysis.gates import evaluate, reset_gates
from modelyard.core.conditions import timestamp
from modelyard.core.snapshot import Check, Failure
from tests.support.worlds.gate_inputs import SLO, START, a_look, counts, seconds

CONTINUE, FAIL, HOLD, PASS = GateVerdict.CONTINUE, GateVerdict.FAIL, GateVerdict.HOLD, GateVerdict.PASS
NOT_READY = Failure("NotReady", "Revision digits-b is not ready any more.", retry=True)
NO_NODE = Failure("Unschedulable", "No node can take pod digits-b-0.", retry=True)
MISSING = Failure("ReplicaMissing", "1 replicas of revision digits-b are ready.", retry=True)
LOST = Check(None, "The node is gone.", retry=True)
SOON = timestamp(START + 30)
CRASHED = Failure("ServerCrashed", "The server ended with exit code 1.")


def asked(phase, weight=5, **spec):
    return [gate.name for gate in evaluate(a_look(phase=phase, weight=weight, **spec))]


def gate(name, **look):
    return next(one for one in evaluate(a_look(**look)) if one.name == name)


def load_test(check, before, now=START):
    return gate(
        "loadTest",
        phase=Phase.TESTING,
        weight=0,
        now=now,
        checks={"loadTest": check} if check else {},
        before=[before] if before else [],
    )


@pytest.mark.parametrize(
    ("phase", "names"),
    [
        (Phase.STARTING, ["health"]),
        (Phase.TESTING, ["loadTest", "health"]),
        (Phase.PREVIEWING, ["health"]),
        (Phase.MIRRORING, ["latency", "errors", "clientErrors", "health", "shadow"]),
        (Phase.ADVANCING, ["latency", "errors", "clientErrors", "health", "sampleRatio"]),
        (Phase.HOLDING, ["latency", "errors", "clientErrors", "health", "sampleRatio"]),
        (Phase.SPLITTING, ["latency", "errors", "health", "sampleRatio"]),
        (Phase.BAKING, ["latency", "errors", "clientErrors", "health"]),
        (Phase.IDLE, []),
        (Phase.BUILDING, []),
        (Phase.REPLACING, []),
        (Phase.ABORTING, []),
    ],
)
def test_every_phase_asks_its_questions(phase, names):
    assert asked(phase, slo=SLO) == names


@pytest.mark.parametrize(
    ("tests", "names"),
    [
        ({}, ["health"]),
        ({"replay": {}}, ["replay", "health"]),
        ({"loadTest": {}, "replay": {}}, ["replay", "loadTest", "health"]),
    ],
)
def test_a_candidate_is_tested_as_the_spec_asks(tests, names):
    recorded = {"sample": "auto", "log": {"columns": ["*"]}}
    assert asked(Phase.TESTING, rollout={"strategy": "Canary", **tests}, monitoring=recorded) == names


def test_latency_is_asked_only_where_it_was_promised():
    assert asked(Phase.BAKING) == ["errors", "clientErrors", "health"]


@pytest.mark.parametrize("weight", [0, 100])
def test_no_share_is_asked_where_one_side_has_everything(weight):
    assert "sampleRatio" not in asked(Phase.ADVANCING, weight)


def test_pods_without_trouble_are_well():
    assert gate("health", phase=Phase.BAKING).verdict is PASS


def test_trouble_that_does_not_pass_by_itself_fails_at_once():
    found = gate("health", trouble=CRASHED, troubled_since=START, now=START)
    assert (found.verdict, found.message) == (FAIL, "health: The server ended with exit code 1.")


@pytest.mark.parametrize(("weight", "lasts", "verdict"), [(0, 5, CONTINUE), (10, 0.9, CONTINUE), (10, 1, FAIL)])
def test_trouble_whose_cause_is_being_read_waits_for_that_as_long_as_nobody_is_hurt(weight, lasts, verdict):
    crashed = replace(CRASHED, pending=True)
    assert gate("health", weight=weight, trouble=crashed, troubled_since=START, now=START + lasts).verdict is verdict


@pytest.mark.parametrize(("lasts", "verdict"), [(0, CONTINUE), (29, CONTINUE), (30, FAIL)])
def test_a_pod_that_restarts_has_half_a_minute(lasts, verdict):
    found = gate("health", trouble=NOT_READY, troubled_since=START, now=START + lasts)
    assert found.verdict is verdict
    assert f"for {lasts} s" in found.message
    assert "not ready any more." in found.message


def test_trouble_that_was_just_seen_has_its_whole_grace():
    assert gate("health", trouble=NOT_READY).verdict is CONTINUE


@pytest.mark.parametrize(("lasts", "verdict"), [(599, CONTINUE), (600, FAIL)])
def test_a_candidate_that_starts_may_wait_for_its_image(lasts, verdict):
    waits = Failure("ImageMissing", "Image triton cannot be pulled.", retry=True)
    starting = {"phase": Phase.STARTING, "weight": 0, "trouble": waits}
    assert gate("health", **starting, troubled_since=START, now=START + lasts).verdict is verdict


def test_a_candidate_that_starts_waits_for_a_node_however_long_that_takes():
    found = gate("health", phase=Phase.STARTING, weight=0, trouble=NO_NODE, troubled_since=START, now=START + 86_400)
    assert found.verdict is CONTINUE
    assert "for 24 h now: No node can take pod" in found.message


@pytest.mark.parametrize("phase", [Phase.ADVANCING, Phase.BAKING, Phase.PREVIEWING])
@pytest.mark.parametrize("trouble", [NO_NODE, MISSING])
def test_replicas_that_wait_for_a_node_are_no_verdict_while_the_others_are_enough(phase, trouble):
    found = gate("health", phase=phase, trouble=trouble, troubled_since=START, now=START + 3600)
    assert (found.verdict, found.reason) == (HOLD, "ReplicaMissing")


@pytest.mark.parametrize(("lasts", "verdict"), [(29, CONTINUE), (30, FAIL)])
def test_too_few_replicas_for_its_traffic_fail_it(lasts, verdict):
    found = gate("health", trouble=MISSING, has_capacity=False, troubled_since=START, now=START + lasts)
    assert found.verdict is verdict


@pytest.mark.parametrize(("name", "phase"), [("loadTest", Phase.TESTING), ("shadow", Phase.MIRRORING)])
@pytest.mark.parametrize(
    ("check", "verdict", "said"),
    [
        (None, CONTINUE, "has not begun."),
        (Check(None), CONTINUE, "it runs."),
        (Check(None, "20 of 60 s are over."), CONTINUE, "20 of 60 s are over."),
        (Check(True, "p99 was 41 ms, allowed 100 ms."), PASS, "p99 was 41 ms, allowed 100 ms."),
        (Check(False, "p99 was 141 ms"), FAIL, "p99 was 141 ms."),
        (Check(False), FAIL, "it has ended."),
        (Check(None, "Evicted.", retry=True), CONTINUE, f"Evicted; it is begun again at {SOON} (attempt 2 of 4)."),
        (Check(None, retry=True), CONTINUE, f"without an answer; it is begun again at {SOON} (attempt 2 of 4)."),
    ],
)
def test_the_answer_of_a_job_is_the_gates(name, phase, check, verdict, said):
    found = gate(name, phase=phase, weight=0, checks={name: check} if check else {})
    assert found.verdict is verdict
    assert found.message.startswith(f"{name}: ")
    assert found.message.endswith(said)


@pytest.mark.parametrize(("attempts", "pause"), [(0, 30), (1, 60), (2, 120)])
def test_every_attempt_without_an_answer_is_followed_by_a_longer_pause(attempts, pause):
    before = GateStatus(name="loadTest", verdict=CONTINUE, attempts=attempts)
    found = load_test(LOST, before)
    assert (found.verdict, found.attempts, found.next_attempt_time) == (
        CONTINUE,
        attempts + 1,
        timestamp(START + pause),
    )
    assert load_test(LOST, found, now=START + 1000) == found


def test_after_the_fourth_attempt_a_person_is_asked():
    found = load_test(LOST, GateStatus(name="loadTest", verdict=CONTINUE, attempts=3))
    assert (found.verdict, found.attempts, found.next_attempt_time) == (HOLD, 4, "")
    assert "The node is gone; 4 attempts brought no answer: `modelyard rollout retry` begins it again" in found.message
    assert load_test(LOST, found) == found


@pytest.mark.parametrize("check", [None, Check(None), Check(None, "20 of 60 s are over.")])
def test_attempts_are_counted_until_there_is_an_answer(check):
    before = load_test(LOST, None)
    found = load_test(check, before)
    assert (found.verdict, found.attempts, found.next_attempt_time) == (CONTINUE, 1, "")
    assert load_test(Check(True), found).verdict is PASS


def test_a_long_cause_does_not_cut_off_what_to_do():
    said = load_test(Check(None, "x" * 5000, retry=True), GateStatus(name="loadTest", verdict=CONTINUE, attempts=3))
    assert said.message.endswith("decide without it.")


@pytest.mark.parametrize(("verdict", "stays"), [(PASS, True), (FAIL, True), (HOLD, False), (CONTINUE, False)])
def test_an_answer_stays_when_its_job_is_gone(verdict, stays):
    told = GateStatus(name="shadow", verdict=verdict, message="shadow: told.")
    found = gate("shadow", phase=Phase.MIRRORING, weight=0, before=[told])
    assert (found == told) is stays


def test_a_long_story_is_cut_to_what_a_status_holds():
    assert len(gate("health", trouble=Failure("Crashed", "x" * 5000)).message) == 1024


def test_a_new_weight_begins_without_evidence_and_without_the_answers_of_jobs():
    slices = seconds((120, counts(5, errors=1), counts(95, errors=1)))
    judged = evaluate(a_look(slices, slo=SLO, phase=Phase.ADVANCING))
    assert [one.verdict for one in judged[:2]] == [CONTINUE, FAIL]

    begun = reset_gates([*judged, GateStatus(name="shadow", verdict=PASS)])

    assert [one.name for one in begun] == ["latency", "errors"]
    for one in begun:
        assert (one.verdict, one.requests, one.failed_requests, one.stable_requests, one.stable_failed_requests) == (
            CONTINUE,
            0,
            0,
            0,
            0,
        )
        assert (one.evidence_against, one.evidence_for, one.eta) == (0, 0, None)
    assert [one.overdispersion for one in begun] == [one.overdispersion for one in judged[:2]]


def test_what_was_counted_before_a_new_weight_is_not_counted_again():
    slices = seconds((120, counts(5), counts(95)))
    step = {"slo": SLO, "weight": 25, "since": START + 120}
    begun = reset_gates(evaluate(a_look(slices, slo=SLO)))
    assert gate("errors", slices=slices, before=begun, **step).requests == 0
    more = seconds((130, counts(5), counts(95)))
    assert gate("errors", slices=more, before=begun, **step).requests == 50
