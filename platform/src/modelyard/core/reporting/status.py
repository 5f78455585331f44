"""What is reported of a Model: its conditions, the rest of its status, and the events that go with a change.

Ready sums up for users: a revision answers them through routes that the gateway carries, and nothing needs a person.
It stays true while a new revision is built, started and tried. Until the spec as written now holds all the traffic,
Reconciling says what is under way, or Stalled what a person has to mend, and Progressing where the rollout stands.
"""

from typing import Any, NamedTuple

from modelyard.api.rollout_status import Phase, RolloutStatus
from modelyard.api.status import EntryStatus, IdleState, ModelStatus, OptimizationStatus, RevisionStatus, Stage
from modelyard.core.artifacts.resolved import ResolvedArtifact
from modelyard.core.conditions import REQUESTS_FAIL, ConditionUpdate, merge
from modelyard.core.names import host, preview_route_name
from modelyard.core.ownership import taken_names
from modelyard.core.plan import Event
from modelyard.core.revisions.failures import NOT_READY, failure_of
from modelyard.core.revisions.readiness import ready_replicas
from modelyard.core.revisions.route_status import accepted, routed
from modelyard.core.rollout.advance import initial_state
from modelyard.core.rollout.capacity.step_room import INSUFFICIENT
from modelyard.core.rollout.clock import start_patience
from modelyard.core.rollout.signals import UNKNOWN_SCENARIO
from modelyard.core.snapshot import Failure, ForeignObject, Ref

from .capacity import capacity_status
from .cost import cost_status
from .events import told
from .idle import asleep, cold_start_status, idle_condition
from .monitoring import monitoring_conditions, monitoring_status
from .outage import outage
from .passing_words import seconds_to_stand
from .scale import scale_status
from .scaling import scaling_status
from .view import DecisionView

_AWAITED = frozenset({Phase.BUILDING, Phase.STARTING, Phase.REPLACING})
_SERVING = "Secret ServiceAccount InferenceService Deployment PodDisruptionBudget HorizontalPodAutoscaler ScaledObject"
_STEP_OF = {"Job": "Built"} | dict.fromkeys(_SERVING.split(), "Serving")
"""The condition that an object of a kind is needed for; routes and their policies are for Routed."""
_VAGUE = (NOT_READY, "ReplicaMissing", "StartTimedOut")


class Obstacle(NamedTuple):
    """The first step that is not reached, as a condition, and whether only a person can reach it."""

    update: ConditionUpdate
    stuck: bool


class StatusReport(NamedTuple):
    """The status to write as plain values, None when it stands already, and the Events of what changes in it.

    `wait` are the seconds after which one that is not written yet is to be, None when there is none.
    """

    status: dict[str, Any] | None = None
    events: tuple[Event, ...] = ()
    wait: float | None = None


def status(view: DecisionView) -> StatusReport:
    """What is to be written of a Model now.

    While an answer is on its way, conditions are not written: in some seconds they would be others again. What
    happens to revisions and the rollout is. Words that may pass in a moment have to stand first (`passing_words.py`).
    """
    model, old, holder = view.model, view.model.status, view.serving_revision
    capacity, monitoring = capacity_status(view), monitoring_status(view)
    updates = _updates(view) | monitoring_conditions(view, monitoring)
    new = ModelStatus(
        observed_generation=model.generation,
        conditions=merge(old.conditions, updates, model.generation, view.snapshot.now),
        entry=_entry(view),
        build=view.artifact.build or old.build,
        optimization=_optimization(view),
        capacity=capacity,
        cost=cost_status(view, capacity),
        revisions=list(view.revisions),
        idle=view.idle,
        cold_start=cold_start_status(view),
        rollout=view.rollout,
        monitoring=monitoring,
        retraining=view.retraining,
        version=holder.version if holder else "",
        revision=holder.name if holder else "",
        traffic=_traffic(view),
        scaling=scaling_status(view),
    )
    new = new.model_copy(update={**scale_status(view), **(_addresses(view) if view.routes else {})})
    if new == old or (view.snapshot.incomplete and _stands(view)):
        return StatusReport()
    events = told(old, new)
    wait = None if events else seconds_to_stand(old, new, view.snapshot.now)
    if wait is not None:
        return StatusReport(wait=wait)
    return StatusReport(new.model_dump(by_alias=True, exclude_none=True, mode="json"), events)


def _stands(view: DecisionView) -> bool:
    """Whether revisions, rollout and replicas are as the status has them, or nothing has begun yet."""
    old = view.model.status
    if not old.revisions and not view.revisions:
        return True
    return list(view.revisions) == old.revisions and view.rollout == initial_state(old) and view.idle == old.idle


def _traffic(view: DecisionView) -> str:
    """Weights in percent, such as `90% + 10%`: the serving revision's, then the other's when it has one."""
    holder = view.serving_revision
    if holder is None:
        return "0%"
    others = [revision for revision in view.revisions if revision.stage is Stage.SERVING and revision is not holder]
    return " + ".join(f"{revision.weight}%" for revision in (holder, *others))


def _entry(view: DecisionView) -> EntryStatus | None:
    """What this spec resolved to. An older spec's entry is not kept: it would pass for this one's."""
    entry = view.artifact.entry
    if entry is None:
        return None
    return EntryStatus(name=entry.name, version=entry.version, digest=entry.digest, python=entry.python)


def _optimization(view: DecisionView) -> OptimizationStatus | None:
    """How far the optimization is; what was known of it while the entry is not."""
    artifact, spec = view.artifact, view.model.spec
    if artifact.optimizing is not None:
        return artifact.optimizing.status
    return (
        view.model.status.optimization
        if artifact.entry is None and (spec.optimize or spec.tune or spec.cache)
        else None
    )


def _addresses(view: DecisionView) -> dict[str, str]:
    model, gateway = view.model, view.settings.gateway
    name = host(model.name, model.namespace, gateway.domain)
    path = f"{gateway.public_url.rstrip('/')}/{model.namespace}/{model.name}" if gateway.public_url else ""
    return {"url": f"http://{name}", "path_url": path, "grpc": f"{name}:80"}


def _updates(view: DecisionView) -> dict[str, ConditionUpdate]:
    failure = _outage(view) if view.candidate is None else _failure(view, view.candidate)
    steps = {
        "EntryResolved": view.artifact.resolved,
        "Built": view.artifact.built,
        "Serving": _serving(view, failure),
        "Routed": routed(view.snapshot, view.routes, view.revisions, view.serving_revision, view.settings.gateway),
    }
    steps |= _taken(view)
    obstacle = _obstacle(view, failure, steps["Routed"])
    sums = _summary(view, obstacle, steps) | {"Progressing": _progressing(view.rollout)}
    return steps | sums | {"Routed": _said_of_routes(view, steps["Routed"])}


def _said_of_routes(view: DecisionView, route: ConditionUpdate) -> ConditionUpdate:
    """Who has users stays published while the gateway takes up other weights; Reconciling tells that it does."""
    if route.reason != "Publishing" or not view.routes or not _still_published(view):
        return route
    gateway = view.settings.gateway
    said = f"Gateway {gateway.namespace}/{gateway.name} carries all routes and takes up their latest version."
    return ConditionUpdate(True, "Accepted", said)


def _taken(view: DecisionView) -> dict[str, ConditionUpdate]:
    """The steps that cannot be reached because somebody else's object has the name of ours."""
    by_step: dict[str, dict[Ref, ForeignObject]] = {}
    for ref, foreign in view.snapshot.foreign.items():
        by_step.setdefault(_STEP_OF.get(ref.kind, "Routed"), {})[ref] = foreign
    if view.serving_revision is not None:
        by_step.pop("Serving", None)
    refusals = ((step, taken_names(foreign)) for step, foreign in by_step.items())
    return {step: ConditionUpdate(False, refused.reason, refused.message) for step, refused in refusals if refused}


def _failure(view: DecisionView, revision: RevisionStatus) -> Failure | None:
    """Why a revision does not answer: what is wrong with its pods, or with its warm-up; None when neither."""
    patience = start_patience(view.snapshot.model.status, view.settings.serving.start_seconds, view.snapshot.now)
    failure = failure_of(view.snapshot, revision, patience)
    if failure is not None and failure.reason not in _VAGUE:
        return failure
    probe = view.snapshot.probes.get(revision.name)
    if probe is not None and not probe.answered:
        message = probe.message.rstrip(".")
        return Failure("WarmupFailed", f"The warm-up request was not answered: {message}.", retry=True)
    return failure if failure is not None and failure.reason == "StartTimedOut" else None


def _outage(view: DecisionView) -> Failure | None:
    """Why users get no answers although a revision holds the traffic: no replica is ready, or their requests fail."""
    holder = view.serving_revision
    if holder is None:
        return None
    if ready_replicas(view.snapshot, holder.name) > 0:
        return _failing(view, holder)
    if asleep(view):
        return _failure(view, holder) if view.idle and view.idle.state is IdleState.WAKING else None
    down = f"No replica of revision {holder.name} (version {holder.version}) is ready, so requests fail until one is."
    return _failure(view, holder) or Failure("NoReplicaReady", down, retry=True)


def _failing(view: DecisionView, holder: RevisionStatus) -> Failure | None:
    """What the gateway counts, whatever the pods say; in the words of the moment in which it was first seen."""
    failed = outage(view.model.spec, view.snapshot.traffic, holder.slot, view.snapshot.now)
    if failed is None:
        return None
    before = view.model.status.condition("Serving")
    if before is not None and before.reason == REQUESTS_FAIL and holder.name in before.message:
        return Failure(REQUESTS_FAIL, before.message, retry=True)
    message = (
        f"The gateway counts {failed.failed} of {failed.requests} requests of the last minute as failed, though "
        f"replicas of revision {holder.name} (version {holder.version}) are ready: read their log, restart them, or "
        "set spec.source to a version that works."
    )
    return Failure(REQUESTS_FAIL, message, retry=True)


def _serving(view: DecisionView, failure: Failure | None) -> ConditionUpdate:
    if view.serving_revision is not None:
        failure = _outage(view)
    if failure is not None:
        return ConditionUpdate(False, failure.reason, failure.message)
    if view.serving_revision is not None:
        name, version = view.serving_revision.name, view.serving_revision.version
        resting = idle_condition(view)
        if resting is not None:
            return resting
        return ConditionUpdate(True, "Answering", f"Revision {name} (version {version}) holds the traffic.")
    if not view.revisions:
        return ConditionUpdate(False, "NoRevision", "No revision has been started yet.")
    return ConditionUpdate(False, "Starting", f"Revision {view.revisions[-1].name} is starting.")


def _obstacle(view: DecisionView, failure: Failure | None, route: ConditionUpdate) -> Obstacle | None:
    artifact, candidate = view.artifact, view.candidate
    if artifact.resolved.holds is not True:
        return Obstacle(artifact.resolved, artifact.stalled)
    taken = taken_names(view.snapshot.foreign)
    if taken is not None:
        return Obstacle(ConditionUpdate(False, taken.reason, taken.message), not taken.retry)
    if artifact.built.holds is not True and artifact.revision is None:
        return Obstacle(artifact.built, artifact.stalled)
    if failure is not None:
        return Obstacle(ConditionUpdate(False, failure.reason, failure.message), not failure.retry)
    under_way = _under_way(view)
    if under_way is not None:
        return under_way
    if candidate is not None and candidate.stage is Stage.JOINING:
        joins = f"Revision {candidate.name} answered; the gateway is told of it before it gets the traffic."
        return Obstacle(ConditionUpdate(False, "Joining", joins), False)
    if candidate is not None:
        return Obstacle(ConditionUpdate(False, "Starting", f"Revision {candidate.name} is starting."), False)
    if artifact.revision is not None and all(revision.name != artifact.revision.name for revision in view.revisions):
        waits = "Both slots of the route are taken until the revision before last has drained; the new one follows."
        return Obstacle(ConditionUpdate(False, "WaitingForSlot", waits), False)
    if not route.holds:
        return Obstacle(route, False)
    return None if artifact.built.holds else Obstacle(artifact.built, _gave_up(artifact))


def _gave_up(artifact: ResolvedArtifact) -> bool:
    """Whether the optimization failed for good, so that the plain artifact serves on without it."""
    return artifact.optimizing is not None and bool(artifact.optimizing.status.failure)


def _under_way(view: DecisionView) -> Obstacle | None:
    """A rollout that watches, ends, or has ended against what the spec still asks for."""
    rollout = view.rollout
    if rollout.active and (rollout.phase not in _AWAITED or rollout.reason in (INSUFFICIENT, UNKNOWN_SCENARIO)):
        stuck = rollout.reason == UNKNOWN_SCENARIO
        return Obstacle(ConditionUpdate(False, rollout.reason or rollout.phase.value, rollout.message), stuck)
    revision = view.artifact.revision
    if revision is None or revision.name != rollout.rejected:
        return None
    again = f"apply another spec, or try it again by `modelyard rollout retry {view.model.name}`"
    refused = (
        f"Revision {revision.name} (version {revision.version}) does not serve: {rollout.message.rstrip('.')}; {again}."
    )
    return Obstacle(ConditionUpdate(False, rollout.reason or "Refused", refused), True)


def _progressing(rollout: RolloutStatus) -> ConditionUpdate:
    """Where the rollout stands; how the last one ended while none is under way."""
    last = rollout.message or "No rollout is under way."
    return ConditionUpdate(rollout.active, rollout.reason or rollout.phase.value, last)


def _summary(
    view: DecisionView, obstacle: Obstacle | None, steps: dict[str, ConditionUpdate]
) -> dict[str, ConditionUpdate]:
    """Ready, Reconciling and Stalled; the obstacle's sentence is in all of them."""
    answering = steps["Serving"]
    if obstacle is None:
        calm = ConditionUpdate(False, "Done", "Everything is as the spec says.")
        return {"Ready": ConditionUpdate(True, "Serving", answering.message), "Reconciling": calm, "Stalled": calm}
    update, stuck = obstacle
    still = f" {answering.message}" if answering.holds else ""
    served = answering.holds and not stuck and (steps["Routed"].holds or _still_published(view))
    return {
        "Ready": ConditionUpdate(True, "Serving", f"{answering.message} {update.message}")
        if served
        else ConditionUpdate(False, update.reason, update.message + still),
        "Reconciling": ConditionUpdate(not stuck, update.reason, update.message),
        "Stalled": ConditionUpdate(stuck, update.reason, update.message),
    }


def _still_published(view: DecisionView) -> bool:
    """Users were served before, and the gateway carries their routes while it takes up newer weights or a preview."""
    ready = view.model.status.condition("Ready")
    served = ready is not None and ready.status == "True"
    preview = preview_route_name(view.model.name)
    routes = [route for route in view.routes if route["metadata"]["name"] != preview]
    return served and accepted(view.snapshot, routes, view.settings.gateway)
