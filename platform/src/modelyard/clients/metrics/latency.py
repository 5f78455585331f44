"""Latency buckets of the gateway's Envoy pods, read through the API server, so that they reach a person's machine.

Envoy counts per backend of a route (`httproute/<namespace>/<route>/rule/<i>/backend/<0|1>`) since the
backend came into the route. Several Envoy pods and a Model's several rules add up.
"""

import re
from collections import defaultdict
from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from modelyard.clients.cluster.api_server import Cluster
from modelyard.core.names import model_routes
from modelyard.core.snapshot import Ref
from modelyard.errors import OutsideError

_METRIC = "envoy_cluster_external_upstream_rq_time"
_CLUSTER = re.compile(r"^(?:http|grpc)route/(?P<namespace>[^/]+)/(?P<route>[^/]+)/")
_PORT = 19001

Buckets = Mapping[float, float]
"""Upper bound in milliseconds -> requests answered within it, cumulative."""


def read(cluster: Cluster, gateway: str) -> dict[tuple[str, str], Buckets]:
    """Buckets of the Gateway named `gateway` by (namespace, route name); empty when its pods cannot be read."""
    by_route: dict[tuple[str, str], defaultdict[float, float]] = {}
    try:
        selector = f"gateway.envoyproxy.io/owning-gateway-name={gateway}"
        for pod in cluster.items("Pod", selector=selector):
            at = Ref("Pod", pod["metadata"]["namespace"], pod["metadata"]["name"])
            text = cluster.through(
                at, _PORT, "/stats/prometheus", [("usedonly", ""), ("filter", "external.upstream_rq_time")]
            )
            add(by_route, text)
    except OutsideError:
        return {}
    return dict(by_route)


def add(by_route: dict[tuple[str, str], defaultdict[float, float]], text: str) -> None:
    """Adds the buckets in one Envoy's Prometheus text to `by_route`, which is changed in place."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples if family.name == _METRIC else ():
            route = _CLUSTER.match(sample.labels.get("envoy_cluster_name", ""))
            if route and sample.name.endswith("_bucket"):
                buckets = by_route.setdefault((route["namespace"], route["route"]), defaultdict(float))
                buckets[float(sample.labels["le"])] += sample.value


def of_model(by_route: Mapping[tuple[str, str], Buckets], namespace: str, name: str) -> Buckets:
    """The buckets of a Model, summed over all its routes; empty when there are none."""
    total: defaultdict[float, float] = defaultdict(float)
    for route in model_routes(name):
        for bound, count in by_route.get((namespace, route), {}).items():
            total[bound] += count
    return dict(total)
