"""Models as the API server holds them: read as dictionaries, and typed."""

from collections.abc import Mapping
from typing import Any

from modelyard.api.model import Model
from modelyard.core.snapshot import Ref
from modelyard.errors import InvalidModel

from .api_server import Cluster


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


def parsed(document: Mapping[str, Any]) -> Model:
    """The typed Model of the API server's dictionary; pydantic's ValidationError when it is none."""
    return Model.of(document)
