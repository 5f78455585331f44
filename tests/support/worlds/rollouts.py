"""Worlds in which version 2 is rolled out beside version 1, and words for what becomes of it."""

from collections.abc import Callable
from typing import Any

from modelyard.api.rollout_status import Phase, RolloutRecord, RolloutStatus
from tests.support.worlds.builders import a_serving_world
from tests.support.worlds.world import World

SLO = {"errorRate": "1%", "latency": {"percentile": 99, "threshold": "50ms"}}
CANARY = {"strategy": "Canary", "steps": [{"weight": 10}, {"weight": 50}], "bake": "10s", "abortScaleDownDelay": "1m"}
LOOKS = 4000


def a_rollout_world(rate: float = 200, watched: float = 30, **rollout: Any) -> World:
    """Version 1 serves, users ask it, and the spec now asks for version 2 by a canary, or as said."""
    spec = {**CANARY, **rollout} if rollout.get("strategy", "Canary") == "Canary" else rollout
    world = a_serving_world(rollout=spec, slo=SLO)
    world.users.rate = rate
    world.sleep(watched)
    world.ask(version="2")
    return world


def state(world: World) -> RolloutStatus:
    """Where the rollout stands."""
    found = world.status.rollout
    assert found is not None
    return found


def last(world: World) -> RolloutRecord:
    """How the last rollout ended."""
    return state(world).history[0]


def live_until(world: World, reached: Callable[[RolloutStatus], bool]) -> None:
    """Looks and steps, second by second, until the rollout's state is as said."""
    world.run_until(lambda: reached(state(world)), LOOKS)


def live_until_phase(world: World, phase: Phase, step: int | None = None) -> None:
    """Until a phase, and a step of it, is reached."""
    live_until(world, lambda rollout: rollout.phase is phase and step in (None, rollout.step))


def live_until_ended(world: World) -> None:
    """Until a rollout that has begun is over."""
    live_until(world, lambda rollout: rollout.active)
    live_until_phase(world, Phase.IDLE)


def tell(world: World, action: str, number: str = "") -> None:
    """A person tells the rollout something."""
    rollout = {**world.model["spec"]["rollout"], "command": {"id": number or f"{action}-{world.now}", "action": action}}
    world.ask(rollout=rollout)


def traffic(world: World) -> dict[str, int]:
    """Share of every version, as the status says."""
    return {revision.version: revision.weight for revision in world.status.revisions if revision.weight}
