"""How many more replicas the cluster has room for: node by node, as the scheduler would look.

A node counts when it takes new pods (not cordoned), has no taint that the pods do not tolerate, and the labels they
select. It has what it can give (`allocatable`) less what its pods request. Halves of two nodes hold no pod, so room is
counted a node at a time. Affinities, quotas and limits of pods a node are not looked at, and a cluster autoscaler may
bring nodes that are not there yet.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from modelyard.api.quantity import amount
from modelyard.core.snapshot import Object

from .capacity_plan import ReplicaSize

GPU = "nvidia.com/gpu"
_BLOCKS = ("NoSchedule", "NoExecute")
_ENDED = ("Succeeded", "Failed")


def requested(spec: Mapping[str, Any]) -> ReplicaSize:
    """What a pod of that spec requests: its containers together, or its largest init container if that is more."""
    together = _sum(_size(one) for one in spec.get("containers", ()))
    first = [_size(one) for one in spec.get("initContainers", ())]
    return ReplicaSize(*(max(values) for values in zip(together, *first, strict=True)))


def room_for(size: ReplicaSize, spec: Mapping[str, Any], nodes: Sequence[Object], pods: Sequence[Object]) -> int:
    """How many more pods of that size and placement (`nodeSelector`, `tolerations`) fit on these nodes."""
    used: dict[str, list[ReplicaSize]] = {}
    for pod in pods:
        if pod.get("status", {}).get("phase") not in _ENDED and pod["spec"].get("nodeName"):
            used.setdefault(pod["spec"]["nodeName"], []).append(requested(pod["spec"]))
    return sum(_fit(size, _free(node, used)) for node in nodes if _takes(node, spec))


def _free(node: Object, used: Mapping[str, list[ReplicaSize]]) -> ReplicaSize:
    given = node.get("status", {}).get("allocatable", {})
    has = ReplicaSize(_of(given, "cpu"), _of(given, "memory"), _of(given, GPU))
    taken = _sum(used.get(node["metadata"]["name"], ()))
    return ReplicaSize(*(there - gone for there, gone in zip(has, taken, strict=True)))


def _fit(size: ReplicaSize, free: ReplicaSize) -> int:
    """How many fit; a pod that requests nothing is one, for it says nothing about how many there may be."""
    counts = [int(there // needs) for needs, there in zip(size, free, strict=True) if needs]
    return max(0, min(counts, default=1))


def _takes(node: Object, spec: Mapping[str, Any]) -> bool:
    labels, says = node["metadata"].get("labels") or {}, node.get("spec", {})
    selected = (spec.get("nodeSelector") or {}).items() <= labels.items()
    tolerations = spec.get("tolerations") or ()
    blocking = [taint for taint in says.get("taints") or () if taint["effect"] in _BLOCKS]
    tolerated = all(any(_tolerates(one, taint) for one in tolerations) for taint in blocking)
    return selected and tolerated and not says.get("unschedulable")


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if not toleration.get("key"):
        return toleration.get("operator") == "Exists"
    if toleration["key"] != taint["key"]:
        return False
    return toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")


def _size(container: Mapping[str, Any]) -> ReplicaSize:
    """What a container requests; a limit without a request is one."""
    resources = container.get("resources") or {}
    asked = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return ReplicaSize(_of(asked, "cpu"), _of(asked, "memory"), _of(asked, GPU))


def _of(amounts: Mapping[str, Any], name: str) -> Fraction:
    return amount(str(amounts.get(name, "0")))


def _sum(sizes: Iterable[ReplicaSize]) -> ReplicaSize:
    total = ReplicaSize(Fraction(0), Fraction(0))
    for one in sizes:
        total = ReplicaSize(*(a + b for a, b in zip(total, one, strict=True)))
    return total
