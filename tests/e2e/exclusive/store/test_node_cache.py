"""A cache on every node: pods of Models download from it, and nobody who serves notices that it comes or goes."""

from pathlib import Path

from modelyard.core.names import REVISION_LABEL, secret_name
from tests.support.cluster.kubectl import PLATFORM, eventually, items, run
from tests.support.cluster.models import Load, a_model, applied, until
from tests.support.nodes.cached_cluster import NAME, cached_nodes, counts, endpoint

TENSOR = "input:1,1,8,8"


def pods(namespace: str) -> set[str]:
    """The Model's pods that are to stay, by uid."""
    found = items("pods", namespace, REVISION_LABEL)
    return {pod["metadata"]["uid"] for pod in found if "deletionTimestamp" not in pod["metadata"]}


def sent_to(namespace: str, name: str) -> bool:
    return endpoint(secret_name("digits"), namespace).startswith(f"{name}.{PLATFORM}.")


def test_pods_of_models_download_from_their_node(namespace: str, tmp_path: Path) -> None:
    applied(a_model("digits", namespace))
    until("digits", namespace, "Reconciling", "False", "Done")
    before = pods(namespace)
    load = Load("http", "digits", namespace, TENSOR, 5)
    load.begun()

    with cached_nodes(tmp_path):
        eventually(lambda: sent_to(namespace, NAME), "pods are sent to the cache", 60)
        assert pods(namespace) == before, "what serves is not restarted"
        run("modelyard", "restart", "digits", "-n", namespace)
        fetched = counts()
        run("modelyard", "restart", "digits", "-n", namespace)
        again = counts()
        cached = pods(namespace)

    eventually(lambda: sent_to(namespace, "modelyard-store"), "pods are sent to the store again", 60)
    assert pods(namespace) == cached, "nor is it when the cache goes"
    assert load.ended()["failures"] == 0
    assert fetched['requests_total{source="store"}'] > 0
    assert again['requests_total{source="node"}'] > fetched['requests_total{source="node"}']
    assert again["fetched_bytes_total"] == fetched["fetched_bytes_total"], "the second start downloads nothing"
    assert again["damaged_total"] == 0
