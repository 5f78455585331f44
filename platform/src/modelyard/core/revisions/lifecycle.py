"""The revisions of a Model and their way into the traffic and out of it, as a pure state machine.

A `TrafficTarget` says which revision is to have which weight; a revision gets there by these stages:

    Starting --answered, nobody serves--> Serving
    Starting --answered, a weight is due--> Joining    raw weights 1 : 1,000,000, so Envoy has its cluster
    Joining  --programmed and settled--> Serving
    Serving  --no weight, but to be kept ready--> Standby   raw weights 1 : 1,000,000 for as long as it is kept
    Standby  --a weight is due--> Serving   at once: Envoy has its cluster
    Serving, Joining, Standby --no weight--> Leaving   raw weights 1 : 1,000,000, so Envoy keeps the cluster
    Leaving  --programmed and settled--> Draining   weight 0, requests in flight end
    Draining --programmed and drain time over--> removed, unless it is to be kept
    Starting --no longer wanted--> Dropped --programmed and settled--> removed
    Leaving  --a weight is due, answered--> Serving
    Draining --a weight is due--> Joining
    Dropped  --wanted again--> Starting

The weight of 1 before the first and after the last is what loses no request: Envoy Gateway makes and
drops the cluster of a backend together with the route that uses it, and for a moment Envoy may know the
one without the other and answer 500 for that backend's requests. At 1 of 1,000,001 nobody notices.

Weights change all at once, when every revision that is to have one can take it; until then those that serve
go on as they do. A stage's time counts from when the gateway was first seen to carry its weights (`programmed_time`),
however long that took: traffic must have had the whole time to go elsewhere.

At most two revisions exist, because the route has two slots: a third revision waits until one is gone. A
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
    """What this state machine may know of the world at `now` (seconds since the epoch).

    `ready` names revisions with all replicas ready, `answered` those of them that answered a warm-up request;
    `programmed` says whether the gateway carries the raw weights of the stages as they are; `settle`, `drain` and
    `start` are the seconds a stage takes to settle, to drain, and may take to start.
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
    """What traffic each revision is to have in the end, by name.

    `weights` in percent add up to 100, or are empty when nobody is to have traffic; `standby` stay ready to take all of
    it back; `kept` are not removed though they have no weight; `start` is begun when it is not there.
    """

    weights: Mapping[str, int] = field(default_factory=dict)
    standby: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    start: RevisionStatus | None = None

    def wants(self, name: str) -> bool:
        """Whether that revision is to exist."""
        return name in self.weights or name in self.standby or name in self.kept


def advance(
    revisions: Sequence[RevisionStatus], target: TrafficTarget, facts: RevisionFacts
) -> tuple[RevisionStatus, ...]:
    """The revisions as they should be now, from those of the status, as far towards `target` as the facts allow.

    A new one that `target` starts gets the free slot; without a free slot it waits for a later pass.
    """
    kept = tuple(_refresh(revision, facts) for revision in revisions)
    kept = tuple(
        _expire(revision, target, facts)
        for revision in kept
        if target.wants(revision.name) or not _over(revision, facts)
    )
    kept = tuple(_toward_target(revision, target, facts) for revision in kept)
    if target.start is not None and all(revision.name != target.start.name for revision in kept):
        kept = _started(kept, target.start, facts)
    return _shared(kept, target, facts)


def carried(revisions: Sequence[RevisionStatus], now: float) -> tuple[RevisionStatus, ...]:
    """The revisions when the gateway is seen to carry the raw weights of their stages, at `now` at the latest.

    So it does when the first revision begins to serve: it was its route's only backend before.
    """
    return tuple(_carried(revision, now) for revision in revisions)


def backends(revisions: Sequence[RevisionStatus], reachable: frozenset[str]) -> list[Backend]:
    """The revisions in `reachable` (those with a Service) with the raw weights their stages ask for.

    Percentages are multiplied by 10,000 while some revision needs the raw weight of 1 beside 1,000,000.
    """
    stages = {revision.stage for revision in revisions}
    scale = FULL // 100 if stages & _BESIDE else 1
    unserved = 0 if Stage.SERVING in stages else 100
    raw = {Stage.JOINING: 1, Stage.STANDBY: 1, Stage.LEAVING: 1, Stage.STARTING: unserved}
    return [
        Backend(
            revision.name,
            revision.slot,
            revision.weight * scale if revision.stage is Stage.SERVING else raw.get(revision.stage, 0),
        )
        for revision in revisions
        if revision.name in reachable
    ]


def next_deadline(revisions: Sequence[RevisionStatus], facts: RevisionFacts) -> float | None:
    """Seconds until time alone will change something; None when it will not, or something else must happen first."""
    moving = [
        revision
        for revision in revisions
        if revision.programmed_time and revision.stage not in (Stage.SERVING, Stage.STANDBY)
    ]
    waits = [_rest(revision, facts) for revision in moving]
    waits += [
        facts.start - (facts.now - epoch(revision.stage_start_time))
        for revision in revisions
        if revision.stage is Stage.STARTING
    ]
    return min((wait for wait in waits if wait > 0), default=None)


def _rest(revision: RevisionStatus, facts: RevisionFacts) -> float:
    """Seconds that are left of a stage the gateway carries; 0 or less when its time is over."""
    patience = facts.drain if revision.stage is Stage.DRAINING else facts.settle
    return patience - (facts.now - epoch(revision.programmed_time))


def _rested(revision: RevisionStatus, facts: RevisionFacts) -> bool:
    return revision.programmed_time != "" and _rest(revision, facts) <= 0


def _over(revision: RevisionStatus, facts: RevisionFacts) -> bool:
    return revision.stage in (Stage.DRAINING, Stage.DROPPED) and facts.programmed and _rested(revision, facts)


def _expire(revision: RevisionStatus, target: TrafficTarget, facts: RevisionFacts) -> RevisionStatus:
    leaves = revision.stage is Stage.LEAVING and revision.name not in target.standby
    return (
        _to(revision, Stage.DRAINING, 0, facts)
        if leaves and facts.programmed and _rested(revision, facts)
        else revision
    )


def _refresh(revision: RevisionStatus, facts: RevisionFacts) -> RevisionStatus:
    """The revision as it is seen now: ready or not, and carried since when."""
    unproven = revision.stage in (Stage.STARTING, Stage.DROPPED) and revision.name not in facts.answered
    seen = revision.model_copy(update={"ready": revision.name in facts.ready and not unproven})
    return _carried(seen, facts.now) if facts.programmed else seen


def _carried(revision: RevisionStatus, now: float) -> RevisionStatus:
    if revision.programmed_time or revision.stage is Stage.STARTING:
        return revision
    return revision.model_copy(update={"programmed_time": timestamp(now)})


def _toward_target(revision: RevisionStatus, target: TrafficTarget, facts: RevisionFacts) -> RevisionStatus:
    """The revision one stage on towards the target, as far as that concerns no other revision's traffic."""
    if revision.name in target.standby:
        return _to(revision, Stage.STANDBY, 0, facts) if revision.stage in (Stage.LEAVING, Stage.JOINING) else revision
    if target.weights.get(revision.name, 0) or revision.stage is Stage.SERVING:
        return _to(revision, Stage.STARTING, 0, facts) if revision.stage is Stage.DROPPED else revision
    if revision.stage in (Stage.JOINING, Stage.STANDBY):
        return _to(revision, Stage.LEAVING, 0, facts)
    if revision.stage is Stage.STARTING and not target.wants(revision.name):
        return _to(revision, Stage.DROPPED, 0, facts)
    return (
        _to(revision, Stage.STARTING, 0, facts)
        if revision.stage is Stage.DROPPED and target.wants(revision.name)
        else revision
    )


def _started(
    kept: tuple[RevisionStatus, ...], start: RevisionStatus, facts: RevisionFacts
) -> tuple[RevisionStatus, ...]:
    free = [slot for slot in ("a", "b") if all(revision.slot != slot for revision in kept)]
    if not free:
        return kept
    return (*kept, start.model_copy(update={"slot": free[0], "stage_start_time": timestamp(facts.now)}))


def _shared(
    kept: tuple[RevisionStatus, ...], target: TrafficTarget, facts: RevisionFacts
) -> tuple[RevisionStatus, ...]:
    """The target's weights, once every revision that is to have one can take it; until then newcomers join."""
    held = any(revision.stage is Stage.SERVING for revision in kept)
    if not target.weights:
        return tuple(
            _to(revision, Stage.LEAVING, 0, facts) if revision.stage is Stage.SERVING else revision for revision in kept
        )
    able = {revision.name for revision in kept if _able(revision, held, facts)}
    if set(target.weights) <= able:
        return tuple(_with_weight(revision, target, facts) for revision in kept)
    return tuple(
        _joining(revision, facts) if held and revision.name in target.weights else revision for revision in kept
    )


def _able(revision: RevisionStatus, held: bool, facts: RevisionFacts) -> bool:
    """It can take traffic: the gateway has its cluster, or nobody else has the traffic and it answered."""
    if revision.stage in (Stage.SERVING, Stage.STANDBY):
        return True
    if revision.name not in facts.answered:
        return False
    if revision.stage is Stage.JOINING and held:
        return facts.programmed and _rested(revision, facts)
    return revision.stage is Stage.LEAVING or not held


def _joining(revision: RevisionStatus, facts: RevisionFacts) -> RevisionStatus:
    fit = revision.stage in (Stage.STARTING, Stage.DRAINING) and revision.name in facts.answered
    return _to(revision, Stage.JOINING, 0, facts) if fit else revision


def _with_weight(revision: RevisionStatus, target: TrafficTarget, facts: RevisionFacts) -> RevisionStatus:
    weight = target.weights.get(revision.name, 0)
    if weight:
        return (
            revision
            if (revision.stage, revision.weight) == (Stage.SERVING, weight)
            else _to(revision, Stage.SERVING, weight, facts)
        )
    if revision.stage is not Stage.SERVING:
        return revision
    return _to(revision, Stage.STANDBY if revision.name in target.standby else Stage.LEAVING, 0, facts)


def _to(revision: RevisionStatus, stage: Stage, weight: int, facts: RevisionFacts) -> RevisionStatus:
    return revision.model_copy(
        update={"stage": stage, "weight": weight, "stage_start_time": timestamp(facts.now), "programmed_time": ""}
    )
