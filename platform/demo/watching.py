"""Waiting for a Model with its stations in view: a live table on a terminal, a line a change elsewhere."""

import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from modelyard.api.model import Model
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.models import read
from modelyard.errors import OutsideError

from .stage import DemoFailed

STATIONS = ("EntryResolved", "Built", "Serving", "Routed", "Ready")
_MARKS = {"True": "[green]✓[/]", "False": "[yellow]…[/]", "Unknown": "[yellow]…[/]"}
_EVERY_SECONDS = 0.5


def until_ready(
    console: Console, cluster: Cluster, namespace: str, name: str, version: str, beside: Callable[[], str], limit: float
) -> Model:
    """The Model once that version holds all its traffic; `beside` is a line to show along.

    Raises DemoFailed when the operator says that only a person can help, or after `limit` seconds.
    """
    started = time.monotonic()
    shown: set[str] = set()
    with Live(console=console, auto_refresh=False, transient=False) as live:
        while True:
            model = seen(cluster, namespace, name)
            if model is not None:
                elapsed = time.monotonic() - started
                if console.is_terminal:
                    live.update(_table(model, elapsed, beside()), refresh=True)
                else:
                    _lines(console, model, elapsed, shown)
                if _arrived(model, version):
                    return model
            if time.monotonic() - started > limit:
                raise DemoFailed(f"{name} was not ready after {limit:.0f} s; `modelyard explain {name}` follows")
            time.sleep(_EVERY_SECONDS)


def seen(cluster: Cluster, namespace: str, name: str) -> Model | None:
    """The Model; None while the API server is busy."""
    try:
        return Model.of(read(cluster, namespace, name)[0])
    except OutsideError:
        return None


def _arrived(model: Model, version: str) -> bool:
    if model.status.observed_generation < model.generation:
        return False
    stalled, under_way = model.status.condition("Stalled"), model.status.condition("Reconciling")
    if stalled is not None and stalled.status == "True":
        raise DemoFailed(f"{model.name} needs a person: {stalled.message}")
    return under_way is not None and under_way.status == "False" and model.status.version == version


def _rows(model: Model) -> list[tuple[str, str, str]]:
    said = {kind: model.status.condition(kind) for kind in STATIONS}
    return [(kind, one.status, one.message) if one else (kind, "Unknown", "") for kind, one in said.items()]


def _table(model: Model, elapsed: float, beside: str) -> Table:
    table = Table.grid(padding=(0, 1))
    for kind, status, message in _rows(model):
        table.add_row(_MARKS[status], kind, escape(message))
    table.add_row("", "[dim]elapsed[/]", f"[dim]{elapsed:.0f} s {escape(beside)}[/]")
    return table


def _lines(console: Console, model: Model, elapsed: float, shown: set[str]) -> None:
    for kind, status, message in _rows(model):
        line = f"{kind}={status} {message}"
        if line not in shown and message:
            shown.add(line)
            console.print(f"  {elapsed:5.1f} s  {escape(line)}", highlight=False, soft_wrap=True)


def plain(_: Any = None) -> str:
    """Nothing to show beside the stations."""
    return ""
