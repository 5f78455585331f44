"""The second node of a local cluster of two: where pods are, the node's loss, its drain, and a way in at the first."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from localcluster import paths
from localcluster.node import process
from localcluster.node.members import FIRST, Member
from tests.support.cluster.kubectl import apply, eventually, items, kubectl
from tests.support.cluster.local_cluster import localcluster

SECOND = Member(2)
GATEWAYS = "gateway.envoyproxy.io/owning-gateway-name"
ENVOY_NAMESPACE = "envoy-gateway-system"
_PORT = 30081


def places(namespace: str, selector: str) -> dict[str, str]:
    """The ready pods that a selector names and that are not ending -> the node of each."""
    return {
        pod["metadata"]["name"]: pod["spec"]["nodeName"]
        for pod in items("pods", namespace, selector)
        if "deletionTimestamp" not in pod["metadata"]
        and any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", []))
    }


def spread(namespace: str, selector: str) -> None:
    """Return once the two pods that a selector names are ready, one on each node.

    Nothing moves back to a node that was drained; so where both are on one, one of them is made to start again.
    """

    def ready() -> dict[str, str]:
        now = places(namespace, selector)
        return now if len(now) == 2 else {}

    now = eventually(ready, f"two pods {selector} are ready")
    if len(set(now.values())) == 1:
        kubectl("delete", "pod", next(iter(now)), "-n", namespace, "--wait=false")
    eventually(lambda: len(set(ready().values())) == 2, f"pods {selector} stand on both nodes")


@contextmanager
def first_nodes_gateway() -> Iterator[str]:
    """host:port at which only the first node's gateway pods answer, as a load balancer that asks after health does."""
    name = "at-the-first-node"
    spec = {
        "type": "NodePort",
        "externalTrafficPolicy": "Local",
        "selector": {GATEWAYS: "modelyard"},
        "ports": [{"name": "http", "port": 80, "targetPort": 10080, "nodePort": _PORT}],
    }
    apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": ENVOY_NAMESPACE},
            "spec": spec,
        }
    )
    try:
        yield f"{FIRST.address}:{_PORT}"
    finally:
        kubectl("delete", "service", name, "-n", ENVOY_NAMESPACE)


@contextmanager
def second_node_lost() -> Iterator[float]:
    """The second node is off the network from one moment (given, seconds since the epoch) on, then all of it is dead.

    Afterwards it is made again, empty, as a machine that was started anew.
    """
    node = process.find(paths.default(), SECOND)
    assert node is not None, "no second node runs here: `make cluster NODES=2`"
    cut = time.time()
    subprocess.run(["nsenter", "-t", str(node.pid), "-n", "ip", "link", "set", "eth0", "down"], check=True)
    os.kill(node.pid, signal.SIGKILL)
    try:
        yield cut
    finally:
        localcluster("up")
        kubectl("wait", "node", SECOND.name, "--for=condition=Ready", "--timeout=120s")


@contextmanager
def first_node_full() -> Iterator[None]:
    """Inside the block pods start on the second node alone."""
    try:
        kubectl("cordon", FIRST.name)
        yield
    finally:
        kubectl("uncordon", FIRST.name)


@contextmanager
def second_node_drained() -> Iterator[None]:
    """Everything that can move has left the second node; afterwards it takes pods again."""
    try:
        kubectl("drain", SECOND.name, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=110s")
        yield
    finally:
        kubectl("uncordon", SECOND.name)
