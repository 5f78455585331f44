"""All Models: who is in trouble, who is slow, who costs most."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.panels import Line, graph, number, page
from modelyard.core.prometheus_rules.objectives import AVAILABLE, BURN
from modelyard.core.prometheus_rules.requests import ERROR_RATIO, LATENCY, REQUESTS
from modelyard.core.prometheus_rules.resources import COST, COST_PER_THOUSAND, IDLE, REPLICAS

NAME = "fleet"
_MODEL = "{{namespace}}/{{model}}"
_FIRING = 'sum by (severity) (ALERTS{alertname=~"Modelyard.+", alertstate="firing"}) or vector(0)'


def dashboard() -> Dashboard:
    """The page."""
    cost = f"sum by (namespace, model) ({COST})"
    return page(
        NAME,
        "Modelyard / fleet",
        "Every Model: traffic, errors, latency, error budgets, replicas and cost.",
        number("Models", "none", Line(f"count({AVAILABLE})", "Models")),
        number("Answer their users", "none", Line(f"sum({AVAILABLE})", "available"), "And are Ready."),
        number("Requests", "reqps", Line(f"sum(model:{REQUESTS})", "requests/s")),
        number(
            "Alerts that fire",
            "none",
            Line(
                'sum by (severity) (ALERTS{alertname=~"Modelyard.+", alertstate="firing"}) or vector(0)', "{{severity}}"
            ),
            "critical is a page, warning a ticket.",
            8,
        ),
        number("Cost", "none", Line(f"sum({COST}) or vector(0)", "an hour"), "An hour, by config.prices."),
        graph("Requests", "reqps", Line(f"model:{REQUESTS}", _MODEL)),
        graph("Requests that fail", "percentunit", Line(f"model:{ERROR_RATIO}", _MODEL)),
        graph("Latency, p99", "s", Line(f'model:{LATENCY}{{quantile="0.99"}}', _MODEL)),
        graph(
            "Burn of error budgets, 1 h",
            "none",
            Line(f"{BURN}:rate1h", f"{_MODEL} {{{{objective}}}}"),
            says="1 uses up a month's budget in a month; 14.4 pages.",
        ),
        graph(
            "Replicas that are ready",
            "none",
            Line(f'sum by (namespace, model) ({REPLICAS}{{state="ready"}})', _MODEL),
        ),
        graph(
            "Reserved cores that are idle",
            "percentunit",
            Line(f"avg by (namespace, model) ({IDLE})", _MODEL),
            says="Of what pods request, what they do not use.",
        ),
        graph("Cost of an hour", "none", Line(cost, _MODEL), says="By config.prices: of what is reserved."),
        graph("Cost of 1,000 predictions", "none", Line(COST_PER_THOUSAND, _MODEL), says="Over the last hour."),
        graph(
            "Availability", "percentunit", Line(f"avg_over_time({AVAILABLE}[1h])", _MODEL), says="Over the last hour."
        ),
    )
