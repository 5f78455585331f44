"""No replicas while nobody asks, and no request lost for it: a pure state machine over `status.idle`.

    Awake       --may rest, and no request for idleAfter--> Holding       the holders join the revision's endpoints
    Holding     --settled, and nothing waits--> Zero                      the Deployment is scaled to 0
    Holding     --may rest no longer, or a request--> HandingOver
    Zero        --a request waits, or may rest no longer--> Waking        the Deployment is scaled up
    Waking      --a replica is ready--> HandingOver                       the holders hand over what waits
    HandingOver --settled--> Awake                                        the holders leave the endpoints
    HandingOver --no replica is ready any more--> Waking

A Model may rest while its spec says `minReplicas: 0`, one revision holds all the traffic and is what the spec asks for,
no rollout is under way, and a holder is ready. The holders are endpoints of the revision's Service from Holding to
HandingOver; whenever they are and a replica is ready they hand requests on at once, so both may be asked. Settled means
that the gateway has had `settle` seconds to learn of an endpoint before the other ones go.

Awake counts from when it began, too: a request that the gateway does not count for the route, such as one pinned to a
revision by header, wakes a Model for `idleAfter` all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from modelyard.api.quantity import seconds
from modelyard.api.status import IdleState, IdleStatus, RevisionStatus, Stage
from modelyard.core.conditions import epoch, timestamp
from modelyard.core.snapshot import Snapshot

from .readiness import ready_replicas

_FRESH_SECONDS = 60.0
"""How old the gateway's newest counts may be for a Model to be called idle."""
_KEPT = 20
"""Cold starts."""
HELD_STATES = frozenset({IdleState.HOLDING, IdleState.ZERO, IdleState.WAKING, IdleState.HANDING_OVER})
"""The states in which the holders are endpoints of the revision."""


@dataclass(frozen=True)
class IdleFacts:
    """What this state machine may know at `now` (epoch seconds).

    `holder` is the revision that holds all the traffic, empty when none does; `may_rest` by the rule above; `quiet` are
    the seconds without a counted request, as far as is known; `waiting` requests wait at the holders; `replicas` of the
    revision are ready; `settle` and `idle_after` in seconds.
    """

    now: float
    holder: str
    may_rest: bool
    quiet: float
    waiting: int
    replicas: int
    settle: float
    idle_after: float


def idle_facts(
    snapshot: Snapshot, revisions: Sequence[RevisionStatus], at_rest: bool, settle: float
) -> IdleFacts | None:
    """The facts for a Model; None for one that never rests and has nothing to come back from.

    `at_rest` says that no rollout is under way and the spec asks for the revision that serves.
    """
    spec = snapshot.model.spec
    if not spec.may_rest and snapshot.model.status.idle is None:
        return None
    alone = revisions[0] if len(revisions) == 1 and revisions[0].stage is Stage.SERVING else None
    holder = next((one.name for one in revisions if one.stage is Stage.SERVING), "")
    return IdleFacts(
        now=snapshot.now,
        holder=holder,
        may_rest=spec.may_rest and at_rest and alone is not None and bool(snapshot.holders.addresses),
        quiet=_quiet(snapshot),
        waiting=snapshot.holders.waiting.get(holder, 0),
        replicas=ready_replicas(snapshot, holder) if holder else 0,
        settle=settle,
        idle_after=seconds(spec.scaling.idle_after) if spec.scaling is not None else 0.0,
    )


def advance_idle(before: IdleStatus | None, facts: IdleFacts | None) -> IdleStatus | None:
    """The state now; None for a Model that is awake for good."""
    if facts is None or not facts.holder:
        return None
    if before is None or before.revision != facts.holder:
        return _entered(IdleState.AWAKE, facts) if facts.may_rest else None
    after = _next(before, facts)
    if after is IdleState.AWAKE and not facts.may_rest and before.state in (IdleState.AWAKE, IdleState.HANDING_OVER):
        return None
    if after is before.state:
        return before
    return _entered(after, facts, _cold_starts(before, after, facts))


def idle_wait(idle: IdleStatus | None, facts: IdleFacts | None) -> float | None:
    """Seconds until time alone may change the state; None when something else has to happen first."""
    if idle is None or facts is None:
        return None
    if idle.state is IdleState.AWAKE:
        return max(1.0, facts.idle_after - _idle_for(idle, facts)) if facts.may_rest else None
    if idle.state in (IdleState.HOLDING, IdleState.HANDING_OVER):
        return max(0.0, facts.settle - _age(idle, facts))
    return None


def _next(before: IdleStatus, facts: IdleFacts) -> IdleState:
    settled = _age(before, facts) >= facts.settle
    match before.state:
        case IdleState.AWAKE:
            idle = facts.may_rest and not facts.waiting and _idle_for(before, facts) >= facts.idle_after
            return IdleState.HOLDING if idle else IdleState.AWAKE
        case IdleState.HOLDING:
            if not facts.may_rest or facts.waiting or facts.quiet < facts.idle_after:
                return IdleState.HANDING_OVER
            return IdleState.ZERO if settled else IdleState.HOLDING
        case IdleState.ZERO:
            return IdleState.WAKING if facts.waiting or not facts.may_rest else IdleState.ZERO
        case IdleState.WAKING:
            return IdleState.HANDING_OVER if facts.replicas else IdleState.WAKING
        case _:
            if not facts.replicas:
                return IdleState.WAKING
            return IdleState.AWAKE if settled else IdleState.HANDING_OVER


def _idle_for(idle: IdleStatus, facts: IdleFacts) -> float:
    return min(facts.quiet, _age(idle, facts))


def _age(idle: IdleStatus, facts: IdleFacts) -> float:
    return max(0.0, facts.now - epoch(idle.since))


def _entered(state: IdleState, facts: IdleFacts, cold_starts: Sequence[float] = ()) -> IdleStatus:
    return IdleStatus(
        state=state, revision=facts.holder, since=timestamp(facts.now), cold_starts=list(cold_starts)[-_KEPT:]
    )


def _cold_starts(before: IdleStatus, after: IdleState, facts: IdleFacts) -> list[float]:
    """Those that are known, and the one that has just ended; coming back from HandingOver is none."""
    woken = before.state is IdleState.WAKING and after is IdleState.HANDING_OVER
    return [*before.cold_starts, *([round(_age(before, facts), 1)] if woken else [])]


def _quiet(snapshot: Snapshot) -> float:
    """Seconds without a counted request; 0 while the gateway's counts are missing or old."""
    traffic = snapshot.traffic
    fresh = bool(traffic.windows) and snapshot.now - traffic.windows[-1].end <= _FRESH_SECONDS
    return traffic.quiet if fresh and not traffic.failure else 0.0
