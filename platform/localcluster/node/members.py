"""The nodes of a cluster, all on this machine: the first has the control plane too, the others are nodes alone.

    number  name         address     pods           cgroups
    1       modelyard    10.250.0.2  10.244.0.0/24  /modelyard
    2       modelyard-2  10.250.0.3  10.244.1.0/24  /modelyard/node-2
    3       modelyard-3  10.250.0.4  10.244.2.0/24  /modelyard/node-3

Each gives its pods an equal part of the machine's cores and memory and calls the rest reserved, so that together they
offer what there is. How many there are is noted in the cluster's state: it is decided when the cluster is made.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from localcluster.errors import NotPossible
from localcluster.paths import Paths

MOST = 3
CLUSTER_POD_RANGE = "10.244.0.0/16"
"""The pods of all nodes."""
_NOTE = "nodes"


@dataclass(frozen=True)
class Member:
    """A node by its number, from 1; everything else about it follows."""

    number: int = 1

    @property
    def suffix(self) -> str:
        """What follows the names of steps, logs and files; nothing for the first."""
        return "" if self.number == 1 else f"-{self.number}"

    @property
    def name(self) -> str:
        return f"modelyard{self.suffix}"

    @property
    def address(self) -> str:
        return f"10.250.0.{self.number + 1}"

    @property
    def pod_range(self) -> str:
        return f"10.244.{self.number - 1}.0/24"

    @property
    def cgroup_root(self) -> str:
        """Below the first's, so that one folder holds all pods."""
        return "/modelyard" if self.number == 1 else f"/modelyard/node-{self.number}"

    @property
    def kubelet_identity(self) -> str:
        """File name of the kubelet's kubeconfig, certificate and key, without what follows the dot."""
        return f"kubelet{self.suffix}"

    def state(self, paths: Paths) -> Path:
        """The folder for its mounts and configuration files."""
        return paths.state if self.number == 1 else paths.state / self.name

    def images(self, paths: Paths) -> Path:
        """Where its containerd keeps imported images from one cluster to the next."""
        return paths.containerd.with_name(f"{paths.containerd.name}{self.suffix}")


FIRST = Member()


def members(count: int) -> list[Member]:
    """The nodes of a cluster of so many."""
    return [Member(number) for number in range(1, count + 1)]


def noted(state: Path) -> int:
    """How many nodes the cluster of this state folder was made with; 0 when there is none."""
    file = state / _NOTE
    if file.exists():
        return int(file.read_text())
    return 1 if (state / "certificates").exists() else 0


def note(state: Path, count: int) -> None:
    """Remember how many nodes the cluster is made with."""
    state.mkdir(parents=True, exist_ok=True)
    (state / _NOTE).write_text(str(count))


def parsed(text: str, state: Path) -> int:
    """The number of nodes that `NODES=text` asks for; empty means as many as the cluster has, or one.

    Raises NotPossible for anything but 1 to 3, and for another number than that of a cluster which is there.
    """
    present = noted(state)
    if not text:
        return present or 1
    if text not in [str(number) for number in range(1, MOST + 1)]:
        raise NotPossible(f"NODES={text} is not possible: the local cluster has 1 to {MOST} nodes, such as NODES=2.")
    count = int(text)
    if present not in (0, count):
        raise NotPossible(
            f"The local cluster here was made with {_nodes(present)}: end it with `make cluster-down`, "
            f"then start one with NODES={count}."
        )
    return count


def _nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"


def reserved(count: int, cores: int | None = None, memory: int | None = None) -> dict[str, str]:
    """What each of so many nodes leaves to the others, as the kubelet's `systemReserved`; nothing when it is alone.

    `cores` and `memory` (bytes) are the machine's, by default this one's.
    """
    if count == 1:
        return {}
    millis = 1000 * (cores or os.cpu_count() or 1)
    total = memory or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cpu": f"{millis - millis // count}m", "memory": f"{(total - total // count) // 1024}Ki"}
