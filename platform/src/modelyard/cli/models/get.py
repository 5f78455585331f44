"""`modelyard get [NAME]`: Models, what they serve and how fast.

p99 is what the gateway measured since the revision came into the route, as a bucket's upper bound; a dash
where the gateway's counters cannot be read with the caller's rights, or nobody asked yet. The column ROLLOUT
comes when there is something to say in it: a rollout under way, or a wanted revision that was refused. So does the
column OPTIMIZED: how far an optimization is, or which variant it chose and what that gave.
"""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from modelyard.api.model import Model
from modelyard.cli.terminal.console import Output, dump, out
from modelyard.cli.terminal.options import Namespace, Shown
from modelyard.cli.terminal.table import mark, table
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.context import current_namespace
from modelyard.clients.metrics import latency
from modelyard.core.snapshot import Ref
from modelyard.errors import InvalidModel
from modelyard.settings import Settings

from .percentile import percentile

_EVERY_SECONDS = 2.0
_COLUMNS = ("model", "version", "ready", "traffic", "p99", "rollout", "optimized", "url")
_AT_TIMES = {"rollout": -3, "optimized": -2}
"""Columns that are left out while nothing is in them, and where they are in a row."""


def get(
    name: Annotated[str, typer.Argument(help="Name of a Model; all of the namespace when left out.")] = "",
    namespace: Namespace = "",
    all_namespaces: Annotated[bool, typer.Option("--all-namespaces", "-A", help="Models of every namespace.")] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on until Ctrl-C.")] = False,
    output: Shown = Output.TABLE,
) -> None:
    """List Models: version, readiness, traffic, p99 and address."""
    settings, cluster, console = Settings.read(), Cluster(access()), out()
    where = "" if all_namespaces else namespace or current_namespace()
    if output is not Output.TABLE:
        found = read(cluster, where, name)
        dump(found[0] if name else found, output)
        return

    def look() -> Table:
        measured = latency.read(cluster, settings.gateway.name)
        return overview(read(cluster, where, name), measured, wide=all_namespaces)

    if watch:
        _follow(look, console)
    else:
        console.print(look())


def read(cluster: Cluster, namespace: str, name: str) -> list[dict[str, Any]]:
    """The Models asked for; raises InvalidModel when a named one does not exist."""
    if not name:
        return cluster.items("Model", namespace)
    if not namespace:
        raise InvalidModel(f"say in which namespace {name} is: use -n NAMESPACE instead of -A.")
    found = cluster.get(Ref("Model", namespace, name))
    if found is None:
        raise InvalidModel(f"there is no Model {name} in namespace {namespace}: `modelyard get -A` lists all.")
    return [found]


def overview(
    models: Sequence[Mapping[str, Any]],
    measured: Mapping[tuple[str, str], latency.Buckets],
    *,
    wide: bool,
) -> Table:
    """One row a Model; `wide` adds the namespace."""
    rows = [_row(parsed(one), measured) for one in models]
    columns = ("namespace", *_COLUMNS)
    left_out = {name for name, at in _AT_TIMES.items() if not any(row[at] for row in rows)}
    left_out |= set() if wide else {"namespace"}
    shown = [at for at, name in enumerate(columns) if name not in left_out]
    return table([columns[at] for at in shown], [[row[at] for at in shown] for row in rows])


def parsed(found: Mapping[str, Any]) -> Model:
    """The typed Model of the API server's dictionary."""
    return Model.model_validate({key: found[key] for key in ("metadata", "spec", "status") if key in found})


def _row(model: Model, measured: Mapping[tuple[str, str], latency.Buckets]) -> tuple[str, ...]:
    said = model.status.condition("Ready")
    ready = {"True": True, "False": False}.get(said.status) if said else None
    why = "" if ready or said is None else f" ({said.reason})"
    p99 = percentile(latency.of_model(measured, model.namespace, model.name), 99)
    shown = "" if p99 is None else ("above all buckets" if math.isinf(p99) else f"<= {p99:g} ms")
    status = model.status
    optimized = status.optimization.summary if status.optimization is not None else ""
    served = (status.version, mark(ready) + why, status.traffic, shown, rolling(model), optimized)
    return model.namespace, model.name, *served, status.path_url or status.url


def rolling(model: Model) -> str:
    """`2: Advancing at 25 %`, `2 was Aborted (ErrorsGateFailed)`, or nothing when there is no rollout to speak of."""
    rollout = model.status.rollout
    if rollout is None or (not rollout.active and not rollout.rejected):
        return ""
    if not rollout.active:
        last = next((one for one in rollout.history if one.revision == rollout.rejected), None)
        return f"{last.version} was {last.outcome} ({last.reason})" if last else f"{rollout.version} was refused"
    entry = model.status.entry
    version = rollout.version or (entry.version if entry else "")
    why = f" ({rollout.reason})" if rollout.reason not in ("", rollout.phase) else ""
    share = f" at {rollout.weight} %" if rollout.weight else ""
    return f"{version}: {rollout.phase}{share}{why}".removeprefix(": ")


def _follow(look: Any, console: Console) -> None:
    """Shows the table again and again; on something that is no terminal, one table after the other."""
    try:
        if not console.is_terminal:
            while True:
                console.print(look())
                time.sleep(_EVERY_SECONDS)
        with Live(look(), console=console, auto_refresh=False) as live:
            while True:
                time.sleep(_EVERY_SECONDS)
                live.update(look(), refresh=True)
    except KeyboardInterrupt:
        return
