"""Checks whose Job ends without an answer are begun again: by themselves, then by a person."""

from typing import Any

import pytest

from modelyard.api.rollout_status import GateStatus, Outcome, Phase
from modelyard.core.snapshot import Check
from tests.support.repository.proof import sampled
from tests.support.worlds.replays import Story, Told, end, forks
from tests.support.worlds.rollouts import (
    a_rollout_world,
    last,
    live_until,
    live_until_ended,
    live_until_phase,
    state,
    tell,
    traffic,
)
from tests.support.worlds.world import World

LOST = Check(None, "The node of the load generator is gone.", retry=True)
LOAD_TEST: dict[str, Any] = {"loadTest": {"duration": "30s"}}
SHADOW: dict[str, Any] = {"strategy": "Shadow", "shadow": {"duration": "5s"}, "abortScaleDownDelay": "5s"}
both = pytest.mark.parametrize(("name", "rollout"), [("loadTest", LOAD_TEST), ("shadow", SHADOW)])


def a_world_that_loses(name: str, rollout: dict[str, Any]) -> World:
    world = a_rollout_world(rate=2000, **rollout)
    world.examined[name] = LOST
    return world


def gate(world: World, name: str) -> GateStatus:
    found = state(world).gate(name)
    assert found is not None
    return found


def attempts(world: World) -> int:
    """Jobs that were made so far."""
    return len(world.builders.started) - len({job for job in world.builders.started if job in world.builders.digests})


@both
def test_a_check_that_is_lost_once_is_begun_again_and_its_answer_counts(name: str, rollout: dict[str, Any]) -> None:
    world = a_world_that_loses(name, rollout)
    live_until(world, lambda _: state(world).unanswered)
    lost, waited = world.now, state(world).phase
    world.examined[name] = Check(True, "It is well.", {"p99": 12})

    seen = []
    live_until(world, lambda found: seen.append((world.now, attempts(world))) or not found.unanswered)
    live_until(world, lambda found: found.at is not waited)

    assert waited in (Phase.TESTING, Phase.MIRRORING), "it is not held for that"
    assert attempts(world) == 2
    assert {made for now, made in seen if now < lost + 30} == {1}
    assert (state(world).report or {})[name] == {"p99": 12}


@both
def test_after_four_attempts_it_holds_and_says_why(name: str, rollout: dict[str, Any]) -> None:
    world = a_world_that_loses(name, rollout)

    live_until_phase(world, Phase.HOLDING)
    held = state(world)
    for _ in range(40):
        world.look()
        world.step()
        world.sleep(10)

    assert (held.reason, attempts(world), traffic(world)) == ("CheckFailed", 4, {"1": 100})
    assert "The node of the load generator is gone; 4 attempts brought no answer" in held.message
    assert "modelyard rollout retry" in held.message
    assert state(world).phase is Phase.HOLDING


@both
@pytest.mark.parametrize("action", ["retry", "resume"])
def test_a_person_begins_it_again_at_once(action: str, name: str, rollout: dict[str, Any]) -> None:
    world = a_world_that_loses(name, rollout)
    live_until_phase(world, Phase.HOLDING)
    world.examined[name] = Check(passed=True)
    told = world.now

    tell(world, action)
    live_until(world, lambda _: attempts(world) == 5)
    begun = world.now
    live_until_ended(world)

    assert state(world).command is not None
    assert begun - told <= 1
    assert last(world).outcome is (Outcome.PROMOTED if name == "loadTest" else Outcome.REPORTED)


def test_nobody_has_to_wait_for_the_end_of_a_pause() -> None:
    world = a_world_that_loses("loadTest", LOAD_TEST)
    live_until(world, lambda found: found.unanswered and gate(world, "loadTest").attempts == 3)
    paused = world.now

    tell(world, "retry")
    live_until(world, lambda _: attempts(world) == 4)

    assert world.now - paused <= 1
    assert gate(world, "loadTest").attempts == 0, "as often again as the first time"


def test_a_check_that_runs_again_is_left_alone() -> None:
    world = a_world_that_loses("loadTest", LOAD_TEST)
    live_until(world, lambda found: found.unanswered)
    live_until(world, lambda found: not found.unanswered)

    tell(world, "retry")
    world.look()

    command = state(world).command
    assert command is not None
    assert command.answer.startswith("Refused")
    assert attempts(world) <= 2


def test_wherever_the_operator_is_stopped_a_lost_check_is_begun_again() -> None:
    def begin() -> World:
        quick = {"steps": [{"weight": 50}], "bake": "1s", "abortScaleDownDelay": "5s"}
        return a_world_that_loses("loadTest", {**LOAD_TEST, **quick})

    def mended(world: World) -> None:
        if state(world).unanswered:
            world.examined.clear()

    calm = Told(Story(begin, mended), begin())
    replays = list(forks(calm))

    assert calm.shares == [0, 50, 100]
    for number, replay in sampled(replays, 4):
        replay.to_the_end()
        assert replay.shares == calm.shares, f"stopped before write {number}"
        assert end(replay.world) == end(calm.world), f"stopped before write {number}"
        assert attempts(replay.world) <= 3, f"stopped before write {number}"


def test_while_it_waits_the_rollout_can_be_aborted_and_nothing_is_left() -> None:
    world = a_world_that_loses("loadTest", LOAD_TEST)
    live_until(world, lambda found: found.unanswered)

    tell(world, "abort")
    live_until_phase(world, Phase.IDLE)
    world.settle()

    assert (last(world).outcome, world.names("Job")) == (Outcome.ABORTED, [])


def test_a_lost_check_does_not_outlive_max_duration() -> None:
    world = a_world_that_loses("loadTest", {**LOAD_TEST, "maxDuration": "100s"})

    live_until_ended(world)

    assert (last(world).outcome, last(world).reason) == (Outcome.ABORTED, "Inconclusive")
    assert "without an answer" in last(world).message or "it is begun again" in last(world).message
