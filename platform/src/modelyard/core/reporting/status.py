"""What is said of a Model: its conditions, the rest of its status, and the events that go with a change.

Ready sums up: the wanted revision holds all the traffic and the gateway carries the routes. While it
does not, Reconciling says what is under way, or Stalled what a person has to mend; Serving says apart
from that whether users get answers, because a bad new wish never takes the old answer away.
"""

from typing import Any, NamedTuple

from modelyard.api.rollout_status import Phase
from modelyard.api.status import EntryStatus, ModelStatus, OptimizationStatus, RevisionStatus, Stage
from modelyard.core.artifacts.resolve import ResolvedArtifact
from modelyard.core.conditions import ConditionUpdate, events, merge
from modelyard.core.names import host
from modelyard.core.plan import Event
from modelyard.core.revisions.failures import failure_of
from modelyard.core.revisions.route_status import routed
from modelyard.core.snapshot import Failure

from .events import rollout_events
from .view import DecisionView, ready_replicas

_AWAITED = frozenset({Phase.BUILDING, Phase.STARTING, Phase.REPLACING})
_VAGUE = ("NotReady", "StartTimedOut")


class Obstacle(NamedTuple):
    """The first station that is not reached, and whether a person is needed to reach it."""

    finding: ConditionUpdate
    stuck: bool


def status(outlook: DecisionView) -> tuple[dict[str, Any] | None, tuple[Event, ...]]:
    """The status to write, None when it stands already, and the events of its changes."""
    model, old, holder = outlook.model, outlook.model.status, outlook.serving_revision
    conditions = merge(old.conditions, _findings(outlook), model.generation, outlook.snapshot.now)
    new = ModelStatus(
        observed_generation=model.generation,
        conditions=conditions,
        entry=_entry(outlook),
        build=outlook.wanted.build or old.build,
        optimization=_optimization(outlook),
        revisions=list(outlook.revisions),
        rollout=outlook.rollout,
        version=holder.version if holder else "",
        revision=holder.name if holder else "",
        traffic=_traffic(outlook),
    )
    new = new.model_copy(update=_addresses(outlook) if outlook.routes else {})
    if new == old:
        return None, ()
    said = (*events(old.conditions, conditions), *rollout_events(old.rollout, outlook.rollout))
    return new.model_dump(by_alias=True, exclude_none=True, mode="json"), tuple(dict.fromkeys(said))


def _traffic(outlook: DecisionView) -> str:
    """Shares in percent: the holder's, and the other's when it has one."""
    holder = outlook.serving_revision
    if holder is None:
        return "0%"
    others = [one for one in outlook.revisions if one.stage is Stage.SERVING and one is not holder]
    return " + ".join(f"{one.weight}%" for one in (holder, *others))


def _entry(outlook: DecisionView) -> EntryStatus | None:
    """What this spec resolved to. An older spec's entry is not kept: it would pass for this one's."""
    entry = outlook.wanted.entry
    return EntryStatus(name=entry.name, version=entry.version, digest=entry.digest) if entry is not None else None


def _optimization(outlook: DecisionView) -> OptimizationStatus | None:
    """How far the optimization is; what was known of it while the entry is not."""
    wanted, spec = outlook.wanted, outlook.model.spec
    if wanted.optimizing is not None:
        return wanted.optimizing.status
    return outlook.model.status.optimization if wanted.entry is None and spec.optimize is not None else None


def _addresses(outlook: DecisionView) -> dict[str, str]:
    model, gateway = outlook.model, outlook.settings.gateway
    name = host(model.name, model.namespace, gateway.domain)
    path = f"{gateway.public_url.rstrip('/')}/{model.namespace}/{model.name}" if gateway.public_url else ""
    return {"url": f"http://{name}", "path_url": path, "grpc": f"{name}:80"}


def _findings(outlook: DecisionView) -> dict[str, ConditionUpdate]:
    trouble = _outage(outlook) if outlook.candidate is None else _trouble(outlook, outlook.candidate)
    stations = {
        "EntryResolved": outlook.wanted.resolved,
        "Built": outlook.wanted.built,
        "Serving": _serving(outlook, trouble),
        "Routed": routed(outlook.snapshot, outlook.routes, outlook.serving_revision, outlook.settings.gateway),
    }
    obstacle = _obstacle(outlook, trouble, stations["Routed"])
    return stations | _summary(obstacle, stations["Serving"])


def _trouble(outlook: DecisionView, revision: RevisionStatus) -> Failure | None:
    """Why a revision does not answer: its pods, or the answer to its warm-up."""
    found = failure_of(outlook.snapshot, revision, outlook.settings.serving.start_seconds)
    if found is not None and found.reason not in _VAGUE:
        return found
    probe = outlook.snapshot.probes.get(revision.name)
    if probe is not None and not probe.answered:
        said = probe.message.rstrip(".")
        return Failure("WarmupFailed", f"The warm-up request was not answered: {said}.", retry=True)
    return found if found is not None and found.reason != "NotReady" else None


def _outage(outlook: DecisionView) -> Failure | None:
    """Why nobody answers although a revision holds the traffic; None while one of its replicas is ready."""
    holder = outlook.serving_revision
    if holder is None or ready_replicas(outlook.snapshot, holder.name) > 0:
        return None
    down = f"No replica of revision {holder.name} (version {holder.version}) is ready, so requests fail until one is."
    return _trouble(outlook, holder) or Failure("NoReplicaReady", down, retry=True)


def _serving(outlook: DecisionView, trouble: Failure | None) -> ConditionUpdate:
    if outlook.serving_revision is not None:
        trouble = _outage(outlook)
    if trouble is not None:
        return ConditionUpdate(False, trouble.reason, trouble.message)
    if outlook.serving_revision is not None:
        name, version = outlook.serving_revision.name, outlook.serving_revision.version
        return ConditionUpdate(True, "Answering", f"Revision {name} (version {version}) holds the traffic.")
    if not outlook.revisions:
        return ConditionUpdate(False, "NoRevision", "No revision has been started yet.")
    return ConditionUpdate(False, "Starting", f"Revision {outlook.revisions[-1].name} is starting.")


def _obstacle(outlook: DecisionView, trouble: Failure | None, route: ConditionUpdate) -> Obstacle | None:
    wanted, candidate = outlook.wanted, outlook.candidate
    if wanted.resolved.holds is not True:
        return Obstacle(wanted.resolved, wanted.stalled)
    if wanted.built.holds is not True and wanted.revision is None:
        return Obstacle(wanted.built, wanted.stalled)
    if trouble is not None:
        return Obstacle(ConditionUpdate(False, trouble.reason, trouble.message), not trouble.retry)
    under_way = _under_way(outlook)
    if under_way is not None:
        return under_way
    if candidate is not None and candidate.stage is Stage.JOINING:
        joins = f"Revision {candidate.name} answered; the gateway is told of it before it gets the traffic."
        return Obstacle(ConditionUpdate(False, "Joining", joins), False)
    if candidate is not None:
        return Obstacle(ConditionUpdate(False, "Starting", f"Revision {candidate.name} is starting."), False)
    if wanted.revision is not None and all(one.name != wanted.revision.name for one in outlook.revisions):
        waits = "Both slots of the route are taken until the revision before last has drained; the new one follows."
        return Obstacle(ConditionUpdate(False, "WaitingForSlot", waits), False)
    if not route.holds:
        return Obstacle(route, False)
    return None if wanted.built.holds else Obstacle(wanted.built, _gave_up(wanted))


def _gave_up(wanted: ResolvedArtifact) -> bool:
    """The optimization failed for good, and what is wished serves without it."""
    return wanted.optimizing is not None and bool(wanted.optimizing.status.failure)


def _under_way(outlook: DecisionView) -> Obstacle | None:
    """A rollout that watches, ends, or has ended against what the spec still asks for."""
    rollout = outlook.rollout
    if rollout.active and rollout.phase not in _AWAITED:
        return Obstacle(ConditionUpdate(False, rollout.reason or rollout.phase.value, rollout.message), False)
    wanted = outlook.wanted.revision
    if wanted is None or wanted.name != rollout.rejected:
        return None
    again = f"apply another spec, or try it again by `modelyard rollout retry {outlook.model.name}`"
    refused = (
        f"Revision {wanted.name} (version {wanted.version}) does not serve: {rollout.message.rstrip('.')}; {again}."
    )
    return Obstacle(ConditionUpdate(False, rollout.reason or "Refused", refused), True)


def _summary(obstacle: Obstacle | None, answering: ConditionUpdate) -> dict[str, ConditionUpdate]:
    """Ready, Reconciling and Stalled."""
    if obstacle is None:
        calm = ConditionUpdate(False, "Done", "Everything is as the spec says.")
        return {"Ready": ConditionUpdate(True, "Serving", answering.message), "Reconciling": calm, "Stalled": calm}
    finding, stuck = obstacle
    still = f" {answering.message}" if answering.holds else ""
    return {
        "Ready": ConditionUpdate(False, finding.reason, finding.message + still),
        "Reconciling": ConditionUpdate(not stuck, finding.reason, finding.message),
        "Stalled": ConditionUpdate(stuck, finding.reason, finding.message),
    }
