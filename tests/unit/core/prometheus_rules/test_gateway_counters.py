"""The rules count the same of Envoy's clusters as whoever reads the counters without Prometheus."""

import re

import pytest

from modelyard.clients.metrics import counters
from modelyard.core.names import model_routes
from modelyard.core.prometheus_rules import gateway_counters as gateway
from modelyard.core.traffic import MIRROR

RULES = (
    "0/backend/0", "0/backend/1", "1/backend/0", "2/backend/0", "3/backend/0", "3/backend/1", "4/backend/0",
    "4/backend/1", "0-mirror-0", "0/backend/2",
)  # fmt: skip
ROUTES = (*model_routes("digits"), "digits--preview", "a-b-c", "path")
CLUSTERS = [
    f"{kind}/team-a/{route}/rule/{rule}" for kind in ("httproute", "grpcroute") for route in ROUTES for rule in RULES
]


def replaced(labels: dict[str, str], text: str) -> dict[str, str]:
    """What `label_replace` calls in `text` make of labels, the innermost first."""
    for label, value, source, pattern in re.findall(r'"(\w+)", "([^"]*)", "(\w+)", "([^"]*)"\)', text):
        match = re.fullmatch(pattern, labels.get(source, ""))
        if match:
            labels = {**labels, label: match.expand(value.replace("$", "\\"))}
    return labels


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_cluster_counts_for_the_same_model_and_slot(cluster: str) -> None:
    source = counters.source_of(cluster)
    counts = bool(re.fullmatch(gateway.CLUSTERS, cluster)) and not re.fullmatch(gateway.PREVIEWS, cluster)

    assert counts == (source is not None and source.slot != MIRROR)
    if counts and source is not None:
        labels = replaced({"envoy_cluster_name": cluster}, gateway.by_slot("counted"))
        assert (labels["namespace"], labels["model"], labels["slot"]) == (source.namespace, source.model, source.slot)


def test_the_same_grpc_codes_are_a_servers_error() -> None:
    codes = set(re.findall(r"envoy_cluster_grpc_ModelInfer_(\d+)", gateway.errors()))

    assert codes == {code for code in map(str, range(17)) if is_servers(code)}


def is_servers(code: str) -> bool:
    totals = counters.Totals()
    totals.add(f"{counters.GRPC}ModelInfer_{code}", "", 1)
    return totals.refused == 1
