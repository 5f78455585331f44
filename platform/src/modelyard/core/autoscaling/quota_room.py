"""How many more pods the ResourceQuotas of a namespace allow, and which of them allows the fewest.

    room    (hard - used) over what one pod takes of the resource, rounded down; the scarcest decides

| resource of a quota | what one pod takes of it |
|---|---|
| pods, count/pods | 1 |
| cpu, requests.cpu; memory, requests.memory; requests.nvidia.com/gpu | what it requests |
| limits.cpu, limits.memory | its limits |

A quota with scopes is for some pods only: it counts when it is for those that run on (NotTerminating) and request
something (NotBestEffort), as those of a revision do. Other resources are left out: they are not told of a pod's spec.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple

from modelyard.api.quantity import amount
from modelyard.core.cluster_room import NONE, ReplicaSize
from modelyard.core.snapshot import Object

_FOR_ALL = frozenset({"NotTerminating", "NotBestEffort"})


class QuotaRoom(NamedTuple):
    """The quota that allows the fewest pods: how many, its name, the resource, and what is left of that."""

    fits: int
    name: str
    resource: str
    left: Fraction


def taken(requests: ReplicaSize, limits: ReplicaSize, pods: int = 1) -> dict[str, Fraction]:
    """What pods with these requests and limits together take of every resource of a quota."""
    return {
        "pods": Fraction(pods),
        "count/pods": Fraction(pods),
        "cpu": requests.cores,
        "requests.cpu": requests.cores,
        "memory": requests.memory,
        "requests.memory": requests.memory,
        "requests.nvidia.com/gpu": requests.gpus,
        "limits.cpu": limits.cores,
        "limits.memory": limits.memory,
    }


def quota_room(
    requests: ReplicaSize,
    limits: ReplicaSize,
    quotas: Iterable[Object],
    freed: Mapping[str, Fraction] = MappingProxyType({}),
) -> QuotaRoom | None:
    """The scarcest quota for pods with these requests and limits; None when no quota concerns them.

    `freed` is what will have been given back by then, by resource.
    """
    takes, rooms = taken(requests, limits), list[QuotaRoom]()
    for quota in quotas:
        spec, status = quota.get("spec", {}), quota.get("status", {})
        if spec.get("scopeSelector") or not _FOR_ALL.issuperset(spec.get("scopes") or ()):
            continue
        for resource, hard in status.get("hard", {}).items():
            needs = takes.get(resource, NONE)
            if needs:
                used = amount(str(status.get("used", {}).get(resource, "0")))
                left = max(NONE, amount(str(hard)) - used + freed.get(resource, NONE))
                rooms.append(QuotaRoom(int(left // needs), quota["metadata"]["name"], resource, left))
    return min(rooms, default=None)
