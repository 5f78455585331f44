"""The gate `feedback`: what it says of which labels, and while it knows none."""

from typing import Any

import pytest

from modelyard.api.monitoring.comparison import LabelledComparison, LabelledUnit
from modelyard.api.rollout_status import GateStatus, GateVerdict, Phase
from modelyard.core.analysis.feedback.gate import PATIENCE, STALE
from modelyard.core.analysis.gates import evaluate
from modelyard.core.conditions import timestamp
from modelyard.core.snapshot import Failure
from tests.support.worlds.gate_inputs import START, a_look
from tests.unit.core.analysis.feedback.test_evidence import minutes

NOW = START + 600.0
TAKEN = {"sample": "auto", "log": {"columns": ["*"]}, "feedback": {}}
AWAY = Failure("Unreachable", "The store does not answer.", retry=True)
PENDING = Failure("Asking", "It has been asked.", retry=True, pending=True)
BAKING = {"weight": 100, "phase": Phase.BAKING}


def labelled(units: tuple[LabelledUnit, ...] = (), **fields: Any) -> LabelledComparison:
    """What the evaluator found a minute ago."""
    columns = list(zip(*units, strict=True)) or [()] * 5
    requests, wrong, stable_requests, stable_wrong = (sum(column) for column in columns[1:])
    return LabelledComparison.model_validate(
        {
            "stable": "digits-1", "candidate": "digits-2", "since": timestamp(START), "time": timestamp(NOW - 60),
            "requests": requests, "wrong": wrong, "stableRequests": stable_requests, "stableWrong": stable_wrong,
            "units": units, **fields,
        }
    )  # fmt: skip


def judged(known: LabelledComparison | Failure | None, now: float = NOW, **look: Any) -> GateStatus:
    """What the gate says of a canary that asks for 200 labels."""
    look = {"rollout": {"strategy": "Canary", "feedback": {}}, "monitoring": TAKEN, **look}
    found = [gate for gate in evaluate(a_look(now=now, labelled=known, **look)) if gate.name == "feedback"]
    assert len(found) == 1
    return found[0]


def test_only_a_rollout_that_asks_for_it_has_it_and_no_mirror() -> None:
    asked = {"rollout": {"strategy": "Shadow", "shadow": {"then": "Canary"}, "feedback": {}}, "monitoring": TAKEN}
    mirroring = evaluate(a_look(now=NOW, phase=Phase.MIRRORING, weight=0, **asked))
    for gates in (evaluate(a_look(now=NOW)), mirroring):
        assert "feedback" not in {gate.name for gate in gates}


def test_one_that_is_proven_worse_fails_with_its_counts() -> None:
    gate = judged(labelled(minutes(40, 5, 1)))
    assert gate.verdict is GateVerdict.FAIL
    assert gate.message.startswith(
        "feedback: 200 of 400 labelled requests were answered wrong (50 %); stable 40 of 400 (10 %); "
        "allowed 5 % more; evidence against it "
    )
    assert gate.message.endswith(" of 100 needed: fails.")
    counts = (gate.requests, gate.failed_requests, gate.stable_requests, gate.stable_failed_requests)
    assert (counts, gate.evidence_against > gate.fail_threshold) == ((400, 200, 400, 40), True)
    assert judged(labelled(minutes(40, 5, 1)), **BAKING).verdict is GateVerdict.FAIL


def test_one_that_is_proven_no_worse_passes_once_there_are_labels_enough() -> None:
    alike = labelled(minutes(150, 1, 1))
    assert judged(alike).verdict is GateVerdict.PASS
    assert judged(alike).message.endswith(" of 20 needed: passes.")
    more = {"strategy": "Canary", "feedback": {"labels": 1600}}
    gate = judged(alike, rollout=more)
    assert (gate.verdict, gate.eta) == (GateVerdict.CONTINUE, 36), "1500 came in the 540 seconds so far"
    assert gate.message.endswith("undecided: needs about 100 more labelled requests.")


def test_a_wider_margin_lets_pass_what_a_narrower_one_does_not() -> None:
    a_little_worse = labelled(minutes(150, 2, 1))
    verdicts = [
        judged(a_little_worse, rollout={"strategy": "Canary", "feedback": {"margin": margin}}).verdict
        for margin in ("20%", "10%", "1%")
    ]
    assert verdicts == [GateVerdict.PASS, GateVerdict.CONTINUE, GateVerdict.FAIL]


def test_undecided_it_says_how_many_labels_more_or_that_no_pass_is_in_sight() -> None:
    assert "undecided: needs about " in judged(labelled(minutes(30, 1, 1))).message
    gate = judged(labelled(minutes(10, 2, 1)))
    assert (gate.verdict, gate.reason) == (GateVerdict.CONTINUE, "")
    assert gate.message.endswith("undecided, and at this rate of wrong answers no pass is in sight.")


def test_numbers_are_wrong_when_they_are_further_off_than_the_stables_usual_ones() -> None:
    learning = judged(labelled(learning=120))
    assert learning.verdict is GateVerdict.CONTINUE
    assert learning.message.endswith("; 120 labels more of the stable, and its usual errors are known.")
    gate = judged(labelled(minutes(40, 9, 5), event="error above 12.5"))
    assert "360 of 400 labelled requests were answered with an error above 12.5 (90 %)" in gate.message


def test_rows_of_one_request_count_as_parts_of_it() -> None:
    units = tuple(unit._replace(wrong=0.25) for unit in minutes(10, 0, 0))
    assert "2.5 of 100 labelled requests" in judged(labelled(units)).message


@pytest.mark.parametrize("known", [None, PENDING, labelled()])
def test_without_labels_it_waits_and_after_half_an_hour_it_says_so_and_holds(known: Any) -> None:
    gate = judged(known)
    assert (gate.verdict, gate.reason) == (GateVerdict.CONTINUE, "")
    assert "waits for labels of what both revisions answer now" in gate.message
    late = judged(known, now=START + PATIENCE)
    assert (late.verdict, late.reason) == (GateVerdict.NO_DATA, "NoLabels")
    assert "its weight was set 30 min ago, and it waits for labels: `modelyard feedback` sends some" in late.message
    assert judged(known, now=START + PATIENCE, **BAKING).verdict is GateVerdict.CONTINUE


def test_an_evaluator_that_is_silent_holds_it_but_no_bake() -> None:
    known = labelled(minutes(10, 1, 1))
    gate = judged(known, now=NOW + STALE)
    assert (gate.verdict, gate.reason) == (GateVerdict.HOLD, "EvaluationStopped")
    assert "nobody has gone through labels for 2.02 h: the log of deploy/modelyard-evaluator says why" in gate.message
    assert judged(known, now=NOW + STALE, **BAKING).verdict is GateVerdict.CONTINUE
    assert judged(labelled(minutes(40, 5, 1)), now=NOW + STALE).verdict is GateVerdict.FAIL


def test_a_store_that_is_away_holds_it_and_takes_no_answer_back() -> None:
    gate = judged(AWAY)
    assert (gate.verdict, gate.reason) == (GateVerdict.PROVIDER_ERROR, "Unreachable")
    assert "cannot be read (The store does not answer): it waits for that" in gate.message
    assert judged(AWAY, **BAKING).verdict is GateVerdict.CONTINUE
    passed, undecided = judged(labelled(minutes(150, 1, 1))), judged(labelled(minutes(10, 1, 1)))
    assert judged(AWAY, before=[passed]) == passed
    assert judged(AWAY, before=[undecided]) == gate
