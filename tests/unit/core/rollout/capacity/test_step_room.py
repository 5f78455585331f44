"""A step of a rollout that the cluster cannot hold waits for room, says what is missing, and harms nobody."""

from fractions import Fraction
from typing import Any, Literal

import pytest

from modelyard.api.rollout_status import Outcome, Phase
from modelyard.core.cluster_room import ClusterRoom, NodeUse, ReplicaSize
from modelyard.core.names import predictor
from modelyard.core.snapshot import Failure, Ref
from modelyard.settings import ServingSettings
from tests.support.worlds.builders import a_built_world, a_serving_world
from tests.support.worlds.rollouts import (
    CANARY,
    SLO,
    last,
    live_until,
    live_until_ended,
    live_until_phase,
    state,
    tell,
    traffic,
)
from tests.support.worlds.world import World

RUNTIME = {"containers": [{"name": "kserve-container", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}]}
PENDING = Failure("Asking", "The API server has been asked.", retry=True, pending=True)
TWO = {"scaling": {"minReplicas": 1, "maxReplicas": 4}}


class Nodes:
    """One node of so many `cores`, on which every pod of the world, and `others`, take one each."""

    def __init__(self, world: World, cores: int, **more: Any) -> None:
        self.world, self.cores, self.others, self.more = world, cores, 0, more

    def __call__(self) -> ClusterRoom:
        pods = len(self.world.names("Pod")) + self.others
        used = NodeUse(ReplicaSize(Fraction(pods), Fraction(pods * 2**30)), pods)
        node = {
            "metadata": {"name": "node-1", "labels": {}},
            "status": {"allocatable": {"cpu": str(self.cores), "memory": "64Gi", "pods": "110"}},
        }
        return ClusterRoom(**{"nodes": (node,), "used": {"node-1": used}, "runtime": RUNTIME, **self.more})


def a_scaled_world(
    cores: int, replicas: int = 4, mode: Literal["refuse", "warn", "off"] = "refuse", **spec: Any
) -> World:
    """Version 1 serves with that many replicas, and version 2 is asked for in a cluster of so many cores."""
    world = a_serving_world(**{"rollout": CANARY, "slo": SLO, **TWO, **spec})
    world.settings = world.settings.model_copy(update={"serving": ServingSettings(capacity_check=mode)})
    deployment = world.api.objects[Ref("Deployment", "demo", predictor(world.status.revision))]
    deployment["spec"]["replicas"] = replicas
    world.settle()
    world.room = Nodes(world, cores)
    world.users.rate = 200
    world.sleep(30)
    world.ask(version="2")
    return world


def waiting(world: World) -> bool:
    return state(world).reason == "InsufficientCapacity"


def live_until_waiting(world: World) -> None:
    live_until(world, lambda _: waiting(world))


def nodes(world: World) -> Nodes:
    assert isinstance(world.room, Nodes)
    return world.room


def test_a_cluster_with_room_for_both_lets_every_step_begin() -> None:
    world = a_scaled_world(cores=8)

    live_until_ended(world)

    assert last(world).outcome is Outcome.PROMOTED
    assert "InsufficientCapacity" not in [reason for _, reason in world.said]


def test_a_step_without_room_waits_and_goes_on_once_there_is_some() -> None:
    world = a_scaled_world(cores=6)

    live_until_waiting(world)
    kept = traffic(world)
    for _ in range(30):
        world.look()
        world.step()
        world.sleep(1)

    assert (kept, traffic(world), state(world).phase) == ({"1": 50, "2": 50}, kept, Phase.HOLDING)
    assert len(world.names("Pod")) == 6, "nothing stays Pending"
    assert state(world).message == (
        f"All the traffic takes 2 replicas more of revision {world.revision('2').name}, each with "
        "1 core, 1 GiB, and there is room for 0: node-1 has 0 cores, 58 GiB free. It goes on by itself once there is: "
        "add or free nodes, or ask for less (spec.serving.resources). Where a cluster autoscaler adds nodes, set "
        "config.serving.capacityCheck: warn."
    )
    assert world.condition("Reconciling") == ("True", "InsufficientCapacity")
    assert world.condition("Ready")[0] == "True"
    assert [kind for kind, reason in world.said if reason == "RolloutHolding"] == ["Warning"]

    nodes(world).cores = 8
    live_until_ended(world)

    assert last(world).outcome is Outcome.PROMOTED


def test_a_middle_step_names_itself_and_what_one_pod_may_at_most_have() -> None:
    world = a_scaled_world(cores=5)
    full = {"metadata": {"name": "node-0"}, "spec": {"unschedulable": True}}
    nodes(world).more = {"nodes": (full, *({**full, "metadata": {"name": f"old-{n}"}} for n in range(3)))}

    live_until_waiting(world)

    assert state(world).message.startswith("The start takes 1 replica more")
    assert "node-0 is cordoned, old-0 is cordoned, old-1 is cordoned, and 1 more nodes no more" in state(world).message
    nodes(world).more = {}
    live_until(world, lambda rollout: rollout.phase is Phase.HOLDING and waiting(world))
    assert state(world).message.startswith("Step 2 of 2 (50 % of the traffic) takes 1 replica more")


def test_a_start_without_room_makes_no_pod_and_begins_by_itself_later() -> None:
    world = a_scaled_world(cores=4)

    live_until_waiting(world)
    stood = len(world.names("InferenceService"))

    assert (state(world).phase, stood, traffic(world)) == (Phase.BUILDING, 1, {"1": 100})
    assert state(world).message.startswith("The start takes 1 replica more of revision ")
    assert world.decide().requeue_after == 10
    assert world.condition("Ready")[0] == "True"

    nodes(world).cores = 8
    live_until_ended(world)

    assert last(world).outcome is Outcome.PROMOTED


def test_what_is_missing_is_told_anew_when_that_changes() -> None:
    world = a_scaled_world(cores=6)
    live_until_waiting(world)

    nodes(world).cores = 7
    live_until(world, lambda rollout: "node-1 has 1 core," in rollout.message)

    assert "there is room for 1" in state(world).message


@pytest.mark.parametrize("cores", [4, 6], ids=["before the start", "before a step"])
def test_while_it_is_asked_again_it_waits_as_before(cores: int) -> None:
    world = a_scaled_world(cores)
    live_until_waiting(world)
    before = state(world)

    world.room = lambda: PENDING
    for _ in range(5):
        world.look()
        world.sleep(1)

    assert (state(world).phase, state(world).message) == (before.phase, before.message)


@pytest.mark.parametrize("cores", [4, 6], ids=["before the start", "before a step"])
def test_nothing_begins_before_it_is_known(cores: int) -> None:
    world = a_scaled_world(cores)
    world.room = lambda: PENDING

    for _ in range(20):
        world.look()
        world.step()
        world.sleep(1)

    assert state(world).phase is Phase.BUILDING
    world.room = Nodes(world, 8)
    live_until_ended(world)
    assert last(world).outcome is Outcome.PROMOTED


@pytest.mark.parametrize(
    "unknown",
    [
        None,
        Failure("Refused", "nodes is forbidden", retry=True),
        ClusterRoom(),
        ClusterRoom(nodes=({"metadata": {"name": "node-1"}},)),
    ],
    ids=["nobody asks", "may not be listed", "no nodes", "nothing is requested"],
)
def test_what_cannot_be_known_refuses_nothing(unknown: Any) -> None:
    world = a_scaled_world(cores=4)
    world.room = lambda: unknown

    live_until_ended(world)

    assert last(world).outcome is Outcome.PROMOTED


def test_pods_with_a_priority_are_left_to_the_scheduler() -> None:
    world = a_scaled_world(cores=4, serving={"priorityClassName": "high-priority"})

    live_until_ended(world)

    assert last(world).outcome is Outcome.PROMOTED


def test_where_nodes_are_added_it_begins_and_says_what_is_missing() -> None:
    world = a_scaled_world(cores=6, mode="warn")

    live_until_waiting(world)

    assert state(world).phase is Phase.BAKING
    assert state(world).message.startswith(f"Revision {world.revision('2').name} gets all the traffic; the old one")
    assert state(world).message.endswith("its pods wait for nodes (config.serving.capacityCheck: warn).")
    assert ("Warning", "RolloutBaking") in world.said
    live_until_ended(world)
    assert last(world).outcome is Outcome.PROMOTED


def test_off_means_off() -> None:
    world = a_scaled_world(cores=1, mode="off")

    live_until_ended(world)

    assert last(world).outcome is Outcome.PROMOTED


def test_a_first_revision_is_left_to_the_scheduler() -> None:
    world = a_built_world(**TWO)
    world.room = Nodes(world, 0)

    world.settle()

    assert traffic(world) == {"1": 100}


def test_a_promotion_by_command_is_refused_in_the_same_words() -> None:
    world = a_scaled_world(cores=6)
    live_until_phase(world, Phase.ADVANCING)
    tell(world, "promote")
    world.look()

    command = state(world).command
    assert command is not None
    assert command.answer.startswith("Refused: All the traffic takes 3 replicas more of revision ")
    assert traffic(world).get("2", 0) < 50

    nodes(world).cores = 8
    world.room = lambda: PENDING
    tell(world, "promote", "again")
    world.look()
    assert state(world).command == command, "it is answered once that is known"
    world.room = Nodes(world, 8)
    live_until_ended(world)
    assert last(world).outcome is Outcome.PROMOTED


def test_one_that_promotes_when_undecided_waits_for_room_as_well() -> None:
    undecided = {**CANARY, "maxDuration": "1m", "onInconclusive": "Promote", "steps": [{"weight": 10, "hold": "1h"}]}
    world = a_scaled_world(cores=6, rollout=undecided)

    live_until_waiting(world)
    assert (state(world).phase, state(world).message[:15]) == (Phase.HOLDING, "All the traffic")

    nodes(world).cores = 8
    live_until_ended(world)
    assert last(world).outcome is Outcome.PROMOTED


def test_a_preview_waits_for_room_for_all_of_it() -> None:
    world = a_scaled_world(cores=7, rollout={"strategy": "BlueGreen", "bake": "10s"})

    live_until_waiting(world)
    assert (state(world).phase, state(world).message[:28]) == (Phase.STARTING, "The preview at full capacity")

    nodes(world).cores = 8
    live_until_ended(world)
    assert last(world).outcome is Outcome.PROMOTED


def test_users_of_a_test_come_once_there_is_room_for_them() -> None:
    world = a_scaled_world(cores=5, rollout={"strategy": "AB", "ab": {"weight": 50, "duration": "10s", "header": "u"}})

    live_until_waiting(world)
    assert state(world).message.startswith("An A/B test with 50 % of the users takes 1 replica more")

    nodes(world).cores = 8
    live_until_phase(world, Phase.SPLITTING)


def test_what_the_old_one_gives_back_is_room_for_the_one_that_replaces_it() -> None:
    fixed: dict[str, Any] = {"serving": {"replicas": 2}, "scaling": None, "rollout": {"strategy": "Recreate"}}
    world = a_scaled_world(cores=2, replicas=2, **fixed)
    requests = RUNTIME["containers"][0]["resources"]["requests"]  # type: ignore[index]
    for ref, pod in world.api.of_kind("Pod"):
        world.api.objects[ref] = {**pod, "spec": {"nodeName": "node-1", "containers": RUNTIME["containers"]}}
    quota = {"metadata": {"name": "models"}, "status": {"hard": {"requests.cpu": "2"}, "used": {"requests.cpu": "2"}}}
    world.room = Nodes(world, 2, quotas=(quota,))

    live_until_ended(world)

    assert (last(world).outcome, requests["cpu"]) == (Outcome.PROMOTED, "1")


def test_one_too_large_does_not_begin_to_replace_the_one_that_serves() -> None:
    world = a_scaled_world(cores=2, replicas=2, serving={"replicas": 2}, scaling=None, rollout={"strategy": "Recreate"})
    world.ask(serving={"replicas": 2, "resources": {"requests": {"cpu": "3"}}})

    live_until_waiting(world)

    assert state(world).message.startswith("The new revision in place of the old one takes 2 replicas more")
    assert "each with 3 cores, 1 GiB" in state(world).message
    assert traffic(world) == {"1": 100}


def test_a_quota_that_allows_fewer_is_named() -> None:
    world = a_scaled_world(cores=99)
    quota = {"metadata": {"name": "models"}, "status": {"hard": {"memory": "6Gi"}, "used": {"memory": "5632Mi"}}}
    world.room = Nodes(world, 99, quotas=(quota,))

    live_until_waiting(world)

    assert "there is room for 0: ResourceQuota models leaves 0.5 GiB of memory." in state(world).message


def test_a_pause_is_told_before_the_room_that_is_missing() -> None:
    steps = {**CANARY, "steps": [{"weight": 50, "pause": True}]}
    world = a_scaled_world(cores=6, rollout=steps)
    live_until(world, lambda rollout: rollout.reason == "PauseStep")

    tell(world, "resume")
    live_until_waiting(world)

    assert state(world).phase is Phase.HOLDING


def test_one_that_is_held_by_command_says_that() -> None:
    world = a_scaled_world(cores=4)
    live_until_waiting(world)

    tell(world, "pause")
    live_until(world, lambda rollout: rollout.reason == "Paused")
    tell(world, "resume", "on")
    live_until_waiting(world)

    assert state(world).phase is Phase.BUILDING
