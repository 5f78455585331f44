"""What users asked lately is put to a candidate before it gets any user's request."""

from typing import Any

import pytest
from pydantic import ValidationError

from modelyard.api.rollout_status import GateVerdict, Outcome, Phase
from modelyard.core.names import CHECK_LABEL
from modelyard.core.snapshot import Check
from tests.support.worlds.builders import a_model, a_serving_world
from tests.support.worlds.rollouts import CANARY, SLO, last, live_until_ended, live_until_phase, state, tell
from tests.support.worlds.world import World

RECORDED = {"sample": "auto", "log": {"columns": ["*"]}}


def a_replayed_world(**more: Any) -> World:
    world = a_serving_world(rollout={**CANARY, "replay": {"rows": 500}, **more}, slo=SLO, monitoring=RECORDED)
    world.users.rate = 200
    world.sleep(30)
    world.ask(version="2")
    return world


def gates_of_jobs(world: World) -> list[str]:
    return [job["metadata"]["labels"][CHECK_LABEL] for _, job in world.api.of_kind("Job")]


def test_a_candidate_that_fails_what_users_asked_is_out_before_it_has_any() -> None:
    world = a_replayed_world()
    world.examined["replay"] = Check(False, "12 of 500 compared requests got none.", {"failed": 12})

    live_until_phase(world, Phase.TESTING)
    live_until_ended(world)

    assert (last(world).outcome, last(world).reason) == (Outcome.ABORTED, "ReplayFailed")
    assert state(world).report == {"replay": {"failed": 12}}
    assert world.users.answered["2"] == 0


def test_one_that_answers_them_goes_on() -> None:
    world = a_replayed_world()

    world.run_until(lambda: gates_of_jobs(world) == ["replay"])
    assert state(world).phase is Phase.TESTING
    assert "by recorded requests" in state(world).message
    live_until_phase(world, Phase.ADVANCING)
    assert world.names("Job") == []


def test_the_load_test_comes_after_it_so_that_none_disturbs_the_other() -> None:
    world = a_replayed_world(loadTest={"requestsPerSecond": 50})
    seen: list[str] = []

    def note() -> bool:
        seen.extend(gate for gate in gates_of_jobs(world) if gate not in seen)
        return state(world).phase is Phase.ADVANCING

    world.run_until(note)
    assert seen == ["replay", "loadTest"]


def test_a_replay_without_an_answer_holds_and_a_person_decides() -> None:
    world = a_replayed_world()
    world.examined["replay"] = Check(None, "no request of demo/digits is recorded with its rows", retry=True)

    live_until_phase(world, Phase.HOLDING)
    gate = state(world).gate("replay")
    assert gate is not None
    assert (gate.verdict, state(world).reason) == (GateVerdict.HOLD, "CheckFailed")
    tell(world, "promote")
    live_until_ended(world)
    assert last(world).outcome is Outcome.PROMOTED


def test_a_replay_that_is_taken_from_the_spec_is_not_waited_for() -> None:
    world = a_replayed_world()
    world.examined["replay"] = Check(None)
    live_until_phase(world, Phase.TESTING)

    world.ask(rollout=CANARY)
    live_until_phase(world, Phase.ADVANCING)


@pytest.mark.parametrize("monitoring", [None, {"sample": "auto"}, {"sample": "auto", "log": {"redact": ["name"]}}])
def test_where_no_rows_are_kept_it_is_refused_with_what_to_write(monitoring: dict[str, Any] | None) -> None:
    with pytest.raises(ValidationError, match="no rows are kept: write monitoring"):
        a_model(rollout={"strategy": "Canary", "replay": {}}, monitoring=monitoring)
