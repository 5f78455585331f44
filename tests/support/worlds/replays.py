"""Rollouts told again with a crash: once for every write that was made, stopped just before it and started anew.

A `Story` is a world, what people do in it when something is seen, and when it is over. `forks` follows it once,
undisturbed, and leaves a copy of the world at every write; each copy is then lived to its own end.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from modelyard.core.plan import Plan
from modelyard.core.snapshot import Ref
from tests.support.worlds.apiserver import copied
from tests.support.worlds.rollouts import state
from tests.support.worlds.world import World

LOOKS = 600


@dataclass(frozen=True)
class Story:
    """`happen` is asked after every reconcile pass and must be the same for the same world."""

    begin: Callable[[], World]
    happen: Callable[[World], object] = lambda world: None


class Told:
    """A world on its way through a story, and the candidate's shares as the gateway carried them."""

    def __init__(self, story: Story, world: World) -> None:
        self.story, self.world = story, world
        self.shares: list[int] = []
        self.over = False

    def fork(self, writes: int) -> "Told":
        """The same from here on, but the operator stops after so many writes of its next pass."""
        fork = Told(self.story, copied(self.world))
        fork.shares = list(self.shares)
        fork.world.look(crash_after=writes)
        return fork

    def look(self) -> None:
        """A reconcile pass, what people do about it, and a step or some time."""
        plan = self.world.look()
        self.story.happen(self.world)
        self._note()
        moved = self.world.step()
        self._note()
        rollout = state(self.world)
        calm = not moved and plan.empty
        self.over = calm and plan.requeue_after is None and not rollout.active and bool(rollout.history)
        if calm and plan.requeue_after is not None:
            self.world.sleep(plan.requeue_after)

    def to_the_end(self) -> "Told":
        """Lived until nothing is left to do."""
        for _ in range(LOOKS):
            if self.over:
                return self
            self.look()
        raise AssertionError(f"never over: {self.world.status.rollout}")

    def _note(self) -> None:
        weight = candidate_share(self.world)
        if [weight] != self.shares[-1:]:
            self.shares.append(weight)


def candidate_share(world: World) -> int:
    """Version 2's share of the traffic in percent, as the gateway carries it over HTTP."""
    versions = {revision.name: revision.version for revision in world.status.revisions}
    route = next(
        (spec for ref, spec in world.gateway.carried.items() if ref == Ref("HTTPRoute", "demo", world.name)), {}
    )
    weights = route["rules"][0]["backendRefs"] if route else []
    total = sum(backend["weight"] for backend in weights) or 1
    candidate = (b["weight"] for b in weights if versions.get(b["name"].removesuffix("-predictor")) == "2")
    return round(100 * sum(candidate) / total)


def written(plan: Plan) -> int:
    """Writes of a plan, questions to the gateway included."""
    return (plan.status is not None) + len(plan.apply) + len(plan.scale) + len(plan.delete) + len(plan.warmups)


def forks(told: Told) -> Iterator[Told]:
    """A world for every prefix of the writes; `told` is lived to its end on the way."""
    for _ in range(LOOKS):
        if told.over:
            return
        for writes in range(written(told.world.decide())):
            yield told.fork(writes)
        told.look()
    raise AssertionError(f"never over: {told.world.status.rollout}")


def end(world: World) -> dict[str, Any]:
    """Everything that is left, without times and counts, which a pause changes."""
    rollout = state(world).model_dump(
        exclude={"phase_start_time", "retain_until", "history", "command", "start_time", "last_analysis_time", "gates"}
    )
    return {
        "rollout": {
            key: value
            for key, value in rollout.items()
            if key not in ("message", "requests", "failed_requests", "report")
        },
        "history": [(record.version, record.outcome, record.reason) for record in state(world).history],
        "revisions": [(each.version, each.slot, each.stage, each.weight) for each in world.status.revisions],
        "conditions": [(each.type, each.status, each.reason) for each in world.status.conditions],
        "objects": {ref: thing.get("spec") for ref, thing in sorted(world.api.objects.items())},
        "examined": sorted(state(world).report or ()),
    }
