"""The autoscaler of every revision: a ScaledObject of KEDA or a HorizontalPodAutoscaler, named like its Deployment.

The fewest replicas are those of `spec.scaling`, or more where a rollout needs them (`floors`): what the operator itself
keeps a Deployment to (`resources.scaling`), so the two never ask for different things. There is one autoscaler a
revision at any time: one of another kind goes first. What is made:

    spec.scaling with minReplicas < maxReplicas, and the Deployment is there    the chosen kind
    minReplicas = maxReplicas, no spec.scaling, no choice, a rival              nothing, and what was made goes
    on its way to no replicas, at zero, or waking up                            nothing, so that nobody else wakes it
    not known yet what the cluster has                                          all stays as it is
"""

from collections.abc import Mapping, Sequence
from typing import Any

from modelyard.api.model import Model
from modelyard.api.quantity import fraction
from modelyard.api.scheduling.scaling import Scaling
from modelyard.api.status import CapacityStatus, IdleState, IdleStatus, RevisionStatus
from modelyard.core.names import REVISION_LABEL, predictor
from modelyard.core.resources import owned_object
from modelyard.core.snapshot import Ref, Snapshot
from modelyard.settings import Settings

from . import queries
from .choice import Autoscaler, AutoscalerChoice, autoscaler_choice
from .policy import GUESS_PATIENCE, behavior
from .target import GROWTH, ReplicaTarget, replica_target, within_limits

KIND_OF = {Autoscaler.KEDA: "ScaledObject", Autoscaler.HPA: "HorizontalPodAutoscaler"}
_CONTAINER = "kserve-container"
_RESTING = frozenset({IdleState.HOLDING, IdleState.ZERO, IdleState.WAKING})


def choice_for(snapshot: Snapshot, settings: Settings) -> AutoscalerChoice:
    """Which autoscaler this Model's revisions get when its spec leaves a choice."""
    return autoscaler_choice(settings, snapshot.scaling_means, snapshot.rival_autoscaler)


def capacity_of(model: Model, revision: RevisionStatus) -> CapacityStatus | None:
    """What one replica of a revision takes on; None while nobody measured its build."""
    known = model.status.capacity
    if known is None or known.digest not in ("", revision.digest):
        return None
    return within_limits(known, revision.resources)


def autoscalers(
    snapshot: Snapshot,
    settings: Settings,
    revisions: Sequence[RevisionStatus],
    floors: Mapping[str, int],
    candidate: str,
    idle: IdleStatus | None = None,
) -> list[dict[str, Any]]:
    """The autoscalers of these revisions.

    `floors` are the fewest replicas by revision that a rollout needs; `idle` says how far the Model is on its way to
    none.
    """
    chosen, scaling = choice_for(snapshot, settings).autoscaler, snapshot.model.spec.scaling
    if scaling is None or chosen is None or chosen not in KIND_OF:
        return []
    if idle is not None and idle.state in _RESTING:
        return []
    least, most = snapshot.model.spec.replica_range()
    if least == most:
        return []
    made = []
    for revision in revisions:
        if snapshot.child("Deployment", predictor(revision.name)) is None or _other_kind(snapshot, revision, chosen):
            continue
        fewest = min(max(least, floors.get(revision.name, 0)), most)
        if chosen is Autoscaler.HPA:
            made.append(_by_cpu(snapshot.model, revision, scaling, fewest))
        else:
            tried = revision.name == candidate
            made.append(_by_requests(snapshot.model, revision, scaling, fewest, settings, tried=tried))
    return made


def finished_autoscalers(
    snapshot: Snapshot, settings: Settings, revisions: Sequence[RevisionStatus], wanted: Sequence[Mapping[str, Any]]
) -> tuple[Ref, ...]:
    """The autoscalers that are not wanted any more; of revisions that stay, only once it is known what is."""
    known = snapshot.model.spec.scaling is None or choice_for(snapshot, settings).autoscaler is not None
    stay = frozenset[str]() if known else {predictor(revision.name) for revision in revisions}
    keep = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in wanted}
    return tuple(
        Ref(kind, snapshot.model.namespace, made["metadata"]["name"])
        for kind in KIND_OF.values()
        for made in snapshot.of_kind(kind)
        if (kind, made["metadata"]["name"]) not in keep and made["metadata"]["name"] not in stay
        if "deletionTimestamp" not in made["metadata"]
    )


def _other_kind(snapshot: Snapshot, revision: RevisionStatus, chosen: Autoscaler) -> bool:
    """Whether an autoscaler of another kind is still there for a revision."""
    others = (kind for autoscaler, kind in KIND_OF.items() if autoscaler is not chosen)
    return any(snapshot.child(kind, predictor(revision.name)) is not None for kind in others)


def _deployment(revision: RevisionStatus) -> dict[str, str]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": predictor(revision.name)}


def _by_cpu(model: Model, revision: RevisionStatus, scaling: Scaling, fewest: int) -> dict[str, Any]:
    busy = {"type": "Utilization", "averageUtilization": max(1, round(100 * fraction(scaling.target_utilization)))}
    cpu = {"container": _CONTAINER, "name": "cpu", "target": busy}
    spec = {
        "scaleTargetRef": _deployment(revision),
        "minReplicas": fewest,
        "maxReplicas": scaling.max_replicas,
        "behavior": behavior(scaling, at_once=False),
        "metrics": [{"type": "ContainerResource", "containerResource": cpu}],
    }
    return _owned(model, Autoscaler.HPA, revision, spec)


def _by_requests(
    model: Model, revision: RevisionStatus, scaling: Scaling, fewest: int, settings: Settings, *, tried: bool
) -> dict[str, Any]:
    target = replica_target(model.spec, scaling, capacity_of(model, revision))
    patience = GUESS_PATIENCE if target.guess else 1
    spec = {
        "scaleTargetRef": _deployment(revision),
        "minReplicaCount": fewest,
        "maxReplicaCount": scaling.max_replicas,
        "pollingInterval": 15,
        "advanced": {
            "restoreToOriginalReplicaCount": False,
            "horizontalPodAutoscalerConfig": {
                "behavior": behavior(scaling, at_once=not target.guess, patience=patience)
            },
        },
        "triggers": _triggers(model, revision, target, settings, tried=tried),
    }
    return _owned(model, Autoscaler.KEDA, revision, spec)


def _triggers(
    model: Model, revision: RevisionStatus, target: ReplicaTarget, settings: Settings, *, tried: bool
) -> list[dict[str, Any]]:
    window, server = settings.autoscaling.window_seconds, settings.gateway.prometheus_url.rstrip("/")
    sent = queries.clusters(model.name, model.namespace, revision.slot, candidate=tried)
    waiting = queries.requests_waiting(revision.name, model.namespace, window, GROWTH * target.waiting)
    if target.per_second is None:
        load = ("in-flight", queries.requests_in_flight(sent, window), target.in_flight)
    else:
        load = ("requests", queries.requests_per_second(sent, window), target.per_second)
    return [
        {
            "type": "prometheus",
            "name": name,
            "metricType": "AverageValue",
            "metadata": {
                "serverAddress": server,
                "query": query,
                "threshold": _number(threshold),
                "ignoreNullValues": "false",
            },
        }
        for name, query, threshold in (load, ("waiting", waiting, target.waiting))
    ]


def _number(value: float) -> str:
    """A number as KEDA reads it: thousandths, and never 0."""
    return f"{max(value, 0.001):.3f}".rstrip("0").rstrip(".")


def _owned(model: Model, autoscaler: Autoscaler, revision: RevisionStatus, spec: dict[str, Any]) -> dict[str, Any]:
    labels = {REVISION_LABEL: revision.name}
    return owned_object(model, KIND_OF[autoscaler], predictor(revision.name), {"spec": spec}, labels=labels)
