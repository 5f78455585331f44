"""How many more replicas the cluster has room for: node by node, as the scheduler would look.

A node counts when it takes new pods (not cordoned), has no taint that the pods do not tolerate, and the labels they
select. It has what it can give (`allocatable`) less what its pods request, and places for so many pods. Halves of two
nodes hold no pod, so room is counted a node at a time. Affinities are not looked at, and a cluster autoscaler may bring
nodes that are not there yet. Quotas are in `quota_room.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from modelyard.api.quantity import amount
from modelyard.core.cluster_room import NOTHING, NodeUse, ReplicaSize
from modelyard.core.snapshot import Object

GPU = "nvidia.com/gpu"
_BLOCKS = ("NoSchedule", "NoExecute")
_ENDED = ("Succeeded", "Failed")


class NodeRoom(NamedTuple):
    """How many more pods one node takes, what is free on it, and why it takes none whatever is free ("" if it may)."""

    name: str
    fits: int
    free: ReplicaSize
    refuses: str = ""


def requested(spec: Mapping[str, Any]) -> ReplicaSize:
    """What a pod of that spec requests: its containers together, or its largest init container if that is more."""
    return _together(spec, "requests")


def limits_of(spec: Mapping[str, Any]) -> ReplicaSize:
    """What a pod of that spec may use at most, as far as its containers say so; counted like requests."""
    return _together(spec, "limits")


def uses(pods: Iterable[Object]) -> dict[str, NodeUse]:
    """What the pods that run or start request, by the name of their node."""
    used: dict[str, NodeUse] = {}
    for pod in pods:
        name = on_node(pod)
        if name:
            before = used.get(name, NodeUse())
            used[name] = NodeUse(before.size.plus(requested(pod["spec"])), before.pods + 1)
    return used


def on_node(pod: Object) -> str:
    """The node whose room a pod takes; empty while none took it, and once it has ended."""
    ended = pod.get("status", {}).get("phase") in _ENDED
    return "" if ended else pod["spec"].get("nodeName", "")


def without(used: Mapping[str, NodeUse], gone: Mapping[str, NodeUse]) -> dict[str, NodeUse]:
    """What is used when `gone` is not there any more."""
    none = NodeUse()
    return {
        name: NodeUse(use.size.less(gone.get(name, none).size), use.pods - gone.get(name, none).pods)
        for name, use in used.items()
    }


def node_rooms(
    size: ReplicaSize, spec: Mapping[str, Any], nodes: Sequence[Object], used: Mapping[str, NodeUse]
) -> list[NodeRoom]:
    """What every node has for pods of that size and placement (`nodeSelector`, `tolerations`)."""
    return [_room(size, spec, node, used.get(node["metadata"]["name"], NodeUse())) for node in nodes]


def room_for(size: ReplicaSize, spec: Mapping[str, Any], nodes: Sequence[Object], pods: Sequence[Object]) -> int:
    """How many more pods of that size and placement fit on these nodes beside these pods."""
    return sum(room.fits for room in node_rooms(size, spec, nodes, uses(pods)))


def _room(size: ReplicaSize, spec: Mapping[str, Any], node: Object, use: NodeUse) -> NodeRoom:
    given = node.get("status", {}).get("allocatable", {})
    free = ReplicaSize(_of(given, "cpu"), _of(given, "memory"), _of(given, GPU)).less(use.size)
    name, refuses = node["metadata"]["name"], _refuses(node, spec)
    if not refuses and "pods" in given and int(_of(given, "pods")) <= use.pods:
        refuses = f"holds as many pods as it may ({use.pods})"
    if refuses:
        return NodeRoom(name, 0, free, refuses)
    fits = _fit(size, free)
    return NodeRoom(name, min(fits, int(_of(given, "pods")) - use.pods) if "pods" in given else fits, free)


def _fit(size: ReplicaSize, free: ReplicaSize) -> int:
    """How many fit; a pod that requests nothing is one, for it says nothing about how many there may be."""
    counts = [int(there // needs) for needs, there in zip(size, free, strict=True) if needs]
    return max(0, min(counts, default=1))


def _refuses(node: Object, spec: Mapping[str, Any]) -> str:
    """Why a node takes no such pod, in words that follow its name; empty when it may."""
    labels, says = node["metadata"].get("labels") or {}, node.get("spec", {})
    if says.get("unschedulable"):
        return "is cordoned"
    tolerations = spec.get("tolerations") or ()
    for taint in says.get("taints") or ():
        if taint["effect"] in _BLOCKS and not any(_tolerates(one, taint) for one in tolerations):
            return f"has the taint {taint['key']}"
    selected = (spec.get("nodeSelector") or {}).items()
    missing = [f"{key}={value}" for key, value in selected if labels.get(key) != value]
    return f"lacks the label {missing[0]}" if missing else ""


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if not toleration.get("key"):
        return toleration.get("operator") == "Exists"
    if toleration["key"] != taint["key"]:
        return False
    return toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")


def _together(spec: Mapping[str, Any], kind: str) -> ReplicaSize:
    together = _sum(_size(one, kind) for one in spec.get("containers", ()))
    first = [_size(one, kind) for one in spec.get("initContainers", ())]
    return ReplicaSize(*(max(values) for values in zip(together, *first, strict=True)))


def _size(container: Mapping[str, Any], kind: str) -> ReplicaSize:
    """What a container requests, or its limits; a limit without a request is one."""
    resources = container.get("resources") or {}
    limits = resources.get("limits") or {}
    asked = {**limits, **(resources.get("requests") or {})} if kind == "requests" else limits
    return ReplicaSize(_of(asked, "cpu"), _of(asked, "memory"), _of(asked, GPU))


def _of(amounts: Mapping[str, Any], name: str) -> Fraction:
    return amount(str(amounts.get(name, "0")))


def _sum(sizes: Iterable[ReplicaSize]) -> ReplicaSize:
    total = NOTHING
    for one in sizes:
        total = total.plus(one)
    return total
