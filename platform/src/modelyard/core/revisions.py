"""The revisions of a Model and the immediate switch from one to the next, as a pure state machine.

    Starting --answered, nobody serves--> Serving
    Starting --answered, another serves--> Joining   raw weights 1 : 1,000,000, so Envoy has its cluster
    Joining  --programmed and settled--> Serving
    Serving  --another serves--> Leaving   raw weights 1 : 1,000,000, so Envoy keeps the old cluster
    Leaving  --programmed and settled--> Draining   weight 0, requests in flight end
    Draining --programmed and drain time over--> removed
    Starting --no longer wanted--> Dropped --programmed and settled--> removed
    Joining  --no longer wanted--> Leaving
    Leaving  --wanted again--> Serving, and the other way round for the one that served
    Draining --wanted again--> Joining
    Dropped  --wanted again--> Starting

The weight of 1 before the first and after the last is what loses no request: Envoy Gateway makes and
drops the cluster of a backend together with the route that uses it, and for a moment Envoy may know the
one without the other and answer 500 for that backend's share. At 1 of 1,000,001 nobody notices.

A stage's time counts from when the gateway was first seen to carry its weights (`carried`), however long
that took: traffic must have had the whole time to go elsewhere.

At most two revisions exist, because the route has two slots: a third wish waits until one is gone. A
revision that serves is never touched by a new one that does not come up.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from modelyard.api.status import RevisionStatus, Stage

from .conditions import epoch, timestamp
from .desired.routing import Backend

FULL = 1_000_000
"""Raw weight beside which 1 is next to nothing, yet keeps the other side's cluster alive."""


@dataclass(frozen=True)
class Facts:
    """What the machine may know of the world at `now`.

    `ready` names revisions with all replicas ready, `answered` those of them that answered a warm-up;
    `programmed` says whether the gateway carries the raw weights of the stages as they are; `settle`,
    `drain` and `start` are seconds.
    """

    now: float
    ready: frozenset[str]
    answered: frozenset[str]
    programmed: bool
    settle: float
    drain: float
    start: float


def advance(
    revisions: Sequence[RevisionStatus], wanted: RevisionStatus | None, facts: Facts
) -> tuple[RevisionStatus, ...]:
    """The revisions as they should be now; `wanted` is None while it is not known or not built."""
    kept = tuple(_observed(one, facts) for one in revisions)
    again = wanted.name if wanted else ""
    kept = tuple(_aged(one, facts) for one in kept if one.name == again or not _over(one, facts))
    if wanted is None:
        return kept
    kept = tuple(_unwanted(one, facts) if one.name != wanted.name else _wanted_again(one, facts) for one in kept)
    if all(one.name != wanted.name for one in kept):
        return _started(kept, wanted, facts)
    return _switched(kept, wanted.name, facts)


def backends(revisions: Sequence[RevisionStatus], reachable: frozenset[str]) -> list[Backend]:
    """The revisions with a Service, with the raw weights their stages ask for."""
    stages = {one.stage for one in revisions}
    beside = Stage.LEAVING in stages or Stage.JOINING in stages
    raw = {
        Stage.SERVING: FULL if beside else 100,
        Stage.JOINING: 1,
        Stage.LEAVING: 1,
        Stage.STARTING: 0 if Stage.SERVING in stages else 100,
    }
    return [Backend(one.name, one.slot, raw.get(one.stage, 0)) for one in revisions if one.name in reachable]


def next_deadline(revisions: Sequence[RevisionStatus], facts: Facts) -> float | None:
    """Seconds until time alone will change something; None when it will not, or something must happen first."""
    waits = [_rest(one, facts) for one in revisions if one.carried and one.stage is not Stage.SERVING]
    waits += [facts.start - (facts.now - epoch(one.since)) for one in revisions if one.stage is Stage.STARTING]
    return min((wait for wait in waits if wait > 0), default=None)


def _rest(one: RevisionStatus, facts: Facts) -> float:
    """Seconds that are left of a stage the gateway carries; 0 or less when its time is over."""
    patience = facts.drain if one.stage is Stage.DRAINING else facts.settle
    return patience - (facts.now - epoch(one.carried))


def _rested(one: RevisionStatus, facts: Facts) -> bool:
    return one.carried != "" and _rest(one, facts) <= 0


def _over(one: RevisionStatus, facts: Facts) -> bool:
    return one.stage in (Stage.DRAINING, Stage.DROPPED) and facts.programmed and _rested(one, facts)


def _aged(one: RevisionStatus, facts: Facts) -> RevisionStatus:
    if one.stage is Stage.LEAVING and facts.programmed and _rested(one, facts):
        return _to(one, Stage.DRAINING, 0, facts)
    return one


def _observed(one: RevisionStatus, facts: Facts) -> RevisionStatus:
    """The revision as it is seen now: ready or not, and carried since when."""
    unproven = one.stage in (Stage.STARTING, Stage.DROPPED) and one.name not in facts.answered
    seen: dict[str, object] = {"ready": one.name in facts.ready and not unproven}
    if facts.programmed and not one.carried and one.stage is not Stage.STARTING:
        seen["carried"] = timestamp(facts.now)
    return one.model_copy(update=seen)


def _unwanted(one: RevisionStatus, facts: Facts) -> RevisionStatus:
    after = {Stage.STARTING: Stage.DROPPED, Stage.JOINING: Stage.LEAVING}.get(one.stage)
    return _to(one, after, 0, facts) if after else one


def _wanted_again(one: RevisionStatus, facts: Facts) -> RevisionStatus:
    return _to(one, Stage.STARTING, 0, facts) if one.stage is Stage.DROPPED else one


def _started(kept: tuple[RevisionStatus, ...], wanted: RevisionStatus, facts: Facts) -> tuple[RevisionStatus, ...]:
    free = [slot for slot in ("a", "b") if all(one.slot != slot for one in kept)]
    if not free:
        return kept
    return (*kept, wanted.model_copy(update={"slot": free[0], "since": timestamp(facts.now)}))


def _switched(kept: tuple[RevisionStatus, ...], wanted: str, facts: Facts) -> tuple[RevisionStatus, ...]:
    """The wanted revision takes the traffic once it answered and the gateway knows it; who held it before leaves."""
    target = next(one for one in kept if one.name == wanted)
    if target.stage is Stage.SERVING or wanted not in facts.answered:
        return kept
    held = any(one.stage is Stage.SERVING for one in kept)
    if held and target.stage in (Stage.STARTING, Stage.DRAINING):
        return tuple(_to(one, Stage.JOINING, 0, facts) if one.name == wanted else one for one in kept)
    if target.stage is Stage.JOINING and not (facts.programmed and _rested(target, facts)):
        return kept
    return tuple(
        _to(one, Stage.SERVING, 100, facts)
        if one.name == wanted
        else (_to(one, Stage.LEAVING, 0, facts) if one.stage is Stage.SERVING else one)
        for one in kept
    )


def _to(one: RevisionStatus, stage: Stage, weight: int, facts: Facts) -> RevisionStatus:
    return one.model_copy(update={"stage": stage, "weight": weight, "since": timestamp(facts.now), "carried": ""})
