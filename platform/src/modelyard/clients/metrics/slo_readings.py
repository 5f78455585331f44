"""How a Model kept its promises, as a Prometheus with the rules of `modelyard.core.prometheus_rules` knows it."""

from collections.abc import Sequence
from typing import NamedTuple

from modelyard.core.prometheus_rules.objectives import ALLOWED, BAD, BURN, FAST, SLOW, TOTAL
from modelyard.core.prometheus_rules.requests import SECONDS
from modelyard.core.slo.budget import ErrorBudget
from modelyard.core.slo.objectives import PromisedObjective
from modelyard.errors import InvalidSettings

from .prometheus_api import PrometheusQueries

_OLDEST_STEP = "5m"


class FiringAlert(NamedTuple):
    """An alert that fires, and the objective it speaks of."""

    alert: str
    objective: str


class SloReading(NamedTuple):
    """Budgets of all promises, the alerts that fire, and how far back the counts of the window reach, seconds."""

    budgets: tuple[ErrorBudget, ...]
    alerts: tuple[FiringAlert, ...]
    reaches: float


def slo_reading(
    prometheus: PrometheusQueries,
    namespace: str,
    model: str,
    objectives: Sequence[PromisedObjective],
    window: str,
) -> SloReading:
    """What Prometheus says of a Model's promises over a window such as `30d`.

    Raises InvalidSettings where it has never heard of them, Unreachable and Refused when it does not answer.
    """
    of_model = f'namespace="{namespace}",model="{model}"'
    if not prometheus.ask(f"{ALLOWED}{{{of_model}}}"):
        raise InvalidSettings(
            "that Prometheus knows nothing of the promises of this Model: give it the rules "
            "(monitoring.prometheusRule.enabled or monitoring.rulesConfigMap.enabled of the platform's chart) and let "
            "it scrape the operator (monitoring.serviceMonitor.enabled). It takes a minute until it does."
        )
    total, bad = (
        _by_objective(prometheus, f"{SECONDS} * sum by (objective) (sum_over_time({series}{{{of_model}}}[{window}]))")
        for series in (TOTAL, BAD)
    )
    burns: dict[str, dict[str, float]] = {}
    for labels, burn in prometheus.ask(f'{{__name__=~"{BURN}:rate.+",{of_model}}}'):
        burns.setdefault(labels["objective"], {})[labels["__name__"].removeprefix(f"{BURN}:rate")] = burn
    firing = prometheus.ask(f'ALERTS{{alertname=~"{FAST}|{SLOW}",alertstate="firing",{of_model}}}')
    oldest = prometheus.ask(f"time() - min(min_over_time(timestamp({TOTAL}{{{of_model}}})[{window}:{_OLDEST_STEP}]))")
    return SloReading(
        tuple(
            ErrorBudget(each, total.get(name, 0.0), bad.get(name, 0.0), burns.get(name, {}))
            for each in objectives
            if (name := each.promise.value)
        ),
        tuple(sorted(FiringAlert(labels["alertname"], labels["objective"]) for labels, _ in firing)),
        max((age for _, age in oldest), default=0.0),
    )


def _by_objective(prometheus: PrometheusQueries, query: str) -> dict[str, float]:
    return {labels["objective"]: value for labels, value in prometheus.ask(query)}
