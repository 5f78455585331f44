"""The kinds of objects Modelyard reads and writes, one row each.

`label` is the selector the operator watches a kind with, so that it never sees anybody else's objects;
`made` is true for kinds we write ourselves and false for those KServe makes for us; `optional` for those that a cluster
may lack; `noise` names the fields of their status that no decision reads and that change all the time.
"""

from typing import NamedTuple

from .names import MANAGED_BY, MODEL_LABEL, SLICE_MANAGER_LABEL


class Kind(NamedTuple):
    """A kind of the API server: how it is written, addressed, selected, and whether we make it."""

    kind: str
    group: str
    version: str
    plural: str
    label: str
    made: bool
    optional: bool = False
    noise: frozenset[str] = frozenset()

    @property
    def api_version(self) -> str:
        """`apiVersion` of its objects: group and version, the version alone for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version


_OURS = ",".join(f"{label}={value}" for label, value in MANAGED_BY.items())
"""Jobs of builds belong to no Model, so they are known by who made them."""
_OUR_SLICES = f"{MODEL_LABEL},{SLICE_MANAGER_LABEL}=modelyard"
"""Kubernetes makes others of the same Services, with the same labels but this one."""

MODEL = Kind("Model", "modelyard.dev", "v1alpha1", "models", "", False)
CHILDREN = (
    Kind("Secret", "", "v1", "secrets", MODEL_LABEL, True),
    Kind("ServiceAccount", "", "v1", "serviceaccounts", MODEL_LABEL, True),
    Kind("InferenceService", "serving.kserve.io", "v1beta1", "inferenceservices", MODEL_LABEL, True),
    Kind("HTTPRoute", "gateway.networking.k8s.io", "v1", "httproutes", MODEL_LABEL, True),
    Kind("GRPCRoute", "gateway.networking.k8s.io", "v1", "grpcroutes", MODEL_LABEL, True),
    Kind("ReferenceGrant", "gateway.networking.k8s.io", "v1beta1", "referencegrants", MODEL_LABEL, True),
    Kind("BackendTrafficPolicy", "gateway.envoyproxy.io", "v1alpha1", "backendtrafficpolicies", MODEL_LABEL, True),
    Kind("PodDisruptionBudget", "policy", "v1", "poddisruptionbudgets", MODEL_LABEL, True),
    Kind(
        "HorizontalPodAutoscaler",
        "autoscaling",
        "v2",
        "horizontalpodautoscalers",
        MODEL_LABEL,
        True,
        noise=frozenset({"currentMetrics", "lastScaleTime"}),
    ),
    Kind(
        "ScaledObject",
        "keda.sh",
        "v1alpha1",
        "scaledobjects",
        MODEL_LABEL,
        True,
        optional=True,
        noise=frozenset({"lastActiveTime", "health", "triggersActivity"}),
    ),
    Kind("EndpointSlice", "discovery.k8s.io", "v1", "endpointslices", _OUR_SLICES, True),
    Kind("Job", "batch", "v1", "jobs", _OURS, True),
    Kind("Deployment", "apps", "v1", "deployments", MODEL_LABEL, False),
    Kind("Service", "", "v1", "services", MODEL_LABEL, False),
    Kind("Pod", "", "v1", "pods", MODEL_LABEL, False),
)
BY_NAME = {row.kind: row for row in (MODEL, *CHILDREN)}
