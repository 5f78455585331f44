"""What the cluster has for more pods: asked of the API server while a rollout may begin a step, and not else.

Nodes and pods are the same for all Models, so one listing, at most every ROOM_SECONDS, serves all that ask; quotas are
those of a namespace. Of pods nothing is kept but sums by node.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from modelyard.core.autoscaling.node_room import uses
from modelyard.core.cluster_room import ClusterRoom, NodeUse
from modelyard.core.rollout.capacity.step_room import ROOM_SECONDS
from modelyard.core.snapshot import Failure, Object, Ref
from modelyard.operator.cache.objects import Key
from modelyard.operator.polling.poller import Habits, Unanswered
from modelyard.operator.polling.polling import Polling

NOT_ASKED = Failure("Asking", "Nobody has asked yet what the nodes have room for.", retry=True, pending=True)
_PARTY = "the API server"
_LISTING = Habits[Any](lasts=lambda _: ROOM_SECONDS, keeps=False, chain=15.0, deadline=20.0)
"""Thousands of pods take a while."""


class ClusterReader(Protocol):
    """What is needed of `clients.cluster.Cluster`."""

    def each(self, kind: str, namespace: str = "") -> Iterator[Mapping[str, Any]]:
        """All objects of a kind, one by one. Raises OutsideError."""
        ...

    def get(self, ref: Ref) -> Object | None:
        """One object, None when there is none. Raises OutsideError."""
        ...


class _Nodes(NamedTuple):
    nodes: tuple[Object, ...]
    used: Mapping[str, NodeUse]


class _Place(NamedTuple):
    """What pods of a runtime in a namespace are allowed, and what such a pod is."""

    quotas: tuple[Object, ...]
    runtime: Object | None


class RoomObserver:
    """Asks in the background; `of` tells what is known."""

    def __init__(self, reader: ClusterReader, polling: Polling) -> None:
        self._reader = reader
        self._nodes = polling.poller(_PARTY, self._ask_nodes, _LISTING)
        self._places = polling.poller(_PARTY, self._ask_place, _LISTING)

    def of(self, key: Key, namespace: str, runtime: str) -> ClusterRoom | Failure:
        """The facts for pods of a ClusterServingRuntime in a namespace, or why they are not known."""
        nodes, place = self._nodes.of(key, ""), self._places.of(key, (namespace, runtime))
        if isinstance(nodes, Unanswered):
            return nodes.failure
        if isinstance(place, Unanswered):
            return place.failure
        return ClusterRoom(nodes.nodes, nodes.used, place.quotas, place.runtime)

    def _ask_nodes(self, _: str) -> _Nodes:
        return _Nodes(tuple(_kept(node) for node in self._reader.each("Node")), uses(self._reader.each("Pod")))

    def _ask_place(self, question: tuple[str, str]) -> _Place:
        namespace, name = question
        runtime = self._reader.get(Ref("ClusterServingRuntime", "", name))
        quotas = tuple(self._reader.each("ResourceQuota", namespace))
        return _Place(quotas, runtime["spec"] if runtime is not None else None)


def _kept(node: Mapping[str, Any]) -> Object:
    """The parts of a node that decide which pods it takes."""
    metadata, spec = node["metadata"], node.get("spec", {})
    return {
        "metadata": {"name": metadata["name"], "labels": metadata.get("labels", {})},
        "spec": {name: spec[name] for name in ("taints", "unschedulable") if name in spec},
        "status": {"allocatable": node.get("status", {}).get("allocatable", {})},
    }
