"""What the cluster has for more pods, as it was told: nodes, what pods request on each, quotas, what a runtime is.

Sums of what is requested are made once, where the pods are listed, because all Models ask for the same ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

NONE = Fraction(0)


class ReplicaSize(NamedTuple):
    """What one replica requests: cores, bytes of memory, GPUs."""

    cores: Fraction
    memory: Fraction
    gpus: Fraction = NONE

    def times(self, replicas: int) -> "ReplicaSize":
        """What so many request."""
        return ReplicaSize(self.cores * replicas, self.memory * replicas, self.gpus * replicas)

    def plus(self, other: "ReplicaSize") -> "ReplicaSize":
        """What both request."""
        return ReplicaSize(self.cores + other.cores, self.memory + other.memory, self.gpus + other.gpus)

    def less(self, other: "ReplicaSize") -> "ReplicaSize":
        """What is left of it without the other; below 0 where the other has more."""
        return ReplicaSize(self.cores - other.cores, self.memory - other.memory, self.gpus - other.gpus)


NOTHING = ReplicaSize(NONE, NONE)


class NodeUse(NamedTuple):
    """What the pods on a node request together, and how many they are."""

    size: ReplicaSize = NOTHING
    pods: int = 0


@dataclass(frozen=True)
class ClusterRoom:
    """The facts; objects are the API server's own dictionaries.

    `nodes` are all nodes, `used` what is requested on each, by its name; `quotas` the ResourceQuotas of the Model's
    namespace; `runtime` the pod's spec of the ClusterServingRuntime that a new revision is made with, None without one.
    """

    nodes: tuple[Mapping[str, Any], ...] = ()
    used: Mapping[str, NodeUse] = field(default_factory=dict)
    quotas: tuple[Mapping[str, Any], ...] = ()
    runtime: Mapping[str, Any] | None = None
