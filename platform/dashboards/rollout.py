"""One rollout: where it stands, what the evidence says, both revisions side by side."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.model import of
from dashboards.panels import Line, graph, half, number, page
from modelyard.core.prometheus_rules.requests import ERROR_RATIO, LATENCY, REQUESTS

NAME = "rollout"


def once(metric: str, labels: str, *more: str) -> str:
    """What every copy of the operator says of the chosen Model."""
    return f"max by ({labels}) ({of(metric, *more)})"


def dashboard() -> Dashboard:
    """The page."""
    requests = once("modelyard_rollout_requests_total", "result")
    return page(
        NAME,
        "Modelyard / rollout",
        "One rollout: phase, weights, evidence of every gate beside what it takes, stable and candidate.",
        number(
            "Phase", "none", Line(once("modelyard_rollout_phase", "phase, reason"), "{{phase}} {{reason}}"), width=8
        ),
        number("Candidate's weight", "percent", Line(once("modelyard_rollout_weight", "kind"), "{{kind}}"), width=8),
        number("Candidate's requests", "none", Line(requests, "{{result}}"), width=8),
        half("Weight of the candidate", "percent", Line(once("modelyard_rollout_weight", "kind"), "{{kind}}")),
        half("Share of the traffic", "percent", Line(once("modelyard_revision_weight", "revision"), "{{revision}}")),
        half(
            "Evidence against",
            "none",
            Line(once("modelyard_rollout_gate_e_value", "gate", 'evidence="against"'), "{{gate}}"),
            Line(once("modelyard_rollout_gate_threshold", "gate", 'evidence="against"'), "{{gate}} fails at"),
        ),
        half(
            "Evidence in favour",
            "none",
            Line(once("modelyard_rollout_gate_e_value", "gate", 'evidence="for"'), "{{gate}}"),
            Line(once("modelyard_rollout_gate_threshold", "gate", 'evidence="for"'), "{{gate}} passes at"),
        ),
        graph("Requests by revision", "reqps", Line(of(f"revision:{REQUESTS}"), "{{revision}}")),
        graph("Requests that fail", "percentunit", Line(of(f"revision:{ERROR_RATIO}"), "{{revision}}")),
        graph("Latency, p99", "s", Line(of(f"revision:{LATENCY}", 'quantile="0.99"'), "{{revision}}")),
        of_model=True,
    )
