"""What the cluster says of Models: its API server is asked, with the caller's kubeconfig or the pod's account.

The packages for that come with the extra `cli` and are imported when they are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from modelyard.errors import InvalidSettings

from .address import ServerAddress

if TYPE_CHECKING:
    from modelyard.api.model import Model
    from modelyard.clients.cluster.api_server import Cluster


Told = TypeVar("Told")


class ServedModel(NamedTuple):
    """A model as its server lists it, or a Model as the cluster knows it; what a server does not say is empty."""

    name: str
    version: str
    ready: bool
    reason: str
    url: str = ""
    traffic: str = ""


class RolloutSummary(NamedTuple):
    """Where a Model's rollout stands, or how the last one ended (`outcome`, empty while one is under way)."""

    model: str
    phase: str
    reason: str
    message: str
    stable_version: str
    candidate_version: str
    weight: int
    outcome: str

    @property
    def active(self) -> bool:
        """True while a rollout is under way."""
        return self.phase != "Idle"


def listed(rows: Iterable[Mapping[str, Any]]) -> list[ServedModel]:
    """The rows of a server's index."""
    return [
        ServedModel(
            str(row.get("name", "")), str(row.get("version", "")), row.get("state") == "READY", row.get("reason", "")
        )
        for row in rows
    ]


def cluster_models(namespace: str) -> list[ServedModel]:
    """The Models of a namespace. Raises Unreachable or Refused when the API server does not tell."""

    def asked() -> list[ServedModel]:
        from modelyard.api.model import Model
        from modelyard.clients.cluster.models import read

        return [_served(Model.of(document)) for document in read(_cluster(), namespace, "")]

    return _with_packages(asked)


def cluster_rollout(namespace: str, name: str) -> RolloutSummary:
    """Raises InvalidModel when there is no such Model; as `cluster_models` else."""

    def asked() -> RolloutSummary:
        from modelyard.api.model import Model
        from modelyard.clients.cluster.models import read

        return _rollout(Model.of(read(_cluster(), namespace, name)[0]))

    return _with_packages(asked)


def gateway(stack: ExitStack, namespace: str) -> ServerAddress:
    """Where the cluster's gateway answers, as long as `stack` is open; see `clients.cluster.gateway_address`."""

    def asked() -> ServerAddress:
        from modelyard.clients.cluster.context import current_namespace
        from modelyard.clients.cluster.gateway_address import reached
        from modelyard.clients.inference.predictions import silence
        from modelyard.settings import Settings

        found = stack.enter_context(reached(Settings.read(), _cluster, silence))
        return ServerAddress(found.url, namespace or current_namespace(), found.domain)

    return _with_packages(asked)


def _cluster() -> Cluster:
    from modelyard.clients.cluster.access import access
    from modelyard.clients.cluster.api_server import Cluster

    return Cluster(access())


def _with_packages(asked: Callable[[], Told]) -> Told:
    try:
        return asked()
    except ModuleNotFoundError as missing:
        raise InvalidSettings(
            f"the cluster is asked with the package {missing.name}: pip install 'modelyard[cli]'."
        ) from missing


def _served(model: Model) -> ServedModel:
    ready, status = model.status.condition("Ready"), model.status
    said = "" if ready is None else f"{ready.reason}: {ready.message}"
    well = ready is not None and ready.status == "True"
    url = status.path_url or status.url
    return ServedModel(model.name, status.version, well, "" if well else said, url, status.traffic)


def _rollout(model: Model) -> RolloutSummary:
    from modelyard.api.rollout_status import RolloutStatus

    rollout = model.status.rollout or RolloutStatus()
    last = rollout.history[0] if rollout.history and not rollout.active else None
    return RolloutSummary(
        model.name,
        rollout.phase.value,
        rollout.reason,
        rollout.message,
        model.status.version,
        rollout.version if rollout.active else "",
        rollout.weight,
        last.outcome.value if last else "",
    )
