"""One Model: its promises, its revisions, what they use and cost."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.panels import OF_MODEL, Line, graph, half, number, page
from modelyard.core.prometheus_rules import resources
from modelyard.core.prometheus_rules.objectives import ALLOWED, AVAILABLE, BURN
from modelyard.core.prometheus_rules.requests import ERROR_RATIO, LATENCY, REQUESTS

NAME = "model"
_REVISION = "{{revision}}"


def of(series: str, *more: str) -> str:
    """A series of the chosen Model."""
    return f"{series}{{{', '.join((OF_MODEL, *more))}}}"


def dashboard() -> Dashboard:
    """The page."""
    reserved = of(resources.RESERVED, 'resource="cpu"')
    return page(
        NAME,
        "Modelyard / Model",
        "One Model: promises, traffic by revision, batching, resources and cost.",
        number("Available now", "none", Line(of(AVAILABLE), "now"), "1: Ready, and less than half of requests fail."),
        number("Requests", "reqps", Line(of(f"model:{REQUESTS}"), "requests/s")),
        number("Fail", "percentunit", Line(of(f"model:{ERROR_RATIO}"), "of requests")),
        number("p99", "s", Line(of(f"model:{LATENCY}", 'quantile="0.99"'), "p99")),
        number("Promised: may be bad", "percentunit", Line(of(ALLOWED), "{{objective}}"), width=8),
        half("Burn of error budgets, 1 h", "none", Line(of(f"{BURN}:rate1h"), "{{objective}}"), says="14.4 pages."),
        half("Burn of error budgets, 6 h", "none", Line(of(f"{BURN}:rate6h"), "{{objective}}"), says="6 pages."),
        graph("Requests by revision", "reqps", Line(of(f"revision:{REQUESTS}"), _REVISION)),
        graph("Requests that fail, by revision", "percentunit", Line(of(f"revision:{ERROR_RATIO}"), _REVISION)),
        graph(
            "Share of the traffic", "percent", Line(f"max by (revision) ({of('modelyard_revision_weight')})", _REVISION)
        ),
        half("Latency", "s", Line(of(f"model:{LATENCY}"), "p{{quantile}}")),
        half("Latency p99 by revision", "s", Line(of(f"revision:{LATENCY}", 'quantile="0.99"'), _REVISION)),
        graph("Batch size", "none", Line(of(resources.BATCH), _REVISION), says="Requests that Triton answers at once."),
        graph(
            "In the server",
            "s",
            Line(of(resources.QUEUE), f"queue {_REVISION}"),
            Line(of(resources.COMPUTE), f"compute {_REVISION}"),
        ),
        graph("Replicas", "none", Line(of(resources.REPLICAS), f"{{{{state}}}} {_REVISION}")),
        graph("Cores", "none", Line(of(resources.CPU), f"used {_REVISION}"), Line(reserved, f"reserved {_REVISION}")),
        graph("Memory", "bytes", Line(of(resources.MEMORY), _REVISION)),
        graph("Reserved cores that are idle", "percentunit", Line(of(resources.IDLE), _REVISION)),
        half("Cost of 1,000 predictions", "none", Line(of(resources.COST_PER_THOUSAND), "over the last hour")),
        half("Cost of an hour", "none", Line(of(resources.COST), _REVISION)),
        half("GPUs: busy", "percentunit", Line(of(resources.GPU), _REVISION), says="Where there are any."),
        half("GPUs: memory", "bytes", Line(of(resources.GPU_MEMORY), _REVISION), says="Where there are any."),
        of_model=True,
    )
