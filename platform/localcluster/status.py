"""What runs, as a table: the node's programs, what is installed, where it answers."""

from dataclasses import dataclass

from rich.table import Table

from .errors import CommandFailed
from .install import release
from .install.kserve import MANAGER
from .install.kserve import NAMESPACE as KSERVE
from .install.kubernetes import Kubernetes
from .install.prerequisites import ENVOY_GATEWAY_NAMESPACE, PLATFORM_NAMESPACE
from .node import components, network, process
from .node.control import parts_of
from .paths import Paths
from .steps.task import Task


@dataclass(frozen=True)
class Line:
    """One row: a thing, whether it is well, and what is known about it."""

    name: str
    well: bool
    detail: str


_DEPLOYMENTS = (
    ("DNS", "kube-system", "coredns"),
    ("KServe", KSERVE, MANAGER),
    ("Envoy Gateway", ENVOY_GATEWAY_NAMESPACE, "envoy-gateway"),
    ("Operator", PLATFORM_NAMESPACE, "modelyard-operator"),
)


def lines(paths: Paths, task: Task) -> list[Line]:
    """Every row, in the order of starting; a cluster that is down has one."""
    running = process.find(paths)
    if not running:
        return [Line("Node", False, "not running; start it with `make cluster`")]
    found = [Line("Node", True, f"pid {running.pid}, {len(running.containers())} pods, {network.NODE_ADDRESS}")]
    authority = paths.certificates / "ca.crt"
    for part in [components.containerd(paths.state, paths.containerd), *parts_of(paths)]:
        pids = list(running.named(part.name))
        well = bool(pids) and (not part.health or components.answers(part.health, authority))
        found.append(Line(part.name, well, f"pid {pids[0]}" if pids else f"see {paths.logs / part.name}.log"))
    addresses = {"Gateway": release.GATEWAY, "Store (S3)": release.STORE}
    return [*found, *installed(Kubernetes(paths.kubeconfig), task), *answering(addresses)]


def installed(kubernetes: Kubernetes, task: Task) -> list[Line]:
    """One row for each Deployment the platform stands on; only one when the API server does not answer."""
    found = []
    for name, namespace, deployment in _DEPLOYMENTS:
        try:
            counts = kubernetes.replicas(task, deployment, namespace)
        except CommandFailed:
            return [*found, Line(name, False, "the API server does not answer")]
        detail = f"{counts.available} of {counts.wanted} pods" if counts else "not installed"
        found.append(Line(name, counts is not None and counts.available >= counts.wanted, detail))
    return found


def answering(addresses: dict[str, str]) -> list[Line]:
    """Addresses by name, asked for any answer at all."""
    return [Line(name, components.listens(address), address) for name, address in addresses.items()]


def table(rows: list[Line]) -> Table:
    """The rows for a terminal."""
    shown = Table("", "", "", show_header=False, box=None, padding=(0, 2, 0, 0))
    for row in rows:
        shown.add_row("[green]✓[/]" if row.well else "[red]✗[/]", row.name, row.detail)
    return shown
