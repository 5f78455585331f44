"""Where a report goes so that it is found later: into the store by when it began, and to a Pushgateway as metrics.

| metric | labels | meaning |
|---|---|---|
| modelyard_loadtest_passed | | 1 when every objective held, else 0 |
| modelyard_loadtest_requests, _failed | | how many were sent, and how many of them failed |
| modelyard_loadtest_rate | kind | requests per second: wanted, achieved |
| modelyard_loadtest_latency_seconds | quantile | from when a request was due to its answer |
| modelyard_loadtest_ended_timestamp_seconds | | when the verdict was reached |

All bear namespace, model and scenario, and stand until the next run of the same scenario replaces them. A run without a
verdict pushes nothing: what stands is older than it should be, which is what an alert on the last one asks.
"""

import time
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import URLError

from prometheus_client import CollectorRegistry, Gauge, push_to_gateway

from modelyard.clients.store import S3Store
from modelyard.core.storage.keys import load_report
from modelyard.errors import Unreachable
from modelyard.settings import Settings

JOB = "modelyard-loadtest"
_SECONDS = 10.0


def publish(report: Path, found: dict[str, Any], scenario: str) -> str:
    """Puts a report and its page into the store; the key of the report. Raises OutsideError."""
    key = load_report(found["namespace"], found["model"], scenario, found["started"])
    store = S3Store(Settings.read().store)
    store.put(key, report.read_bytes())
    page = report.with_suffix(".html")
    if page.exists():
        store.put(key.removesuffix(".json") + ".html", page.read_bytes())
    return key


def push(found: dict[str, Any], scenario: str, url: str) -> None:
    """Pushes a report's numbers to the Pushgateway at `url`. Raises Unreachable when it does not take them."""
    place = {"namespace": found["namespace"], "model": found["model"], "scenario": scenario}
    try:
        push_to_gateway(url, JOB, metrics(found), grouping_key=place, timeout=_SECONDS)
    except (URLError, HTTPException, OSError, ValueError) as bad:
        raise Unreachable(f"the Pushgateway at {url} did not take the numbers: {bad}") from bad


def metrics(found: dict[str, Any]) -> CollectorRegistry:
    """The numbers of a report as Prometheus reads them."""
    registry = CollectorRegistry()

    def gauge(name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"modelyard_loadtest_{name}", meaning, labels, registry=registry)

    gauge("passed", "Whether every objective held.").set(found["passed"])
    gauge("requests", "Requests that were sent.").set(found["requests"])
    gauge("failed", "Requests that failed.").set(found["failed"])
    gauge("ended_timestamp_seconds", "When the verdict was reached.").set(time.time())
    rate = gauge("rate", "Requests per second.", "kind")
    for kind in ("wanted", "achieved"):
        rate.labels(kind).set(found["rate"][kind])
    latency = gauge("latency_seconds", "From when a request was due to its answer.", "quantile")
    for name, milliseconds in found["fromDue"].items():
        if name.startswith("p") and name[1:2].isdigit():
            latency.labels(f"{float(name[1:]) / 100:g}").set(milliseconds / 1000.0)
    return registry
