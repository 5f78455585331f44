"""`modelyard slo NAME`: what is left of a Model's error budgets, how fast they burn, when they are empty.

Exit code 0 while every budget has something left and none burns so fast that a page is due, 1 else.
"""

import re
from typing import Annotated, Any

import typer

from modelyard.api.model import Model
from modelyard.cli.platform_settings import platform_settings
from modelyard.cli.terminal.console import Output, dump, out
from modelyard.cli.terminal.durations import spell
from modelyard.cli.terminal.options import Namespace, Shown
from modelyard.cli.terminal.table import table
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.context import current_namespace
from modelyard.clients.cluster.models import read
from modelyard.clients.metrics.prometheus_api import PrometheusAt, PrometheusQueries, prometheus_of
from modelyard.clients.metrics.slo_readings import SloReading, slo_reading
from modelyard.core.prometheus_rules.objectives import FAST
from modelyard.core.slo.budget import ErrorBudget
from modelyard.core.slo.burn_rates import BUDGET_WINDOW
from modelyard.core.slo.objectives import LATENCY_BOUNDS_MS, promised
from modelyard.errors import InvalidInput, InvalidModel, InvalidSettings
from modelyard.settings import Settings

_SHOWN = ("5m", "1h", "6h", "3d")
_UNITS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}
_SEE = "say --prometheus with the address of another"


def slo(
    name: Annotated[str, typer.Argument(help="Name of the Model.")],
    prometheus: Annotated[
        str,
        typer.Option(help="URL of the Prometheus to ask; else that of gateway.prometheusUrl."),
    ] = "",
    window: Annotated[str, typer.Option(help="What budgets are counted over: hours, days, weeks.")] = BUDGET_WINDOW,
    namespace: Namespace = "",
    output: Shown = Output.TABLE,
) -> None:
    """Say what is left of a Model's error budgets, how fast they burn, and when they are empty."""
    seconds = span_of(window)
    cluster = Cluster(access())
    model = Model.of(read(cluster, namespace or current_namespace(), name)[0])
    objectives = promised(model.spec.slo)
    if not objectives:
        raise InvalidModel(f"{name} promised nothing: write spec.slo, such as {{errorRate: 0.1%}}.")
    reading = slo_reading(queries(cluster, prometheus), model.namespace, name, objectives, window)
    if output is Output.TABLE:
        console = out()
        columns = ("objective", "promised", "bad", "left", *(f"burn {each}" for each in _SHOWN), "empty in")
        console.print(table(columns, [row(budget, seconds) for budget in reading.budgets]))
        for sentence in sentences(reading, window, seconds):
            console.print(sentence, markup=False, soft_wrap=True)
    else:
        dump({"model": name, "namespace": model.namespace, "window": window, **plain(reading, seconds)}, output)
    if not kept(reading):
        raise typer.Exit(1)


def span_of(window: str) -> float:
    """`30d` in seconds. Raises InvalidInput for what is no number of hours, days or weeks."""
    match = re.fullmatch(r"([1-9][0-9]{0,3})([hdw])", window)
    if match is None:
        raise InvalidInput(f"--window {window} is no span: write hours, days or weeks, such as 6h, 30d or 4w.")
    return float(match[1]) * _UNITS[match[2]]


def queries(cluster: Cluster, url: str) -> PrometheusQueries:
    """The Prometheus at `url`, else the one that the settings name. Raises InvalidSettings when nobody names one."""
    if url and not re.match(r"https?://[^/\s]", url):
        raise InvalidInput(f"--prometheus {url} is no address: write one such as http://localhost:9090.")
    mine = url or Settings.read().gateway.prometheus_url
    if mine:
        return PrometheusAt(mine, _SEE)
    theirs = platform_settings(cluster).gateway.prometheus_url
    if not theirs:
        raise InvalidSettings(
            "nothing says where Prometheus is: say --prometheus URL, or set config.gateway.prometheusUrl of the "
            "platform's chart."
        )
    return prometheus_of(theirs, cluster, _SEE)


def kept(reading: SloReading) -> bool:
    """Whether every budget has something left, and no page is due."""
    paged = any(alert.alert == FAST for alert in reading.alerts)
    return not paged and all(budget.left is None or budget.left > 0 for budget in reading.budgets)


def row(budget: ErrorBudget, window: float) -> list[str]:
    """One promise: its words, what was bad, what is left, burn rates, when it is empty."""
    end = budget.empty_in(window)
    return [
        budget.objective.promise.value,
        budget.objective.text,
        _share(budget.bad_ratio),
        _share(budget.left),
        *(f"{budget.burns[each]:.3g}" if each in budget.burns else "" for each in _SHOWN),
        "" if end is None else "is empty" if end == 0 else spell(end),
    ]


def sentences(reading: SloReading, window: str, seconds: float) -> list[str]:
    """What the table does not say: how much was counted, what was not, which alerts fire."""
    said = [
        f"Latency is not judged: the gateway's smallest bucket is {LATENCY_BOUNDS_MS[0]} ms."
        for budget in reading.budgets
        if not budget.objective.countable
    ]
    silent = [budget.objective.promise.value for budget in reading.budgets if budget.bad_ratio is None]
    if len(silent) == len(reading.budgets):
        return [*said, f"Nothing was counted in {window}: nobody has sent a request."]
    if reading.reaches < 0.95 * seconds:
        said.append(f"Counted over {spell(reading.reaches)} of {window}: Prometheus knows no more.")
    said += [f"{alert.alert} fires ({alert.objective})." for alert in reading.alerts]
    return said


def plain(reading: SloReading, window: float) -> dict[str, Any]:
    """The same as plain values, for scripts; null is not known, or not in sight."""
    return {
        "kept": kept(reading),
        "countedSeconds": reading.reaches,
        "objectives": [
            {
                "objective": budget.objective.promise.value,
                "promised": budget.objective.text,
                "allowedRatio": budget.objective.allowed,
                "total": budget.total,
                "bad": budget.bad,
                "badRatio": budget.bad_ratio,
                "budgetLeft": budget.left,
                "burn": dict(budget.burns),
                "emptyInSeconds": budget.empty_in(window),
                "alerts": [each.alert for each in reading.alerts if each.objective == budget.objective.promise.value],
            }
            for budget in reading.budgets
        ],
    }


def _share(ratio: float | None) -> str:
    return "" if ratio is None else f"{100 * ratio:.3g}%"
