"""Models as the API server holds them: read as dictionaries, typed, and as somebody would write them for a backup."""

from collections.abc import Mapping
from typing import Any

from modelyard.api.model import API_VERSION, KIND
from modelyard.core.snapshot import Ref
from modelyard.errors import InvalidModel

from .api_server import Cluster

_OF_KUBECTL = "kubectl.kubernetes.io/last-applied-configuration"


def read(cluster: Cluster, namespace: str, name: str) -> list[dict[str, Any]]:
    """The named Model as a list of one; without a name all of a namespace, or of the cluster when that is empty too.

    Raises InvalidModel when the named Model does not exist, or a name comes without a namespace; Unreachable,
    Throttled or Refused when the API server does not answer as it should.
    """
    if not name:
        return cluster.items("Model", namespace)
    if not namespace:
        raise InvalidModel(f"say in which namespace {name} is: use -n NAMESPACE instead of -A.")
    model = cluster.get(Ref("Model", namespace, name))
    if model is None:
        raise InvalidModel(f"there is no Model {name} in namespace {namespace}: `modelyard get -A` lists all.")
    return [model]


def manifest(document: Mapping[str, Any]) -> dict[str, Any]:
    """The API server's dictionary of a Model without status, identity and commands; labels and annotations stay."""
    metadata = document["metadata"]
    kept: dict[str, Any] = {"name": metadata["name"], "namespace": metadata["namespace"]}
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != _OF_KUBECTL}
    for name, values in (("labels", metadata.get("labels") or {}), ("annotations", annotations)):
        if values:
            kept[name] = dict(values)
    spec = {key: value for key, value in document["spec"].items() if key != "rollout"}
    rollout = {key: value for key, value in (document["spec"].get("rollout") or {}).items() if key != "command"}
    if rollout:
        spec["rollout"] = rollout
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": kept, "spec": spec}
