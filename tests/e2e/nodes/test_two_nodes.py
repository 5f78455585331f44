"""A node goes, at once or in an orderly way, while requests come: what that costs whom."""

import time
from typing import Any

import pytest

from localcluster.node.members import FIRST
from tests.support.cluster.kubectl import eventually, items
from tests.support.cluster.models import Load, a_model, applied, until
from tests.support.cluster.rollout_under_load import SMALL, TENSOR
from tests.support.machine.two_nodes import (
    ENVOY_NAMESPACE,
    GATEWAYS,
    SECOND,
    first_node_full,
    first_nodes_gateway,
    places,
    second_node_drained,
    second_node_lost,
    spread,
)

pytestmark = pytest.mark.proof
NAME = "digits"
PODS = "modelyard.dev/model=digits"
RATE = 50.0
UNNOTICED = 6.0
"""Seconds in which what is sent to a lost node is lost: the gateway's TCP_USER_TIMEOUT, and one for the sender."""
CONNECTIONS = 2 * 4
"""To a server over HTTP/1.1: one a client and Envoy's worker at most; only what is under way on these is lost."""


def loads(namespace: str, at: str = "") -> list[Load]:
    return [Load(protocol, NAME, namespace, TENSOR, RATE, at=at) for protocol in ("http", "grpc")]


def served_by_two(namespace: str) -> None:
    """A Model whose two replicas stand on different nodes, as the gateway's do."""
    applied(a_model(NAME, namespace, serving={"replicas": 2, "resources": SMALL}))
    until(NAME, namespace, "Ready", "True")
    spread(namespace, PODS)
    spread(ENVOY_NAMESPACE, f"{GATEWAYS}=modelyard")


def harmless(counts: list[dict[str, Any]]) -> None:
    for count in counts:
        assert (count["failures"], count["requests"] > 0) == (0, True), count["errors"]


def test_together_the_nodes_offer_what_the_machine_has() -> None:
    nodes = {node["metadata"]["name"]: node["status"] for node in items("nodes", "")}
    cores = [int(status["capacity"]["cpu"]) for status in nodes.values()]
    offered = [status["allocatable"]["cpu"] for status in nodes.values()]
    millis = [int(each.removesuffix("m")) if each.endswith("m") else 1000 * int(each) for each in offered]

    assert set(nodes) == {FIRST.name, SECOND.name}
    assert sum(millis) <= 1000 * cores[0]


def test_a_drained_node_loses_nothing(namespace: str) -> None:
    served_by_two(namespace)
    users = loads(namespace)
    time.sleep(5)
    with second_node_drained():
        eventually(lambda: len(places(namespace, PODS)) == 2, "two replicas are ready on the node that is left", 180)
        time.sleep(5)
        counts = [load.ended() for load in users]
        assert set(places(namespace, PODS).values()) == {FIRST.name}
        assert set(places(ENVOY_NAMESPACE, f"{GATEWAYS}=modelyard").values()) == {FIRST.name}

    harmless(counts)


def test_a_drain_takes_a_revision_s_replicas_one_after_the_other(namespace: str) -> None:
    """Both stand on the node that is drained: without a PodDisruptionBudget both would go at once."""
    with first_node_full():
        applied(a_model(NAME, namespace, serving={"replicas": 2, "resources": SMALL}))
        until(NAME, namespace, "Ready", "True")
        eventually(lambda: len(places(namespace, PODS)) == 2, "two replicas are ready")
    assert set(places(namespace, PODS).values()) == {SECOND.name}
    users = loads(namespace)
    time.sleep(5)
    with second_node_drained():
        time.sleep(5)
        counts = [load.ended() for load in users]
        assert set(places(namespace, PODS).values()) == {FIRST.name}

    harmless(counts)


def test_a_lost_node_loses_what_was_under_way_there(namespace: str) -> None:
    """Users come in at the gateway pod that is left: the other's connections are the load balancer's to move."""
    served_by_two(namespace)
    with first_nodes_gateway() as at:
        users = loads(namespace, at)
        time.sleep(5)
        with second_node_lost() as cut:
            time.sleep(75)  # the control plane gives the node up after 50 s
            http, grpc = (load.ended() for load in users)
            again = loads(namespace, at)
            time.sleep(10)
            later = [load.ended() for load in again]

    for count in (http, grpc):
        print(count["requests"], count["slowest"], [round(sent - cut, 1) for sent in count["failed_at"]])
    for count in (http, grpc):
        assert all(-1 < sent - cut < UNNOTICED for sent in count["failed_at"]), (cut, count)
    assert http["failures"] <= CONNECTIONS, http["errors"]
    harmless(later)
