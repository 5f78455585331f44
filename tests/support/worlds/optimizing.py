"""Worlds in which a version is optimized, and words for what is seen of it."""

from typing import Any

from modelyard.api.optimization import Progress
from modelyard.api.status import OptimizationStatus
from modelyard.core.conditions import timestamp
from modelyard.core.names import optimize_job_name
from modelyard.core.snapshot import Failure
from tests.support.worlds.builders import a_built_world
from tests.support.worlds.world import World

PLATFORM = "modelyard-system"
FOREVER = 10_000
TOO_SMALL = Failure("BudgetTooSmall", "30s are over before anything was tried: raise spec.optimize.budget.")
BROKE = Failure("BuildFailed", "Job modelyard-system/optimize-1 failed: its pod ran out of memory.", retry=True)
UNREACHED = Failure("Unreachable", "The builder could not reach the store.", retry=True)


def an_optimizing_world(**optimize: Any) -> World:
    """The plain artifact of version 1 is in the store, and the Job of the optimized one never ends by itself."""
    world = a_built_world(optimize=optimize)
    world.builders.tries = FOREVER
    world.run_until(lambda: world.condition("Reconciling")[1] == "Optimizing")
    return world


def an_optimized_world(**optimize: Any) -> World:
    """The optimized artifact of version 1 serves and all is calm."""
    world = a_built_world(optimize=optimize)
    world.settle()
    return world


def a_failing_world(failure: Failure, *, wait: bool = False, **optimize: Any) -> World:
    """The optimization of version 1 has failed, for good or until it is tried again."""
    world = a_built_world(optimize={**optimize, **({"wait": True} if wait else {})})
    world.builders.ends[job_of(world)] = failure
    if not failure.retry:
        world.settle()
        return world
    world.run_until(lambda: world.status.optimization is not None and bool(optimization(world).next_attempt_time))
    world.run_until(lambda: wait or world.condition("Serving")[0] == "True")
    return world


def job_of(world: World, version: str = "1") -> str:
    return optimize_job_name(world.optimized_of(version))


def jobs(world: World) -> list[str]:
    return world.names("Job")


def digests(world: World) -> list[str]:
    """Builds of the revisions there are."""
    return [revision.digest for revision in world.status.revisions]


def optimization(world: World) -> OptimizationStatus:
    """What the status says of it."""
    found = world.status.optimization
    assert found is not None
    return found


def heard(world: World, seconds_ago: float = 0.0, **progress: Any) -> None:
    """What the Job wrote of its progress."""
    at = timestamp(world.now - seconds_ago)
    said = {"done": 4, "planned": 9, "spent_seconds": 60.0, "at": at, **progress}
    world.progress[world.optimized_of("1")] = Progress.model_validate(said)


def a_world_whose_plain_version_2_was_refused() -> World:
    world = a_built_world(rollout={"strategy": "Canary", "abortScaleDownDelay": "10s"})
    world.settle()
    world.builders.tries = FOREVER
    world.ask(version="2", optimize={})
    world.run_until(lambda: world.stage_of("2") == "Starting")
    world.ask(rollout={"strategy": "Canary", "abortScaleDownDelay": "10s", "command": {"id": "1", "action": "abort"}})
    world.settle()
    return world
