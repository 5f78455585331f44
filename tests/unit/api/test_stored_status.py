"""What an older operator or command line reads of a status that a newer one wrote."""

from typing import Any

import pytest
from pydantic import ValidationError

from modelyard.api.model import Model
from modelyard.api.rollout import Rollout
from modelyard.api.rollout_status import HISTORY, GateVerdict, Outcome, Phase
from modelyard.api.status import Stage
from modelyard.api.stored_status import without_unknown

REVISION = {"name": "digits-1", "slot": "a", "digest": "d", "version": "1", "runtime": "r", "stage": "Serving"}
RECORD = {
    "revision": "digits-1",
    "version": "1",
    "strategy": "Canary",
    "outcome": "Promoted",
    "reason": "r",
    "message": "m",
}
GATE = {"name": "errors", "verdict": "Pass"}
COMMAND = {"id": "1", "action": "pause", "answer": "The weight stays."}
CONDITION = {"type": "Ready", "status": "True", "reason": "Serving", "message": "m", "lastTransitionTime": "t"}


def a_status(**rollout: Any) -> dict[str, Any]:
    whole = {
        "phase": "Advancing", "stable": "digits-1", "candidate": "digits-2", "weight": 10, "step": 1,
        "gates": [GATE], "history": [RECORD], "command": COMMAND, "handledCommands": ["1"],
    }  # fmt: skip
    return {"revision": "digits-1", "conditions": [CONDITION], "revisions": [REVISION], "rollout": {**whole, **rollout}}


def a_stored_model(status: dict[str, Any]) -> Model:
    spec = {"source": {"name": "digits", "version": "1"}}
    return Model.model_validate({"metadata": {"name": "digits", "namespace": "demo"}, "spec": spec, "status": status})


def with_new_fields(value: Any) -> Any:
    if isinstance(value, dict):
        return {**{key: with_new_fields(inner) for key, inner in value.items()}, "fromTheFuture": {"deep": [1]}}
    return [with_new_fields(inner) for inner in value] if isinstance(value, list) else value


def test_fields_of_a_newer_version_are_not_there_at_any_depth() -> None:
    assert a_stored_model(with_new_fields(a_status())).status == a_stored_model(a_status()).status


def test_unknown_fields_of_the_spec_are_refused_as_ever() -> None:
    spec = {"source": {"name": "digits", "version": "1"}, "fromTheFuture": 1}

    with pytest.raises(ValidationError, match="fromTheFuture"):
        Model.model_validate({"metadata": {"name": "digits", "namespace": "demo"}, "spec": spec})


def test_a_gate_or_a_record_in_new_words_is_left_out_and_the_others_stay() -> None:
    new_gate, new_record = {**GATE, "name": ["cost"], "verdict": "Dear"}, {**RECORD, "outcome": "Merged"}
    status = a_stored_model(a_status(gates=[new_gate, GATE], history=[RECORD, new_record])).status

    assert status.rollout is not None
    assert [gate.verdict for gate in status.rollout.gates] == [GateVerdict.PASS]
    assert [record.outcome for record in status.rollout.history] == [Outcome.PROMOTED]


def test_a_command_of_a_new_kind_is_left_out_but_its_id_stays_answered() -> None:
    command = {**COMMAND, "id": "2", "action": "rewind"}
    status = a_stored_model(a_status(command=command, handledCommands=["2", "1", 0])).status

    assert status.rollout is not None
    assert (status.rollout.command, status.rollout.has_handled("2")) == (None, True)


def test_what_need_not_be_there_is_left_out_alone() -> None:
    gate = {**GATE, "requests": "many", "eta": "soon"}
    status = a_stored_model({**a_status(gates=[gate], weight="10 %"), "observedGeneration": "newest", "url": 7}).status

    assert status.rollout is not None
    assert (status.url, status.observed_generation, status.rollout.weight) == ("", 0, 0)
    assert [(gate.name, gate.requests) for gate in status.rollout.gates] == [("errors", 0)]


def test_a_phase_of_a_new_kind_is_no_rollout_but_what_holds_and_what_was_stays() -> None:
    rollout = a_stored_model(a_status(phase="Verifying")).status.rollout

    assert rollout is not None
    assert (rollout.phase, rollout.stable, rollout.candidate, rollout.weight) == (Phase.IDLE, "digits-1", "", 0)
    assert (len(rollout.history), rollout.handled_commands) == (1, ["1"])


def test_longer_texts_and_lists_are_cut() -> None:
    gate = {**GATE, "message": "x" * 5000}
    status = a_stored_model(a_status(gates=[gate], history=[RECORD] * 30)).status

    assert status.rollout is not None
    assert (len(status.rollout.gates[0].message), len(status.rollout.history)) == (1024, HISTORY)


@pytest.mark.parametrize("revisions", [[{**REVISION, "stage": "Mirrored"}], [REVISION] * 3])
def test_what_holds_traffic_is_never_forgotten(revisions: list[dict[str, Any]]) -> None:
    with pytest.raises(ValidationError, match=r"status\.revisions"):
        a_stored_model({**a_status(), "revisions": revisions})


def test_a_status_that_is_none_is_said_to_be_none() -> None:
    with pytest.raises(ValidationError, match="status"):
        a_stored_model({"rollout": {**a_status()["rollout"]}, "revisions": 3})
    assert a_stored_model({"rollout": 7}).status.rollout is None


def test_a_broken_item_takes_nothing_of_its_neighbours_with_it() -> None:
    broken = {**CONDITION, "type": "Odd", "observedGeneration": "newest", "lastTransitionTime": 7}
    record = {**RECORD, "message": "x" * 5000}
    status = {**a_status(history=[record]), "conditions": [broken, {**CONDITION, "observedGeneration": 3}]}
    read = a_stored_model(status).status

    assert [(condition.type, condition.observed_generation) for condition in read.conditions] == [("Ready", 3)]
    assert read.rollout is not None
    assert len(read.rollout.history[0].message) == 1024


def test_what_is_stored_is_not_changed() -> None:
    stored = a_status(phase="Verifying", gates=[{**GATE, "message": "x" * 5000}])
    before = repr(stored)

    assert a_stored_model(stored).status.revisions[0].stage is Stage.SERVING
    assert repr(stored) == before


def test_a_pinned_spec_loses_what_only_the_other_version_knows() -> None:
    pinned = with_new_fields({"strategy": "Canary", "steps": [{"weight": 10}]})

    assert without_unknown(Rollout, pinned) == {"strategy": "Canary", "steps": [{"weight": 10}]}
    assert without_unknown(Rollout, {"strategy": "Canary"}) == {"strategy": "Canary"}
