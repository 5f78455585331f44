"""The revisions of a Model and their way into the traffic and out of it, as a pure state machine.

`Orders` say which revision is to have which share; a revision gets there by these stages:

    Starting --answered, nobody serves--> Serving
    Starting --answered, a share is ordered--> Joining   raw weights 1 : 1,000,000, so Envoy has its cluster
    Joining  --programmed and settled--> Serving
    Serving  --no share, but to be kept ready--> Standby   raw weights 1 : 1,000,000 for as long as it is kept
    Standby  --a share is ordered--> Serving   at once: Envoy has its cluster
    Serving, Joining, Standby --no share--> Leaving   raw weights 1 : 1,000,000, so Envoy keeps the cluster
    Leaving  --programmed and settled--> Draining   weight 0, requests in flight end
    Draining --programmed and drain time over--> removed, unless it is to be kept
    Starting --no longer wanted--> Dropped --programmed and settled--> removed
    Leaving  --a share is ordered, answered--> Serving
    Draining --a share is ordered--> Joining
    Dropped  --wanted again--> Starting

The weight of 1 before the first and after the last is what loses no request: Envoy Gateway makes and
drops the cluster of a backend together with the route that uses it, and for a moment Envoy may know the
one without the other and answer 500 for that backend's share. At 1 of 1,000,001 nobody notices.

Shares change all at once, when every revision that is to have one can take it; until then those that serve
go on as they do. A stage's time counts from when the gateway was first seen to carry its weights (`carried`),
however long that took: traffic must have had the whole time to go elsewhere.

At most two revisions exist, because the route has two slots: a third wish waits until one is gone. A
revision that serves is never touched by a new one that does not come up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from modelyard.api.status import RevisionStatus, Stage
from modelyard.core.conditions import epoch, timestamp
from modelyard.core.resources.routes import Backend

FULL = 1_000_000
"""Raw weight beside which 1 is next to nothing, yet keeps the other side's cluster alive."""
_BESIDE = frozenset({Stage.LEAVING, Stage.JOINING, Stage.STANDBY})


@dataclass(frozen=True)
class RevisionFacts:
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


@dataclass(frozen=True)
class TrafficTarget:
    """What is wanted of the revisions, by name.

    `shares` in percent add up to 100, or are empty when nobody is to have traffic; `standby` stay ready to take
    all of it back; `kept` are not removed though they have no share; `start` is begun when it is not there.
    """

    shares: Mapping[str, int] = field(default_factory=dict)
    standby: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    start: RevisionStatus | None = None

    def wants(self, name: str) -> bool:
        """That revision is to be there."""
        return name in self.shares or name in self.standby or name in self.kept


def advance(
    revisions: Sequence[RevisionStatus], orders: TrafficTarget, facts: RevisionFacts
) -> tuple[RevisionStatus, ...]:
    """The revisions as they should be now."""
    kept = tuple(_refresh(one, facts) for one in revisions)
    kept = tuple(_expire(one, orders, facts) for one in kept if orders.wants(one.name) or not _over(one, facts))
    kept = tuple(_toward_target(one, orders, facts) for one in kept)
    if orders.start is not None and all(one.name != orders.start.name for one in kept):
        kept = _started(kept, orders.start, facts)
    return _shared(kept, orders, facts)


def backends(revisions: Sequence[RevisionStatus], reachable: frozenset[str]) -> list[Backend]:
    """The revisions with a Service, with the raw weights their stages ask for."""
    stages = {one.stage for one in revisions}
    scale = FULL // 100 if stages & _BESIDE else 1
    unserved = 0 if Stage.SERVING in stages else 100
    raw = {Stage.JOINING: 1, Stage.STANDBY: 1, Stage.LEAVING: 1, Stage.STARTING: unserved}
    return [
        Backend(one.name, one.slot, one.weight * scale if one.stage is Stage.SERVING else raw.get(one.stage, 0))
        for one in revisions
        if one.name in reachable
    ]


def next_deadline(revisions: Sequence[RevisionStatus], facts: RevisionFacts) -> float | None:
    """Seconds until time alone will change something; None when it will not, or something must happen first."""
    moving = [one for one in revisions if one.programmed_time and one.stage not in (Stage.SERVING, Stage.STANDBY)]
    waits = [_rest(one, facts) for one in moving]
    waits += [
        facts.start - (facts.now - epoch(one.stage_start_time)) for one in revisions if one.stage is Stage.STARTING
    ]
    return min((wait for wait in waits if wait > 0), default=None)


def _rest(one: RevisionStatus, facts: RevisionFacts) -> float:
    """Seconds that are left of a stage the gateway carries; 0 or less when its time is over."""
    patience = facts.drain if one.stage is Stage.DRAINING else facts.settle
    return patience - (facts.now - epoch(one.programmed_time))


def _rested(one: RevisionStatus, facts: RevisionFacts) -> bool:
    return one.programmed_time != "" and _rest(one, facts) <= 0


def _over(one: RevisionStatus, facts: RevisionFacts) -> bool:
    return one.stage in (Stage.DRAINING, Stage.DROPPED) and facts.programmed and _rested(one, facts)


def _expire(one: RevisionStatus, orders: TrafficTarget, facts: RevisionFacts) -> RevisionStatus:
    leaves = one.stage is Stage.LEAVING and one.name not in orders.standby
    return _to(one, Stage.DRAINING, 0, facts) if leaves and facts.programmed and _rested(one, facts) else one


def _refresh(one: RevisionStatus, facts: RevisionFacts) -> RevisionStatus:
    """The revision as it is seen now: ready or not, and carried since when."""
    unproven = one.stage in (Stage.STARTING, Stage.DROPPED) and one.name not in facts.answered
    seen: dict[str, object] = {"ready": one.name in facts.ready and not unproven}
    if facts.programmed and not one.programmed_time and one.stage is not Stage.STARTING:
        seen["programmed_time"] = timestamp(facts.now)
    return one.model_copy(update=seen)


def _toward_target(one: RevisionStatus, orders: TrafficTarget, facts: RevisionFacts) -> RevisionStatus:
    """One step towards the order for this revision, as far as it concerns no other's traffic."""
    if one.name in orders.standby:
        return _to(one, Stage.STANDBY, 0, facts) if one.stage in (Stage.LEAVING, Stage.JOINING) else one
    if orders.shares.get(one.name, 0) or one.stage is Stage.SERVING:
        return _to(one, Stage.STARTING, 0, facts) if one.stage is Stage.DROPPED else one
    if one.stage in (Stage.JOINING, Stage.STANDBY):
        return _to(one, Stage.LEAVING, 0, facts)
    if one.stage is Stage.STARTING and not orders.wants(one.name):
        return _to(one, Stage.DROPPED, 0, facts)
    return _to(one, Stage.STARTING, 0, facts) if one.stage is Stage.DROPPED and orders.wants(one.name) else one


def _started(
    kept: tuple[RevisionStatus, ...], wanted: RevisionStatus, facts: RevisionFacts
) -> tuple[RevisionStatus, ...]:
    free = [slot for slot in ("a", "b") if all(one.slot != slot for one in kept)]
    if not free:
        return kept
    return (*kept, wanted.model_copy(update={"slot": free[0], "stage_start_time": timestamp(facts.now)}))


def _shared(
    kept: tuple[RevisionStatus, ...], orders: TrafficTarget, facts: RevisionFacts
) -> tuple[RevisionStatus, ...]:
    """The shares as ordered, once all who are to have one can take it; the newcomers join meanwhile."""
    held = any(one.stage is Stage.SERVING for one in kept)
    if not orders.shares:
        return tuple(_to(one, Stage.LEAVING, 0, facts) if one.stage is Stage.SERVING else one for one in kept)
    able = {one.name for one in kept if _able(one, held, facts)}
    if set(orders.shares) <= able:
        return tuple(_with_weight(one, orders, facts) for one in kept)
    return tuple(_joining(one, facts) if held and one.name in orders.shares else one for one in kept)


def _able(one: RevisionStatus, held: bool, facts: RevisionFacts) -> bool:
    """It can take traffic: the gateway has its cluster, or nobody else has the traffic and it answered."""
    if one.stage in (Stage.SERVING, Stage.STANDBY):
        return True
    if one.name not in facts.answered:
        return False
    if one.stage is Stage.JOINING and held:
        return facts.programmed and _rested(one, facts)
    return one.stage is Stage.LEAVING or not held


def _joining(one: RevisionStatus, facts: RevisionFacts) -> RevisionStatus:
    fit = one.stage in (Stage.STARTING, Stage.DRAINING) and one.name in facts.answered
    return _to(one, Stage.JOINING, 0, facts) if fit else one


def _with_weight(one: RevisionStatus, orders: TrafficTarget, facts: RevisionFacts) -> RevisionStatus:
    share = orders.shares.get(one.name, 0)
    if share:
        return one if (one.stage, one.weight) == (Stage.SERVING, share) else _to(one, Stage.SERVING, share, facts)
    if one.stage is not Stage.SERVING:
        return one
    return _to(one, Stage.STANDBY if one.name in orders.standby else Stage.LEAVING, 0, facts)


def _to(one: RevisionStatus, stage: Stage, weight: int, facts: RevisionFacts) -> RevisionStatus:
    return one.model_copy(
        update={"stage": stage, "weight": weight, "stage_start_time": timestamp(facts.now), "programmed_time": ""}
    )
