"""Where a Prometheus is asked: at its address, or as a Service of the cluster; integration tests ask a real one."""

import json
from typing import Any

import pytest

from modelyard.clients.metrics.prometheus_api import PrometheusAt, PrometheusService, prometheus_of
from modelyard.core.snapshot import Ref
from modelyard.errors import Refused, Unreachable

ROWS = [{"metric": {"model": "digits"}, "value": [0, "1.5"]}, {"metric": {}, "value": [0, "NaN"]}]


class ProxyingCluster:
    """An API server that knows Service prometheus of namespace monitoring, and passes requests on to it."""

    def __init__(self, **body: Any) -> None:
        self.body = {"data": {"result": ROWS}, **body}
        self.asked: list[tuple[Any, ...]] = []

    def get(self, ref: Ref) -> dict[str, Any] | None:
        return {} if ref == Ref("Service", "monitoring", "prometheus") else None

    def through(self, service: Ref, port: int, path: str, query: list[tuple[str, str]]) -> str:
        self.asked.append((service.name, port, path, query))
        return json.dumps(self.body)


@pytest.mark.parametrize(
    ("url", "name", "port", "path"),
    [
        ("http://prometheus.monitoring:9090", "prometheus", 9090, "/api/v1/query"),
        ("http://prometheus.monitoring.svc/", "prometheus", 80, "/api/v1/query"),
        ("https://prometheus.monitoring.svc.cluster.local/at", "https:prometheus", 443, "/at/api/v1/query"),
    ],
)
def test_a_service_of_the_cluster_is_asked_through_the_api_server(url: str, name: str, port: int, path: str) -> None:
    cluster: Any = ProxyingCluster()
    found = prometheus_of(url, cluster, "see there")

    assert found.ask("up", 7.0) == [({"model": "digits"}, 1.5)]
    assert cluster.asked == [(name, port, path, [("query", "up"), ("time", "7.000")])]


@pytest.mark.parametrize("url", ["http://prometheus.example.com", "http://localhost:9090", "http://other.monitoring"])
def test_what_is_no_service_of_the_cluster_is_an_address(url: str) -> None:
    cluster: Any = ProxyingCluster()

    assert isinstance(prometheus_of(url, cluster, "see there"), PrometheusAt)


def test_what_is_no_answer_of_prometheus_or_not_whole_is_refused() -> None:
    where = Ref("Service", "monitoring", "prometheus")
    strange: Any = ProxyingCluster(data=None)
    with pytest.raises(Refused, match=r"Service monitoring/prometheus:9090 answered .*; see there"):
        PrometheusService(strange, where, 9090, "", "see there").ask("up")
    partial: Any = ProxyingCluster(warnings=["a store is away"])
    with pytest.raises(Refused, match="answers in part only: a store is away"):
        PrometheusService(partial, where, 9090, "", "see there").ask("up")


def test_an_address_nobody_can_ask_is_unreachable() -> None:
    with pytest.raises(Unreachable, match=r"did not answer: .*; see there"):
        PrometheusAt("http://[", "see there").ask("up")
