"""What serves: per Model a Secret and a ServiceAccount that may read the store, per revision an InferenceService.

KServe turns an InferenceService into a Deployment and a Service named `<revision>-predictor`; it makes no
route (cluster-local) and leaves the number of replicas to us (external autoscaler class).
"""

import base64
from typing import Any

from modelyard.api.model import Model
from modelyard.api.status import RevisionStatus
from modelyard.core.names import REVISION_LABEL, secret_name, service_account_name
from modelyard.core.snapshot import Credentials, Failure, StartCheck
from modelyard.core.storage.keys import storage_uri

from . import owned_object

HTTP_PORT = 8080
_TOKENLESS = False


def store_secret(model: Model, credentials: Credentials) -> dict[str, Any]:
    """Secret with read-only credentials, annotated as KServe's storage initializer expects."""
    scheme, _, address = credentials.endpoint.rpartition("://")
    annotations = {
        "serving.kserve.io/s3-endpoint": address.partition("/")[0] or "s3.amazonaws.com",
        "serving.kserve.io/s3-usehttps": "0" if scheme == "http" else "1",
        "serving.kserve.io/s3-region": credentials.region,
        "serving.kserve.io/s3-useanoncredential": "false",
    }
    data = {
        "AWS_ACCESS_KEY_ID": base64.b64encode(credentials.access_key_id.encode()).decode(),
        "AWS_SECRET_ACCESS_KEY": base64.b64encode(credentials.secret_access_key.encode()).decode(),
    }
    body = {"type": "Opaque", "data": data}
    return owned_object(model, "Secret", secret_name(model.name), body, annotations=annotations)


def service_account(model: Model) -> dict[str, Any]:
    """ServiceAccount of the model's pods; it may read the store and nothing of the cluster."""
    body = {"secrets": [{"name": secret_name(model.name)}], "automountServiceAccountToken": _TOKENLESS}
    return owned_object(model, "ServiceAccount", service_account_name(model.name), body)


def inference_service(
    model: Model, revision: RevisionStatus, bucket: str, check: StartCheck | Failure | None = None
) -> dict[str, Any]:
    """The InferenceService of one revision, which loads its build from `bucket`.

    Pods of a revision that is verified start with `check`, and trust no key at all while that is unknown.

    Its pods meet the Pod Security level "restricted": what the runtime says of its container is said for the pod too,
    because KServe puts a container of its own before it, which says less.
    """
    ready = {"httpGet": {"path": f"/v2/models/{model.name}/ready", "port": HTTP_PORT}}
    serving: dict[str, Any] = {
        "modelFormat": {"name": "triton"},
        "runtime": revision.runtime,
        "protocolVersion": "grpc-v2",
        "storageUri": storage_uri(bucket, revision.digest),
        "readinessProbe": {**ready, "periodSeconds": 1, "timeoutSeconds": 2, "failureThreshold": 3},
    }
    if revision.resources:
        serving["resources"] = revision.resources
    if revision.cache:  # KServe appends them to the runtime's own
        serving["args"] = [f"--cache-config=local,size={revision.cache}"]
    if revision.verified:
        serving |= _checked(revision, check)
    body = {
        "spec": {
            "predictor": {
                "serviceAccountName": service_account_name(model.name),
                "automountServiceAccountToken": _TOKENLESS,
                "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                "model": serving,
                **_placement(revision),
                **_marks(revision),
            }
        }
    }
    return owned_object(
        model,
        "InferenceService",
        revision.name,
        body,
        labels={REVISION_LABEL: revision.name, "networking.kserve.io/visibility": "cluster-local"},
        annotations={
            "serving.kserve.io/deploymentMode": "Standard",
            "serving.kserve.io/autoscalerClass": "external",
        },
    )


def _checked(revision: RevisionStatus, check: StartCheck | Failure | None) -> dict[str, Any]:
    """The command that checks the build before it becomes the server, in the place of the runtime's own command.

    KServe appends the runtime's arguments. The keys stay those of when the revision was made, as all of it does.
    """
    program, keys = check if isinstance(check, StartCheck) else ("raise SystemExit('no keys are known')", ())
    return {
        "command": ["python3", "-I", "-S", "-c", program, "tritonserver"],
        "env": [
            {"name": "MODELYARD_BUILD", "value": revision.digest},
            {"name": "MODELYARD_BUILD_KEYS", "value": " ".join(keys)},
        ],
    }


def _placement(revision: RevisionStatus) -> dict[str, Any]:
    """Where the replicas may run, as fields of a PodSpec; spread over nodes as well as can be when nothing is said.

    By nodes alone: a constraint over a label that some node lacks would take that node, and so all of a cluster
    without zones, out of the comparison. Pods of one template are counted, so that a restart spreads as well.
    """
    own = {"matchLabels": {REVISION_LABEL: revision.name}}
    over_nodes = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "matchLabelKeys": ["pod-template-hash"],
    }
    placement = {"topologySpreadConstraints": [over_nodes], **(revision.placement or {})}
    spread = [{"labelSelector": own, **constraint} for constraint in placement["topologySpreadConstraints"]]
    return {**placement, "topologySpreadConstraints": spread}


def _marks(revision: RevisionStatus) -> dict[str, dict[str, str]]:
    """Labels and annotations that KServe puts on the pods beside those of the InferenceService."""
    marks = {"labels": revision.pod_labels, "annotations": revision.pod_annotations}
    return {name: dict(values) for name, values in marks.items() if values}
