"""One Model's rows and labelled answers: what changed, how sure that is, who trains anew, and whether anybody looks."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.model import of
from dashboards.operator import rate
from dashboards.panels import Line, graph, half, number, page
from dashboards.rollout import once

NAME = "data"
_WORST = 10
_FEATURE = "{{feature}} {{revision}}"


def worst(metric: str, *more: str) -> str:
    """The features of the chosen Model of which a metric is largest."""
    return f"topk({_WORST}, max by (feature, revision) ({of(metric, *more)}))"


def dashboard() -> Dashboard:
    """The page."""
    states = once("modelyard_data_features", "state")
    evaluated = f"time() - max({of('modelyard_data_evaluated_timestamp_seconds')})"
    return page(
        NAME,
        "Modelyard / drift and data",
        "One Model's recorded rows against their reference, its answers by labels, its retraining, and the recorders.",
        number("Features", "none", Line(states, "{{state}}"), "Broken data pages, drift is a ticket.", 8),
        number("Last minute evaluated", "s", Line(evaluated, "ago"), "Minutes are read once they are two old."),
        number("Labelled answers", "none", Line(once("modelyard_performance_labels", "model"), "30 days")),
        number("Slices that decayed", "none", Line(once("modelyard_performance_decayed", "model"), "decayed"), width=8),
        half(
            "Evidence that data broke",
            "none",
            Line(worst("modelyard_data_evidence_ratio", 'kind="broken"'), _FEATURE),
            says=f"Missing, invalid or outside; the {_WORST} nearest. 1 alarms.",
        ),
        half(
            "Evidence of drift",
            "none",
            Line(worst("modelyard_data_evidence_ratio", 'kind="shape"'), _FEATURE),
            says=f"Of hours and days; the {_WORST} nearest. 1 alarms.",
        ),
        graph("Rows without a value", "percentunit", Line(worst("modelyard_data_missing_ratio"), _FEATURE)),
        graph("Rows outside the reference", "percentunit", Line(worst("modelyard_data_outside_ratio"), _FEATURE)),
        graph(
            "Rows that would have to move",
            "percentunit",
            Line(worst("modelyard_data_shift_ratio"), _FEATURE),
            says="Total variation between the last hours and the reference.",
        ),
        half("Features by state", "none", Line(states, "{{state}}")),
        half(
            "What alarms",
            "percentunit",
            Line(once("modelyard_data_alarm", "feature, kind"), "{{feature}} {{kind}}"),
            says="Share of the rows that show it; the worst five. Empty while nothing does.",
        ),
        half(
            "Performance",
            "none",
            Line(once("modelyard_performance", "output, measure"), "{{output}} {{measure}}"),
            says="Of all labelled answers of the last 30 days.",
        ),
        half(
            "Labels, and slices that decayed",
            "none",
            Line(once("modelyard_performance_labels", "model"), "labels"),
            Line(once("modelyard_performance_decayed", "model"), "decayed"),
        ),
        half(
            "Retraining",
            "none",
            Line(once("modelyard_retraining_state", "state, reason"), "{{state}} {{reason}}"),
            says="Where it stands, and why.",
        ),
        half(
            "Retrainings that came to nothing",
            "none",
            Line(once("modelyard_retraining_failures", "model"), "in a row"),
            Line(once("modelyard_retraining_cpu_hours", "model"), "CPU hours this month"),
            says="Two in a row are a ticket.",
        ),
        half(
            "Copies of requests, all Models",
            "ops",
            Line(rate("modelyard_recorder_requests_total", "outcome"), "{{outcome}}"),
        ),
        half("Labels, all Models", "ops", Line(rate("modelyard_recorder_labels_total", "outcome"), "{{outcome}}")),
        of_model=True,
    )
