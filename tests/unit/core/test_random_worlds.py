"""Whatever happens to a Model, its promises hold on the way, and once the world is calm it ends where its spec says.

The promises on the way are checked by `tests.support.worlds.invariants` at every write.
"""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from modelyard.core.names import predictor
from tests.support.worlds.builders import a_draining_world, a_new_world, a_serving_world, a_switching_world
from tests.support.worlds.random_events import HAPPENINGS, Named
from tests.support.worlds.world import BROKEN, REFUSED, World


def live_through(world: World, happenings: list[Named]) -> None:
    for one in happenings:
        one.happen(world)
    world.calm_down()
    world.settle()


def wanted_version(world: World) -> str:
    source = world.model["spec"]["source"]
    return source.get("version") or world.aliases[source["alias"]]


def assert_ended_well(world: World) -> None:
    """The wish is served by one revision with all the traffic; or, if it cannot be, a person is told."""
    version = wanted_version(world)
    if version not in world.entries or version == BROKEN:
        assert world.condition("Stalled")[0] == "True"
        return
    if unoptimized(world):
        assert world.condition("Stalled") == ("True", REFUSED.reason)
        if world.model["spec"]["optimize"].get("wait"):
            return
        digest = world.build_of(version)
    else:
        assert world.condition("Ready") == ("True", "Serving")
        digest = world.optimized_of(version) or world.build_of(version)
    only = predictor(world.revision(version).name)
    assert [one.digest for one in world.status.revisions] == [digest]
    assert world.names("InferenceService") == [world.status.revision]
    assert {name for name, _ in world.weights()} == {only}
    assert sum(weight for _, weight in world.weights()) > 0
    assert_replicas_in_range(world, only)


def assert_replicas_in_range(world: World, name: str) -> None:
    scaling = world.model["spec"].get("scaling", {"minReplicas": 1, "maxReplicas": 1})
    deployment = world.object("Deployment", name)
    assert deployment is not None
    assert scaling["minReplicas"] <= deployment["spec"]["replicas"] <= scaling["maxReplicas"]


def unoptimized(world: World) -> bool:
    """The optimization that is asked for has failed."""
    found = world.status.optimization
    return found is not None and found.failure != ""


def an_optimizing_world() -> World:
    """The plain artifact of version 1 serves, and variants are tried."""
    world = a_serving_world()
    world.ask(optimize={})
    world.look()
    return world


BEGINNINGS = st.sampled_from([a_new_world, a_serving_world, a_switching_world, a_draining_world, an_optimizing_world])


@given(BEGINNINGS, HAPPENINGS)
def test_every_world_ends_where_its_spec_says_with_nothing_left_to_do(
    beginning: Callable[[], World], happenings: list[Named]
) -> None:
    world = beginning()

    live_through(world, happenings)

    assert_ended_well(world)
    plan = world.decide()
    assert plan.empty
    assert plan.requeue_after is None
