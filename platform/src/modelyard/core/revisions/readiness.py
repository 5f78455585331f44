"""Whether a revision can answer: what KServe, its Deployment and its warm-up say together."""

from modelyard.core.names import predictor
from modelyard.core.snapshot import Probe, Snapshot


def answered(snapshot: Snapshot, revision: str) -> bool:
    """Whether a revision's replicas are ready and its latest warm-up was answered."""
    probe: Probe | None = snapshot.probes.get(revision)
    return probe is not None and probe.answered and replicas_ready(snapshot, revision)


def replicas_ready(snapshot: Snapshot, revision: str) -> bool:
    """Whether KServe and the Deployment agree that a revision has at least the spec's fewest replicas ready.

    False while somebody deletes it.
    """
    served = snapshot.child("InferenceService", revision)
    deployment = snapshot.child("Deployment", predictor(revision))
    if served is None or deployment is None or "deletionTimestamp" in served["metadata"]:
        return False
    conditions = served.get("status", {}).get("conditions", [])
    fewest, _ = snapshot.model.spec.replica_range()
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions) and (
        ready_replicas(snapshot, revision) >= fewest
    )


def ready_replicas(snapshot: Snapshot, revision: str) -> int:
    """How many replicas of a revision are ready; 0 while it has no Deployment."""
    deployment = snapshot.child("Deployment", predictor(revision)) or {}
    return deployment.get("status", {}).get("readyReplicas", 0)


def replicas(snapshot: Snapshot, deployment: str) -> int:
    """How many replicas the Deployment with that name is to have; 1 while it is not there."""
    manifest = snapshot.child("Deployment", deployment) or {}
    return manifest.get("spec", {}).get("replicas", 1)
