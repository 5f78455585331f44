"""`kubectl scale` and autoscalers of a Model: what its Deployments get, what the status tells, also in a rollout."""

from typing import Any

import pytest

from modelyard.core.names import predictor
from modelyard.core.snapshot import Ref
from tests.support.worlds.builders import a_serving_world
from tests.support.worlds.rollouts import CANARY, SLO, live_until, live_until_ended, traffic
from tests.support.worlds.world import World

RANGE = {"minReplicas": 1, "maxReplicas": 6}


def scaled(world: World, replicas: int) -> None:
    """Somebody writes the scale subresource."""
    world.ask(serving={**world.model["spec"].get("serving", {}), "replicas": replicas})


def deployed(world: World, version: str = "1") -> int:
    deployment = world.object("Deployment", predictor(world.revision(version).name))
    assert deployment is not None
    return deployment["spec"]["replicas"]


def autoscaled(world: World, replicas: int) -> None:
    """An autoscaler of the Deployment chooses."""
    ref = Ref("Deployment", "demo", predictor(world.status.revision))
    world.edit(ref, lambda thing: thing["spec"].update(replicas=replicas))


@pytest.mark.parametrize("spec", [{}, {"scaling": RANGE}], ids=["fixed", "range"])
def test_the_number_is_followed_up_and_down(spec: dict[str, Any]) -> None:
    world = a_serving_world(**spec)
    seen = []
    for number in (4, 2, 1):
        scaled(world, number)
        assert world.settle().empty
        seen.append((deployed(world), world.status.replicas))

    assert seen == [(4, 4), (2, 2), (1, 1)]


def test_the_status_tells_the_replicas_and_the_selector_of_what_serves() -> None:
    world = a_serving_world(serving={"replicas": 3})

    assert world.status.replicas == 3
    assert world.status.selector == f"modelyard.dev/revision={world.status.revision}"


def test_a_candidates_pods_are_not_told_as_capacity() -> None:
    world = a_serving_world(rollout=CANARY, slo=SLO, serving={"replicas": 2})
    world.users.rate = 50
    world.sleep(30)
    before = world.status.revision
    world.ask(version="2")

    live_until(world, lambda rollout: traffic(world).get("2") == 50)

    assert (world.status.replicas, world.status.selector) == (2, f"modelyard.dev/revision={before}")
    live_until_ended(world)
    world.settle()
    assert world.status.selector == f"modelyard.dev/revision={world.status.revision}" != before


def test_a_model_that_serves_nothing_tells_none() -> None:
    world = a_serving_world()
    world.model["status"] = {}
    world.lose(Ref("HTTPRoute", "demo", world.name))
    world.entries.clear()

    world.look()

    assert (world.status.replicas, world.status.selector) == (0, "")


def test_inside_the_range_an_autoscaler_of_the_deployment_chooses_until_the_number_changes() -> None:
    world = a_serving_world(scaling=RANGE)
    scaled(world, 2)
    world.settle()
    autoscaled(world, 5)
    world.settle()
    chosen = deployed(world)

    scaled(world, 3)
    world.settle()

    assert (chosen, deployed(world)) == (5, 3)


def test_a_number_below_the_range_means_its_fewest() -> None:
    world = a_serving_world(scaling={"minReplicas": 2, "maxReplicas": 4}, serving={"replicas": 1})
    assert deployed(world) == 2

    scaled(world, 4)
    world.settle()
    scaled(world, 1)
    world.settle()

    assert deployed(world) == 2


def test_a_model_begins_with_the_number_it_asks_for() -> None:
    assert deployed(a_serving_world(scaling=RANGE, serving={"replicas": 3})) == 3


def test_a_number_is_carried_out_though_the_operator_stops_after_every_write() -> None:
    world = a_serving_world(scaling=RANGE)
    scaled(world, 4)
    for crash in (0, 1, 1, 1, 2, 2):
        world.look(crash_after=crash)
        world.step()

    world.settle()

    assert deployed(world) == 4


def test_an_upgrade_leaves_what_an_autoscaler_chose() -> None:
    world = a_serving_world(scaling=RANGE)
    autoscaled(world, 4)
    world.settle()
    for field in ("replicas", "selector", "requestedReplicas"):
        world.model["status"].pop(field)

    world.settle()

    assert deployed(world) == 4


@pytest.mark.parametrize("spec", [{"serving": {"replicas": 4}}, {"scaling": RANGE}], ids=["fixed", "range"])
def test_in_a_rollout_the_stable_keeps_what_it_had_and_gives_it_up_afterwards(spec: dict[str, Any]) -> None:
    world = a_serving_world(rollout=CANARY, slo=SLO, **spec)
    scaled(world, 4)
    world.settle()
    world.users.rate = 50
    world.sleep(30)
    world.ask(version="2")
    live_until(world, lambda rollout: traffic(world).get("2") == 10)

    scaled(world, 2)
    live_until(world, lambda rollout: traffic(world).get("2") == 50)
    during = deployed(world)
    live_until_ended(world)
    world.settle()

    assert (during, deployed(world, "2")) == (4, 2)


def test_in_a_rollout_more_for_the_stable_is_more_for_the_candidate() -> None:
    world = a_serving_world(rollout={**CANARY, "steps": [{"weight": 50, "hold": "5m"}]}, slo=SLO, scaling=RANGE)
    scaled(world, 2)
    world.settle()
    world.users.rate = 50
    world.sleep(30)
    world.ask(version="2")
    live_until(world, lambda rollout: traffic(world).get("2") == 50)
    before = deployed(world, "2")

    scaled(world, 6)
    for _ in range(6):
        world.look()
        world.step()

    assert (before, deployed(world), deployed(world, "2")) == (1, 6, 3)


def test_a_rollouts_replicas_stay_below_the_ranges_end() -> None:
    world = a_serving_world(rollout=CANARY, slo=SLO, scaling=RANGE)
    scaled(world, 6)
    world.settle()
    world.users.rate = 50
    world.sleep(30)
    world.ask(version="2")
    live_until(world, lambda rollout: traffic(world).get("2") == 10)

    world.ask(scaling={"maxReplicas": 3}, serving={"replicas": 1})
    live_until_ended(world)
    world.settle()

    assert deployed(world, "2") <= 3
