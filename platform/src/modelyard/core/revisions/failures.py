"""What is wrong with a revision, as far as the cluster tells: what its pods report, or that they take too long."""

from dataclasses import replace

from modelyard.api.status import RevisionStatus, Stage
from modelyard.core.conditions import epoch
from modelyard.core.names import REVISION_LABEL
from modelyard.core.ownership import taken_names
from modelyard.core.snapshot import Failure, Ref, Snapshot

from . import pod_failures
from .readiness import replicas_ready

_IDENTITY = ("Secret", "ServiceAccount")


def failure_of(snapshot: Snapshot, revision: RevisionStatus, patience: float) -> Failure | None:
    """Why a revision does not serve, None when it is well or may still be starting.

    `patience` are the seconds it may take to become ready before that alone is a failure (StartTimedOut).
    """
    own = [
        pod for pod in snapshot.of_kind("Pod") if pod["metadata"].get("labels", {}).get(REVISION_LABEL) == revision.name
    ]
    failure = pod_failures.pod_failure(own, snapshot.logs)
    if failure is not None or replicas_ready(snapshot, revision.name):
        return failure
    if revision.stage is not Stage.STARTING:
        return Failure("NotReady", f"Revision {revision.name} is not ready any more.", retry=True)
    return _late(snapshot, revision, patience)


def _late(snapshot: Snapshot, revision: RevisionStatus, patience: float) -> Failure | None:
    """A server that hangs: Triton waits for ever when only its child process was killed for memory."""
    own = Ref("InferenceService", snapshot.model.namespace, revision.name)
    needed = {ref: taken for ref, taken in snapshot.foreign.items() if ref == own or ref.kind in _IDENTITY}
    refused = taken_names(needed)
    if refused is not None:
        return replace(refused, retry=True)
    if snapshot.now - epoch(revision.stage_start_time) < patience:
        return None
    return Failure(
        "StartTimedOut",
        f"Revision {revision.name} is not ready after {patience:.0f} s and its pods name no error; a server that hangs "
        "while it loads mostly lacks memory: raise spec.serving.resources.limits.memory, or read its pod's log.",
    )
