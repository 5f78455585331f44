"""Models whose status was written when its fields had other names: nothing is refused or disturbed."""

from typing import Any

import pytest

from modelyard.api.rollout_status import Outcome, Phase
from tests.support.worlds.rollouts import a_rollout_world, last, live_until_ended, live_until_phase, state, traffic

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


def test_records_without_their_times_are_left_out() -> None:
    world = a_rollout_world()
    live_until_ended(world)

    world.model["status"] = with_old_names(world.model["status"])
    world.look()

    assert state(world).history == []
