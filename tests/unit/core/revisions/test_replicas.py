"""Only the candidate's own fault is a verdict: replicas that lack a node hold a rollout, crashes end it."""

import pytest

from modelyard.api.rollout_status import Outcome, Phase
from modelyard.core.names import predictor
from tests.support.worlds.builders import a_serving_world
from tests.support.worlds.rollouts import (
    CANARY,
    SLO,
    last,
    live_until,
    live_until_ended,
    live_until_phase,
    state,
    traffic,
)
from tests.support.worlds.world import World


def at_half() -> World:
    """Two replicas of version 1 share the traffic with two of version 2."""
    canary = {**CANARY, "steps": [{"weight": 50, "hold": "30s"}]}
    world = a_serving_world(rollout=canary, slo=SLO, serving={"replicas": 2})
    world.users.rate = 50
    world.sleep(30)
    world.ask(version="2")
    live_until(world, lambda rollout: traffic(world).get("2") == 50)
    return world


def pods(world: World) -> list[str]:
    """The candidate's pods by name."""
    mine = predictor(world.revision("2").name)
    return [name for name in world.names("Pod") if name.startswith(mine)]


def test_a_replica_that_waits_for_a_node_holds_the_rollout_until_it_is_back() -> None:
    world = at_half()
    world.kserve.faults[pods(world)[1]] = "nodes"

    live_until_phase(world, Phase.HOLDING)
    since = world.now
    live_until(world, lambda rollout: world.now > since + 120)
    held = state(world)
    world.kserve.faults.clear()
    live_until(world, lambda rollout: rollout.phase is not Phase.HOLDING)
    live_until_phase(world, Phase.IDLE)

    assert (held.phase, held.reason, traffic(world)) == (Phase.HOLDING, "ReplicaMissing", {"2": 100})
    assert "No node can take pod" in held.message
    assert last(world).outcome is Outcome.PROMOTED


def test_a_replica_that_was_drained_holds_it_while_its_successor_starts() -> None:
    world = at_half()
    world.kserve.faults[pods(world)[1]] = "starting"

    live_until_phase(world, Phase.HOLDING)

    assert state(world).reason == "ReplicaMissing"
    assert "1 replicas of revision" in state(world).message


def test_one_that_fails_users_is_out_although_a_replica_is_missing() -> None:
    world = at_half()
    world.kserve.faults[pods(world)[1]] = "nodes"
    live_until_phase(world, Phase.HOLDING)
    world.users.bad["2"] = 0.5

    live_until_ended(world)

    assert (last(world).outcome, last(world).reason) == (Outcome.ABORTED, "ErrorsGateFailed")


def test_without_enough_replicas_for_its_share_it_is_taken_out() -> None:
    world = at_half()
    for pod in pods(world):
        world.kserve.faults[pod] = "nodes"

    live_until_ended(world)

    assert (last(world).outcome, last(world).reason) == (Outcome.ABORTED, "HealthGateFailed")


def test_a_server_that_runs_and_is_not_ready_is_the_candidates_own_fault() -> None:
    world = at_half()
    world.kserve.faults[pods(world)[1]] = "slow"

    live_until_ended(world)

    assert (last(world).outcome, last(world).reason) == (Outcome.ABORTED, "HealthGateFailed")


@pytest.mark.parametrize(("fault", "outcome"), [("restarted", Outcome.ABORTED), ("told to end", Outcome.PROMOTED)])
def test_a_crash_is_seen_by_the_restart_although_the_server_runs_again(fault: str, outcome: Outcome) -> None:
    world = at_half()
    world.kserve.faults[pods(world)[0]] = fault

    live_until_ended(world)

    assert last(world).outcome is outcome


def test_a_stable_that_was_restarted_is_no_matter_of_the_candidates() -> None:
    world = at_half()
    mine = predictor(world.revision("1").name)
    world.kserve.faults[next(name for name in world.names("Pod") if name.startswith(mine))] = "restarted"

    live_until_ended(world)

    assert last(world).outcome is Outcome.PROMOTED
