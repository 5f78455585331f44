"""charts/modelyard's gateway: how it outlives its pods, treats servers that are gone, and counts."""

import socket
from typing import Any

import pytest
import yaml

from tests.support.repository.charts import PLATFORM, objects, one, template

BUCKETS = (
    1, 2, 3, 5, 7.5, 10, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000, 1500, 2000, 3000, 5000,
    10000,
)  # fmt: skip


@pytest.fixture(scope="module")
def rendered() -> list[dict[str, Any]]:
    return objects(template(PLATFORM))


def test_the_gateway_survives_the_end_of_a_pod(rendered: list[dict[str, Any]]) -> None:
    spec = one(rendered, "EnvoyProxy", "modelyard")["spec"]
    kubernetes = spec["provider"]["kubernetes"]

    assert kubernetes["envoyDeployment"]["replicas"] == 2
    assert kubernetes["envoyDeployment"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert kubernetes["envoyPDB"] == {"maxUnavailable": 1}
    assert spec["shutdown"] == {"minDrainDuration": "15s", "drainTimeout": "60s"}
    [spread] = kubernetes["envoyDeployment"]["pod"]["topologySpreadConstraints"]
    assert spread["topologyKey"] == "kubernetes.io/hostname"
    single = one(objects(template(PLATFORM, {"gateway": {"replicas": 1}})), "EnvoyProxy", "modelyard")
    assert single["spec"]["provider"]["kubernetes"]["envoyDeployment"]["replicas"] == 1


def test_only_what_no_server_has_begun_is_tried_again(rendered: list[dict[str, Any]]) -> None:
    """Sent twice, a prediction that kills its server kills the next one too."""
    policy = one(rendered, "BackendTrafficPolicy", "modelyard")["spec"]
    [target] = policy["targetRefs"]

    assert (target["kind"], target["name"]) == ("Gateway", one(rendered, "Gateway", "modelyard")["metadata"]["name"])
    assert set(policy["retry"]["retryOn"]) == {"triggers"}
    assert set(policy["retry"]["retryOn"]["triggers"]) == {"connect-failure", "refused-stream", "reset-before-request"}


def test_a_server_is_left_out_for_connections_it_refuses_and_never_for_its_answers(
    rendered: list[dict[str, Any]],
) -> None:
    passive = one(rendered, "BackendTrafficPolicy", "modelyard")["spec"]["healthCheck"]["passive"]

    assert passive["splitExternalLocalOriginErrors"]
    assert passive["consecutive5XxErrors"] == 0
    assert not {"consecutiveGatewayErrors", "failurePercentageThreshold"} & set(passive)
    assert passive["maxEjectionPercent"] == 50


def test_a_connection_that_nobody_acknowledges_is_closed(rendered: list[dict[str, Any]]) -> None:
    bootstrap = yaml.safe_load(one(rendered, "EnvoyProxy", "modelyard")["spec"]["bootstrap"]["value"])
    [option] = bootstrap["cluster_manager"]["upstream_bind_config"]["socket_options"]

    silent = one(rendered, "BackendTrafficPolicy", "modelyard")["spec"]["tcpKeepalive"]

    assert (option["level"], option["name"]) == (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert silent["idleTime"] == f"{option['int_value'] // 1000}s"
    assert 1000 <= option["int_value"] <= 10_000


def test_the_gateway_counts_in_the_buckets_an_slo_may_name(rendered: list[dict[str, Any]]) -> None:
    proxy = one(rendered, "EnvoyProxy", "modelyard")
    bootstrap = yaml.safe_load(proxy["spec"]["bootstrap"]["value"])
    [buckets] = bootstrap["stats_config"]["histogram_bucket_settings"]

    assert tuple(buckets["buckets"]) == BUCKETS
    assert bootstrap["stats_flush_interval"] == "1s"
    assert proxy["spec"]["provider"]["kubernetes"]["envoyService"]["name"] == "modelyard-gateway"
    assert one(rendered, "GatewayClass", "modelyard")["spec"]["parametersRef"]["name"] == "modelyard"
