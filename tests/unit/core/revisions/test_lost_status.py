"""A status that names no revision any more, because somebody edited it or restored the Model without one."""

from typing import Any

import pytest

from modelyard.api.rollout_status import Phase
from modelyard.core.names import predictor
from modelyard.core.snapshot import Ref
from tests.support.worlds.builders import a_new_world, a_serving_world
from tests.support.worlds.rollouts import a_rollout_world, live_until_phase, traffic
from tests.support.worlds.world import World


def a_canary(step: int = 0) -> World:
    """Version 2 has a share of the traffic."""
    world = a_rollout_world()
    live_until_phase(world, Phase.ADVANCING, step)
    world.run_until(lambda: min(weight for _, weight in world.weights()) > 1)
    return world


def without_weights(route: dict[str, Any]) -> None:
    """Somebody edits a route so that nobody gets a request."""
    for backend in route["spec"]["rules"][0]["backendRefs"]:
        backend["weight"] = 0


@pytest.mark.parametrize("step", [0, 1])
def test_in_a_canary_the_stable_has_the_traffic_again_and_the_candidate_is_tried_anew(step: int) -> None:
    world = a_canary(step)
    revisions = world.names("InferenceService")
    slots = {revision.name: revision.slot for revision in world.status.revisions}
    world.model["status"] = {}
    plan = world.look()

    assert traffic(world)["unknown"] >= 90
    assert not [ref for ref in plan.delete if ref.kind == "InferenceService"]
    assert world.names("InferenceService") == revisions
    assert {revision.name: revision.slot for revision in world.status.revisions} == slots
    assert world.condition("Serving")[0] == "True"
    live_until_phase(world, Phase.ADVANCING, 0)
    live_until_phase(world, Phase.IDLE)
    assert traffic(world) == {"2": 100}


def test_at_rest_nothing_changes() -> None:
    world = a_serving_world()
    before, weights = world.status.revisions, world.weights()
    world.model["status"] = {}
    plan = world.look()

    assert [route for route in plan.apply if route["kind"].endswith("Route")] == []
    assert world.weights() == weights
    assert traffic(world) == {"1": 100}
    assert [(one.name, one.slot) for one in world.status.revisions] == [(one.name, one.slot) for one in before]


def test_a_revision_of_the_same_build_keeps_its_version() -> None:
    world = a_serving_world()
    world.model["status"] = {}
    world.ask(serving={"resources": {"requests": {"cpu": "2"}}})
    world.look()

    assert traffic(world) == {"1": 100}


def test_while_the_registry_is_away_the_one_that_serves_is_known_and_of_two_nobody_is_chosen() -> None:
    alone, two = a_serving_world(), a_canary()
    for world in (alone, two):
        world.model["status"] = {}
        world.registry_away = True
    weights = two.weights()
    for _ in range(3):
        alone.look()
        two.look()

    assert traffic(alone) == {"unknown": 100}
    assert alone.condition("Serving")[0] == "True"
    assert two.status.revisions == []
    assert two.weights() == weights
    assert len(two.names("InferenceService")) == 2


def test_a_route_that_sends_nobody_anywhere_tells_of_no_revision() -> None:
    world = a_serving_world()
    world.promises.excused.add(predictor(world.revision("1").name))
    world.edit(Ref("HTTPRoute", "demo", "digits"), without_weights)
    world.model["status"] = {}
    world.look()

    assert world.stage_of("1") == "Starting"
    new = a_new_world()
    new.look()
    assert new.status.revisions == []
