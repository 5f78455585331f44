"""Every right the operator's code uses, row by row. The chart's roles are compared with this table by a test.

Scope `cluster` needs a ClusterRole: Models live in any namespace. Scope `platform` needs a Role in the
platform's namespace. Rights that must exist only because Kubernetes refuses to grant through us what we do
not have ourselves are none: the pods of models get no rights at all.
"""

from typing import Literal, NamedTuple


class Right(NamedTuple):
    """Verbs on one resource (or `resource/subresource`) of one API group."""

    group: str
    resource: str
    verbs: tuple[str, ...]
    scope: Literal["cluster", "platform"]
    why: str


_WATCHED = ("list", "watch")
_MADE = ("create", "get", "list", "patch", "watch")

RIGHTS: tuple[Right, ...] = (
    Right("modelyard.dev", "models", ("get", *_WATCHED), "cluster", "what is wanted"),
    Right("modelyard.dev", "models/status", ("patch",), "cluster", "conditions, revisions, addresses"),
    Right("modelyard.dev", "models/finalizers", ("update",), "cluster", "owner references that block deletion"),
    Right("serving.kserve.io", "inferenceservices", (*_MADE, "delete"), "cluster", "one per revision"),
    Right("serving.kserve.io", "clusterservingruntimes", ("get",), "cluster", "what a replica of a runtime requests"),
    Right("gateway.networking.k8s.io", "httproutes", (*_MADE, "delete"), "cluster", "host, path and preview routes"),
    Right("gateway.networking.k8s.io", "grpcroutes", (*_MADE, "delete"), "cluster", "gRPC routes"),
    Right("gateway.networking.k8s.io", "referencegrants", (*_MADE, "delete"), "cluster", "who may record routes"),
    Right("gateway.envoyproxy.io", "backendtrafficpolicies", (*_MADE, "delete"), "cluster", "A/B tests by header"),
    Right("policy", "poddisruptionbudgets", (*_MADE, "delete"), "cluster", "drains leave a replica of every revision"),
    Right("autoscaling", "horizontalpodautoscalers", (*_MADE, "delete"), "cluster", "replicas by CPU; those of others"),
    Right("keda.sh", "scaledobjects", (*_MADE, "delete"), "cluster", "replicas by requests, where KEDA is installed"),
    Right("discovery.k8s.io", "endpointslices", (*_MADE, "delete"), "cluster", "where requests for none wait"),
    Right("", "secrets", _MADE, "cluster", "read-only store credentials of a Model; public keys"),
    Right("", "configmaps", ("get",), "cluster", "public keys that a Model's spec names"),
    Right("", "serviceaccounts", _MADE, "cluster", "identity of a Model's pods"),
    Right("", "services", _WATCHED, "cluster", "whether KServe made a revision's Service"),
    Right("", "pods", _WATCHED, "cluster", "why a revision does not come up; where the gateway's Envoys are"),
    Right("", "pods/log", ("get",), "cluster", "the last lines of a crashed server"),
    Right("", "nodes", ("list",), "cluster", "whether they hold a rollout's next step"),
    Right("", "resourcequotas", ("list",), "cluster", "whether they allow a rollout's next step"),
    Right("", "events", ("create", "patch"), "cluster", "changes of conditions"),
    Right("apps", "deployments", _WATCHED, "cluster", "ready replicas of a revision"),
    Right("apps", "deployments/scale", ("patch",), "cluster", "number of replicas"),
    Right("batch", "jobs", _WATCHED, "cluster", "a watch over all namespaces, filtered to the platform's"),
    Right("", "secrets", ("get",), "platform", "the store's keys, which are rotated while it runs"),
    Right("batch", "jobs", ("create", "delete", "get", "patch"), "platform", "build and check Jobs"),
    Right("coordination.k8s.io", "leases", ("create", "get", "update"), "platform", "leadership"),
)
