"""What is wrong with a revision, as far as the cluster tells: what its pods report, or that they take too long."""

from collections.abc import Sequence
from dataclasses import replace

from modelyard.api.status import RevisionStatus, Stage
from modelyard.core.conditions import epoch
from modelyard.core.names import REVISION_LABEL, predictor
from modelyard.core.ownership import IDENTITY_KINDS, taken_names
from modelyard.core.snapshot import Failure, Object, Ref, Snapshot

from . import pod_failures
from .readiness import ready_replicas, replicas_ready
from .refused_pods import refused_pods

NOT_READY = "NotReady"
"""A server that runs and does not answer: the one failure that passes and may yet be the revision's own fault."""


def failure_of(snapshot: Snapshot, revision: RevisionStatus, patience: float) -> Failure | None:
    """Why a revision does not serve, None when it is well or may still be starting.

    `patience` are the seconds it may take to become ready before that alone is a failure (StartTimedOut).
    """
    own = _pods(snapshot, revision.name)
    failure = pod_failures.pod_failure(own, snapshot.logs)
    if failure is not None or replicas_ready(snapshot, revision.name):
        return failure
    served = snapshot.child("InferenceService", revision.name)
    refused = refused_pods(served, snapshot.child("Deployment", predictor(revision.name)))
    if refused is not None:
        return refused
    if revision.stage is Stage.STARTING:
        return _late(snapshot, revision, own, patience)
    if any(pod_failures.lost_readiness(pod, snapshot.now, patience) for pod in own):
        return Failure(NOT_READY, f"Revision {revision.name} is not ready any more.", retry=True)
    return Failure(
        "ReplicaMissing",
        f"{ready_replicas(snapshot, revision.name)} replicas of revision {revision.name} are ready; "
        "what is missing had to leave its node, or starts.",
        retry=True,
    )


def crash_of(snapshot: Snapshot, revision: RevisionStatus) -> Failure | None:
    """How a server of a revision crashed by its own fault although it runs again now; None when none has."""
    return pod_failures.crashed_before(_pods(snapshot, revision.name), snapshot.logs)


def _pods(snapshot: Snapshot, revision: str) -> Sequence[Object]:
    return [pod for pod in snapshot.of_kind("Pod") if pod["metadata"].get("labels", {}).get(REVISION_LABEL) == revision]


def _late(snapshot: Snapshot, revision: RevisionStatus, pods: Sequence[Object], patience: float) -> Failure | None:
    """A server that hangs: Triton waits for ever when only its child process was killed for memory.

    Its time runs from when a node took its first pod: before that nothing of the revision was at work.
    """
    own = Ref("InferenceService", snapshot.model.namespace, revision.name)
    begun, its = own in snapshot.children, {own, Ref("Deployment", own.namespace, predictor(own.name))}
    needed = {
        ref: taken for ref, taken in snapshot.foreign.items() if not begun or ref in its or ref.kind in IDENTITY_KINDS
    }
    refused = taken_names(needed)
    if refused is not None:
        return replace(refused, retry=True)
    taken = [epoch(pod.get("status", {}).get("startTime") or pod["metadata"]["creationTimestamp"]) for pod in pods]
    if snapshot.now - max(epoch(revision.stage_start_time), min(taken, default=0.0)) < patience:
        return None
    return Failure(
        "StartTimedOut",
        f"Revision {revision.name} is not ready after {patience:.0f} s and its pods name no error; a server that hangs "
        "while it loads mostly lacks memory: raise spec.serving.resources.limits.memory, or read its pod's log.",
    )
