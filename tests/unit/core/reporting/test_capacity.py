"""A replica's capacity is reported as long as the build it was measured of holds the traffic."""

from modelyard.core.snapshot import Ref
from tests.support.worlds.builders import a_built_world
from tests.support.worlds.world import World


def a_world_with_a_capacity(digest: str = "") -> World:
    world = a_built_world()
    world.settle()
    world.model["status"]["capacity"] = {"requestsPerSecond": 120.0, "at": "p99<50ms", "cpu": 1, "digest": digest}
    return world


def known(world: World) -> float | None:
    return world.status.capacity.requests_per_second if world.status.capacity else None


def test_it_stays_while_its_build_serves() -> None:
    world = a_world_with_a_capacity(digest=a_built_world().build_of("1"))

    world.ask(slo={"errorRate": "1%"})
    world.settle()

    assert known(world) == 120.0
    assert world.status.capacity is not None
    assert world.status.capacity.measured


def test_that_of_another_build_is_forgotten() -> None:
    world = a_world_with_a_capacity(digest=a_built_world().build_of("1"))

    world.ask(version="2")
    world.settle()

    assert known(world) is None


def test_one_of_nobody_knows_which_build_stays() -> None:
    world = a_world_with_a_capacity()

    world.ask(version="2")
    world.settle()

    assert known(world) == 120.0


def test_without_a_revision_there_is_none() -> None:
    world = a_world_with_a_capacity()
    world.model["status"]["revisions"] = []
    world.lose(Ref("HTTPRoute", "demo", world.name))

    assert world.decide().status is not None
    assert "capacity" not in (world.decide().status or {})
