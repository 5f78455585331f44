"""What runs, as a table: the node's programs, what is installed, where it answers."""

from dataclasses import dataclass

from rich.table import Table

from .errors import CommandFailed
from .install import release
from .install.kserve import MANAGER
from .install.kserve import NAMESPACE as KSERVE
from .install.kubernetes import Kubernetes
from .install.prerequisites import ENVOY_GATEWAY_NAMESPACE, PLATFORM_NAMESPACE
from .node import components, process
from .node.control import containerd_of, control_plane, log_of, node_parts
from .node.members import FIRST, Member, members, noted
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
    if not process.find(paths):
        return [Line("Node", False, "not running; start it with `make cluster`")]
    nodes = members(noted(paths.state))
    found = [line for member in nodes for line in node_lines(paths, member, len(nodes))]
    addresses = {"Gateway": release.GATEWAY, "Store (S3)": release.STORE}
    return [*found, *installed(Kubernetes(paths.kubeconfig), task), *answering(addresses)]


def node_lines(paths: Paths, member: Member, nodes: int) -> list[Line]:
    """One of so many nodes and what runs in it; one row when it does not run."""
    of = f" of {member.name}" if member.suffix else ""
    running = process.find(paths, member)
    if not running:
        return [Line(f"Node{of}", False, "not running; `make cluster` starts it again")]
    found = [Line(f"Node{of}", True, f"pid {running.pid}, {len(running.containers())} pods, {member.address}")]
    parts = [containerd_of(paths, member), *node_parts(paths, member, nodes)]
    for part in [*parts[:1], *(control_plane(paths) if member == FIRST else []), *parts[1:]]:
        pids = list(running.named(part.name))
        well = bool(pids) and (not part.health or components.answers(part.health, paths.certificates / "ca.crt"))
        detail = f"pid {pids[0]}" if pids else f"see {log_of(paths, part, member)}"
        found.append(Line(f"{part.name}{of}", well, detail))
    return found


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
