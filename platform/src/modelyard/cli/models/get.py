"""`modelyard get [NAME]`: Models, what they serve and how fast.

p99 is what the gateway measured since the revision came into the route, as a bucket's upper bound; a dash
where the gateway's counters cannot be read with the caller's rights, or nobody asked yet. The column ROLLOUT
comes when there is something to say in it: a rollout under way, or a wanted revision that was refused. So does the
column OPTIMIZED: how far an optimization is, or which variant it chose and what that gave; the column DATA where
recorded rows are not like the reference, or a retraining is under way; and the column COST where the platform knows
prices.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
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
from modelyard.clients.cluster.models import read
from modelyard.clients.metrics import latency
from modelyard.settings import Settings

from .explained.cost_view import cost_words
from .explained.data_view import data_words
from .explained.retraining_view import retraining_word
from .percentile import percentile

_EVERY_SECONDS = 2.0
_COLUMNS = ("model", "version", "ready", "traffic", "p99", "rollout", "optimized", "data", "cost", "url")
_AT_TIMES = {"rollout": -5, "optimized": -4, "data": -3, "cost": -2}
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
        models = read(cluster, where, name)
        dump(models[0] if name else models, output)
        return

    def current() -> Table:
        measured = latency.read(cluster, settings.gateway.name)
        return overview(read(cluster, where, name), measured, wide=all_namespaces)

    if watch:
        _follow(current, console)
    else:
        console.print(current())


def overview(
    models: Sequence[Mapping[str, Any]],
    measured: Mapping[tuple[str, str], latency.Buckets],
    *,
    wide: bool,
) -> Table:
    """One row a Model, as the API server's dictionaries have them; `wide` adds the namespace.

    `measured` holds, by namespace and name, the cumulative counts of requests by upper bound of their latency in ms.
    """
    rows = [_row(Model.of(model), measured) for model in models]
    columns = ("namespace", *_COLUMNS)
    left_out = {name for name, at in _AT_TIMES.items() if not any(row[at] for row in rows)}
    left_out |= set() if wide else {"namespace"}
    shown = [at for at, name in enumerate(columns) if name not in left_out]
    return table([columns[at] for at in shown], [[row[at] for at in shown] for row in rows])


def _row(model: Model, measured: Mapping[tuple[str, str], latency.Buckets]) -> tuple[str, ...]:
    condition = model.status.condition("Ready")
    ready = {"True": True, "False": False}.get(condition.status) if condition else None
    why = "" if ready or condition is None else f" ({condition.reason})"
    p99 = percentile(latency.of_model(measured, model.namespace, model.name), 99)
    shown = "" if p99 is None else ("above all buckets" if math.isinf(p99) else f"<= {p99:g} ms")
    status = model.status
    optimized = status.optimization.summary if status.optimization is not None else ""
    data = ", ".join(words for words in (data_words(model), retraining_word(model)) if words)
    changes = (rolling(model), optimized, data, cost_words(model))
    served = (status.version, mark(ready) + why, status.traffic, shown, *changes)
    return model.namespace, model.name, *served, status.path_url or status.url


def rolling(model: Model) -> str:
    """`2: Advancing at 25 %`, `2 was Aborted (ErrorsGateFailed)`, or nothing when there is no rollout to speak of."""
    rollout = model.status.rollout
    if rollout is None or (not rollout.active and not rollout.rejected):
        return ""
    if not rollout.active:
        last = next((record for record in rollout.history if record.revision == rollout.rejected), None)
        return f"{last.version} was {last.outcome} ({last.reason})" if last else f"{rollout.version} was refused"
    entry = model.status.entry
    version = rollout.version or (entry.version if entry else "")
    why = f" ({rollout.reason})" if rollout.reason not in ("", rollout.phase) else ""
    weight = f" at {rollout.weight} %" if rollout.weight else ""
    return f"{version}: {rollout.phase}{weight}{why}".removeprefix(": ")


def _follow(current: Callable[[], Table], console: Console) -> None:
    """Shows the table again and again; on something that is no terminal, one table after the other."""
    try:
        if not console.is_terminal:
            while True:
                console.print(current())
                time.sleep(_EVERY_SECONDS)
        with Live(current(), console=console, auto_refresh=False) as live:
            while True:
                time.sleep(_EVERY_SECONDS)
                live.update(current(), refresh=True)
    except KeyboardInterrupt:
        return
