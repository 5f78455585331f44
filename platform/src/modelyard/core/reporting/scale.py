"""What the scale subresource of a Model tells: how many replicas serve, and which pods they are.

They are those of the revision that holds the traffic. An autoscaler that also counted the pods of a candidate would
take them for more capacity than there is and ask for ever more; it learns of the candidate when that takes over.
"""

from typing import Any

from modelyard.core.names import REVISION_LABEL, predictor

from .view import DecisionView


def scale_status(view: DecisionView) -> dict[str, Any]:
    """`replicas`, `selector` and `requested_replicas` of the status."""
    model = view.model
    revision = view.serving_revision or next(iter(view.revisions), None)
    if revision is None:
        return {"replicas": 0, "selector": "", "requested_replicas": model.status.requested_replicas}
    deployment = view.snapshot.child("Deployment", predictor(revision.name)) or {}
    observed = deployment.get("status", {})
    carried_out = deployment.get("spec", {}).get("replicas") == model.spec.requested_replicas()
    return {
        "replicas": observed.get("replicas", observed.get("readyReplicas", 0)),
        "selector": f"{REVISION_LABEL}={revision.name}",
        "requested_replicas": model.spec.serving.replicas if carried_out else model.status.requested_replicas,
    }
