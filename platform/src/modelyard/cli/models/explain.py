"""`modelyard explain NAME`: walk the path of a Model and say where it is stuck, why, and what to do.

Exit code 0 when every step is good or on its way, 1 when one needs somebody.
"""

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from modelyard.api.model import Model
from modelyard.cli.terminal.console import Output, dump, out
from modelyard.cli.terminal.options import Namespace, Shown
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.context import current_namespace
from modelyard.clients.cluster.models import read
from modelyard.clients.cluster.operator_lease import leader_silence
from modelyard.clients.metrics.response_cache import cache_counts
from modelyard.core.kinds import CHILDREN
from modelyard.core.names import BUILD_LABEL, MODEL_LABEL, build_label
from modelyard.core.ownership import IDENTITY_KINDS
from modelyard.core.snapshot import Ref
from modelyard.errors import Refused
from modelyard.settings import Settings

from .diagnosis import ClusterObjects, conclusion, diagnose
from .explained.path_step import PathStep, Standing

_MARKS = {Standing.GOOD: "[green]✓[/]", Standing.WAITING: "[yellow]…[/]", Standing.BAD: "[red]✗[/]"}
_KINDS = [row.kind for row in CHILDREN if row.label == MODEL_LABEL and row.kind not in IDENTITY_KINDS]
_LOG_BYTES = 20_000


def explain(
    name: Annotated[str, typer.Argument(help="Name of the Model.")],
    namespace: Namespace = "",
    output: Shown = Output.TABLE,
) -> None:
    """Say in plain words what is wrong with a Model and what to do."""
    settings, cluster, console = Settings.read(), Cluster(access()), out()
    model = Model.of(read(cluster, namespace or current_namespace(), name)[0])
    steps = diagnose(gather(cluster, model, settings), settings)
    if output is Output.TABLE:
        show(steps, console)
    else:
        dump([asdict(step) | {"verdict": step.verdict.value} for step in steps], output)
    if any(step.verdict is Standing.BAD for step in steps):
        raise typer.Exit(1)


def gather(cluster: Cluster, model: Model, settings: Settings) -> ClusterObjects:
    """Everything that belongs to the Model: its objects, its Jobs' pods, the logs of failed containers, the Gateway.

    What the caller may not list is left out; raises Refused where the Gateway may not be read.
    """
    objects: list[dict[str, Any]] = []
    for kind in _KINDS:
        objects += _items(cluster, kind, model.namespace, f"{MODEL_LABEL}={model.name}")
    builds = [known.digest for known in (model.status.build, model.status.optimization) if known is not None]
    for digest in dict.fromkeys(builds):
        selector = f"{BUILD_LABEL}={build_label(digest)}"
        objects += _items(cluster, "Pod", settings.operator.namespace, selector)
    logs = {item["metadata"]["name"]: _log(cluster, item) for item in objects if item["kind"] == "Pod"}
    gateway = cluster.get(Ref("Gateway", settings.gateway.namespace, settings.gateway.name))
    known = {pod: log for pod, log in logs.items() if log}
    silence = _silence(cluster, settings.operator.namespace)
    counts = cache_counts(cluster, model.namespace, model.status.revision) if model.spec.cache is not None else None
    return ClusterObjects(model, objects, gateway, known, silence, counts)


def _silence(cluster: Cluster, namespace: str) -> str:
    """Why no operator leads; empty when one does, or the caller may not read its Lease."""
    try:
        lease = cluster.get(Ref("Lease", namespace, "modelyard-operator"))
    except Refused:
        return ""
    return leader_silence(lease, cluster.now())


def _items(cluster: Cluster, kind: str, namespace: str, selector: str) -> list[dict[str, Any]]:
    """The objects with their kind, which lists leave out; none where the caller may not list them."""
    try:
        return [{**item, "kind": kind} for item in cluster.items(kind, namespace, selector)]
    except Refused:
        return []


def _log(cluster: Cluster, pod: dict[str, Any]) -> str:
    """The log of the first container that ended badly; empty when none did."""
    at = Ref("Pod", pod["metadata"]["namespace"], pod["metadata"]["name"])
    status = pod.get("status", {})
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        now = container.get("state", {}).get("terminated") or {}
        before = container.get("lastState", {}).get("terminated") or {}
        if now.get("exitCode") or (before.get("exitCode") and not container.get("ready")):
            return cluster.logs(at, container["name"], previous=not now, limit=_LOG_BYTES)
    return ""


def show(steps: tuple[PathStep, ...], console: Console) -> None:
    """Prints the steps in order, then the one to begin with, its remedy, or that nothing is wrong."""
    for step in steps:
        line = f"{_MARKS[step.verdict]} [bold]{escape(step.subject)}[/]: {escape(step.found)}"
        console.print(line, highlight=False, soft_wrap=True)
    begin = conclusion(steps)
    if begin.verdict is Standing.GOOD:
        console.print("\nNothing is wrong.")
        return
    word = "Wrong" if begin.verdict is Standing.BAD else "On its way"
    console.print(
        f"\n[bold]{word}[/] at {escape(begin.subject)}: {escape(begin.found)}", highlight=False, soft_wrap=True
    )
    if begin.remedy:
        console.print(f"[bold]Do[/]: {escape(begin.remedy)}", highlight=False, soft_wrap=True)
