"""The platform's controller: does it lead, keep up, and reach what it asks?"""

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.panels import Line, graph, number, page

NAME = "operator"
_WINDOW = "$__rate_interval"


def rate(counter: str, labels: str) -> str:
    """How often a second, over all copies."""
    return f"sum by ({labels}) (rate({counter}[{_WINDOW}]))"


def percentile(histogram: str, quantile: float) -> str:
    """A percentile of what all copies measured."""
    return f"histogram_quantile({quantile}, sum by (le) (rate({histogram}_bucket[{_WINDOW}])))"


def dashboard() -> Dashboard:
    """The page."""
    return page(
        NAME,
        "Modelyard / operator",
        "The controller: leadership, queue, passes, writes, builds, readings of the gateway.",
        number("Leaders", "none", Line("sum(modelyard_leader)", "leads"), "One, at any time."),
        number("Queue", "none", Line("max(modelyard_queue_depth)", "wait")),
        number(
            "Models by condition",
            "none",
            Line('max by (condition) (modelyard_models{status="True"})', "{{condition}}"),
            width=16,
        ),
        graph("Models that wait", "none", Line("max(modelyard_queue_depth)", "wait")),
        graph("Passes", "ops", Line(rate("modelyard_reconcile_seconds_count", "outcome"), "{{outcome}}")),
        graph(
            "Length of a pass",
            "s",
            Line(percentile("modelyard_reconcile_seconds", 0.5), "p50"),
            Line(percentile("modelyard_reconcile_seconds", 0.99), "p99"),
        ),
        graph("Writes", "ops", Line(rate("modelyard_writes_total", "verb, kind"), "{{verb}} {{kind}}")),
        graph("Changes that arrive", "ops", Line(rate("modelyard_watch_events_total", "kind"), "{{kind}}")),
        graph("Objects known", "none", Line("max by (kind) (modelyard_cached_objects)", "{{kind}}")),
        graph(
            "Readings of the gateway's counters",
            "s",
            Line(percentile("modelyard_scrape_seconds", 0.99), "p99"),
            says="While rollouts run.",
        ),
        graph(
            "Readings that were not whole",
            "ops",
            Line(f"sum(rate(modelyard_scrape_failures_total[{_WINDOW}]))", "not whole"),
        ),
        graph("Warm-up inferences", "ops", Line(rate("modelyard_warmups_total", "outcome"), "{{outcome}}")),
        graph("Builds that ended", "ops", Line(rate("modelyard_build_seconds_count", "outcome"), "{{outcome}}")),
        graph(
            "Rollouts that ended",
            "ops",
            Line(rate("modelyard_rollout_duration_seconds_count", "outcome"), "{{outcome}}"),
        ),
        graph(
            "Requests that wait for a first replica", "none", Line("sum(modelyard_holder_waiting) or vector(0)", "wait")
        ),
        graph(
            "Retrainings that ended",
            "ops",
            Line(rate("modelyard_retraining_duration_seconds_count", "outcome"), "{{outcome}}"),
        ),
    )
