"""Models whose status another version of the platform wrote, before or after this one: nothing is disturbed."""

from typing import Any

import pytest

from modelyard.api.rollout_status import Outcome, Phase
from modelyard.core.conditions import epoch, timestamp
from modelyard.core.rollout.state_machine import WATCHED
from tests.support.worlds.rollouts import (
    a_rollout_world,
    last,
    live_until,
    live_until_ended,
    live_until_phase,
    state,
    traffic,
)

OLD_NAMES = {
    "stageStartTime": "since", "programmedTime": "carried", "phaseStartTime": "since", "startTime": "started",
    "endTime": "ended", "retainUntil": "until", "lastAnalysisTime": "checked", "failingSince": "troubled",
    "handledCommands": "heard", "pinnedSpec": "terms", "failedRequests": "bad", "evidenceAgainst": "against",
}  # fmt: skip


def with_old_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {OLD_NAMES.get(key, key): with_old_names(inner) for key, inner in value.items()}
    return [with_old_names(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("phase", "step"), [(Phase.STARTING, 0), (Phase.ADVANCING, 0), (Phase.ADVANCING, 1)])
def test_a_rollout_under_way_goes_on_and_everybody_keeps_what_they_had(phase: Phase, step: int) -> None:
    world = a_rollout_world()
    live_until_phase(world, phase, step)
    weights = traffic(world)

    world.model["status"] = with_old_names(world.model["status"])
    plan = world.look()

    assert not [ref for ref in plan.delete if ref.kind == "InferenceService"]
    assert traffic(world) == weights
    live_until_ended(world)
    assert last(world).outcome is Outcome.PROMOTED


def test_the_gateways_counters_are_kept_with_the_evidence_and_only_during_a_rollout() -> None:
    world = a_rollout_world()
    world.users.counters = "then"
    live_until_phase(world, Phase.ADVANCING)
    live_until(world, lambda rollout: rollout.counters == "then")
    world.users.counters = ""
    world.look()
    kept = state(world).counters
    live_until_ended(world)

    assert kept == "then"
    assert state(world).counters == ""


def test_records_without_their_times_are_left_out() -> None:
    world = a_rollout_world()
    live_until_ended(world)

    world.model["status"] = with_old_names(world.model["status"])
    world.look()

    assert state(world).history == []


def with_new_fields(value: Any) -> Any:
    if isinstance(value, dict):
        return {**{key: with_new_fields(inner) for key, inner in value.items()}, "fromTheFuture": [{"deep": 1}]}
    return [with_new_fields(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("strategy", ["Canary", "Shadow", "AB", "BlueGreen"])
def test_the_platform_is_rolled_back_in_the_middle_of_a_rollout(strategy: str) -> None:
    more = {
        "Shadow": {"shadow": {"percent": 50, "duration": "30s"}},
        "AB": {"ab": {"header": "x-user", "weight": 50, "duration": "30s"}},
        "BlueGreen": {"bake": "10s"},
    }
    world = a_rollout_world(strategy=strategy, **more.get(strategy, {}))
    live_until(world, lambda rollout: rollout.phase in WATCHED)
    weights = traffic(world)

    world.model["status"] = with_new_fields(world.model["status"])
    plan = world.look()

    assert not [ref for ref in plan.delete if ref.kind == "InferenceService"]
    assert traffic(world) == weights
    live_until_phase(world, Phase.IDLE)
    assert last(world).outcome in (Outcome.PROMOTED, Outcome.REPORTED)


def test_evidence_in_another_form_is_gathered_anew() -> None:
    world = a_rollout_world()
    live_until(world, lambda rollout: traffic(world).get("2") == 10)
    world.sleep(5)
    world.look()
    for gate in world.model["status"]["rollout"]["gates"]:
        if "state" in gate:
            gate["state"] = {"format": 2, "blocks": [1, 2, 3]}

    live_until_phase(world, Phase.IDLE)

    assert last(world).outcome is Outcome.PROMOTED


def test_a_pinned_spec_in_new_words_gives_way_to_the_spec_as_it_is() -> None:
    world = a_rollout_world()
    live_until_phase(world, Phase.ADVANCING)
    world.model["status"]["rollout"]["pinnedSpec"]["strategy"] = "Tournament"

    live_until_phase(world, Phase.IDLE)

    assert last(world).outcome is Outcome.PROMOTED


def test_a_phase_of_another_version_begins_anew_at_the_first_weight() -> None:
    world = a_rollout_world()
    live_until(world, lambda rollout: traffic(world).get("2") == 50)
    world.model["status"]["rollout"]["phase"] = "Verifying"

    world.look()
    back = traffic(world)
    live_until_phase(world, Phase.IDLE)

    assert back == {"1": 90, "2": 10}
    assert last(world).outcome is Outcome.PROMOTED


AHEAD = {"stageStartTime", "programmedTime", "startTime", "phaseStartTime", "lastAnalysisTime"}


def with_times_ahead(value: Any, seconds: float) -> Any:
    """A status as a replica wrote it whose clock was so much ahead."""
    if isinstance(value, dict):
        return {
            key: timestamp(epoch(inner) + seconds) if key in AHEAD and inner else with_times_ahead(inner, seconds)
            for key, inner in value.items()
        }
    return [with_times_ahead(inner, seconds) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("ahead", [3600.0, 1.0], ids=["an hour", "a second"])
@pytest.mark.parametrize(("phase", "step"), [(Phase.ADVANCING, 0), (Phase.BAKING, 2)])
def test_a_leader_whose_clock_was_ahead_delays_nobody(phase: Phase, step: int, ahead: float) -> None:
    world = a_rollout_world()
    live_until_phase(world, phase, step)
    world.model["status"] = with_times_ahead(world.model["status"], ahead)
    began = world.now

    live_until_phase(world, Phase.IDLE)

    assert last(world).outcome is Outcome.PROMOTED
    assert world.now - began < 600
