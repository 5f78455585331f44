"""What is told of `spec.scaling`: who chooses the number of replicas, by what, and that the number has changed."""

from modelyard.api.scheduling.scaling import ScalingStatus
from modelyard.api.status import ModelStatus, RevisionStatus
from modelyard.core.autoscaling.choice import Autoscaler
from modelyard.core.autoscaling.health import Complaint, complaint
from modelyard.core.autoscaling.objects import KIND_OF, capacity_of, choice_for
from modelyard.core.autoscaling.target import replica_target, sentence
from modelyard.core.event_types import means_harm
from modelyard.core.names import predictor
from modelyard.core.plan import Event

from .view import DecisionView


def scaling_status(view: DecisionView) -> ScalingStatus | None:
    """The status; None without `spec.scaling` or a revision. While it is not known who may choose it stays as it is."""
    scaling, holder = view.model.spec.scaling, _holder(view)
    if scaling is None or holder is None:
        return None
    deployment = view.snapshot.child("Deployment", predictor(holder.name)) or {}
    desired = deployment.get("spec", {}).get("replicas", 0)
    fewest, most = view.model.spec.replica_range()
    if fewest == most:
        number = "is one replica" if most == 1 else f"are {most} replicas"
        resting = f"While somebody asks there {number}, after {scaling.idle_after} without a request none"
        said = resting if view.model.spec.may_rest else "scaling.minReplicas is maxReplicas"
        return ScalingStatus(
            autoscaler=Autoscaler.NONE,
            reason="FixedReplicas",
            message=f"{said}, so there is nothing to choose.",
            desired_replicas=desired,
        )
    choice, before = choice_for(view.snapshot, view.settings), view.model.status.scaling
    if choice.autoscaler is None and before is not None:
        return before.model_copy(update={"desired_replicas": desired})
    said, guess = choice.message, False
    utilization = scaling.target_utilization
    if choice.autoscaler is Autoscaler.KEDA:
        target = replica_target(view.model.spec, scaling, capacity_of(view.model, holder))
        said, guess = f"{choice.message}: {sentence(target, utilization)}.", target.guess
    elif choice.autoscaler is Autoscaler.HPA:
        said = f"{choice.message}: a replica is to use {utilization} of the CPU it requests."
    harm = _complaint(view, holder)
    if harm is not None and not harm.wait:
        return ScalingStatus(
            autoscaler=choice.autoscaler or "",
            reason=harm.reason,
            message=f"{harm.message} {said}"[:2000],
            guess=guess,
            desired_replicas=desired,
        )
    return ScalingStatus(
        autoscaler=choice.autoscaler or "", reason=choice.reason, message=said, guess=guess, desired_replicas=desired
    )


def scaling_events(before: ModelStatus, now: ModelStatus) -> tuple[Event, ...]:
    """What has changed: the number of replicas of a revision that serves on, and whether somebody can choose it."""
    old, new, events = before.scaling, now.scaling, list[Event]()
    if new is None:
        return ()
    word = old.reason if old is not None else new.reason
    if (old is None or new.reason != word) and (means_harm(new.reason) or means_harm(word)):
        events.append(Event.of(new.reason, new.message))
    known = old.desired_replicas if old is not None and before.revision == now.revision else 0
    if known and new.desired_replicas != known:
        message = f"Revision {now.revision}: {known} -> {new.desired_replicas} replicas. {new.message}"
        events.append(Event.of("Scaled", message))
    return tuple(events)


def scaling_deadline(view: DecisionView) -> float | None:
    """Seconds until a complaint of the autoscaler counts; None when there is none to come."""
    holder = _holder(view)
    harm = _complaint(view, holder) if holder is not None else None
    return harm.wait if harm is not None and harm.wait else None


def _holder(view: DecisionView) -> RevisionStatus | None:
    return view.serving_revision or next(iter(view.revisions), None)


def _complaint(view: DecisionView, holder: RevisionStatus) -> Complaint | None:
    """What the autoscaler of a revision complains of; None when it works or is not there."""
    made = (view.snapshot.child(kind, predictor(holder.name)) for kind in KIND_OF.values())
    return next((complaint(one, view.snapshot.now) for one in made if one is not None), None)
