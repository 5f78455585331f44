"""A Model whose replicas an autoscaler chooses: its numbers over time, and what a replica is said to take on."""

import json
from typing import Any
from urllib.parse import quote

from modelyard.core.names import predictor
from tests.support.cluster.kubectl import get, kubectl
from tests.support.cluster.watch import Sight, Watch

PROMETHEUS = ("deployment/prometheus", "-n", "monitoring")
_QUERY = "/api/v1/namespaces/monitoring/services/prometheus:9090/proxy/api/v1/query?query="


def capacity(name: str, namespace: str, rate: float, cpu: float = 1.0) -> None:
    """What one replica takes on, in requests a second with so many cores, as if somebody had measured it."""
    known = {"requestsPerSecond": rate, "at": "p99<2s", "cpu": cpu, "measured": True}
    patch = json.dumps({"status": {"capacity": known}})
    kubectl("patch", "model", name, "-n", namespace, "--subresource=status", "--type=merge", "-p", patch)


def scaling(name: str, namespace: str) -> dict[str, Any]:
    """`status.scaling`; empty before there is any."""
    return (get("model", name, namespace) or {}).get("status", {}).get("scaling", {})


def replicas(revision: str, namespace: str) -> tuple[int, int]:
    """How many a revision is to have, and how many are ready."""
    deployment = get("deployment", predictor(revision), namespace) or {}
    return deployment.get("spec", {}).get("replicas", 0), deployment.get("status", {}).get("readyReplicas", 0)


def counted(question: str) -> float | None:
    """Prometheus' answer; None for an empty one, and while it cannot be asked."""
    done = kubectl("get", "--raw", _QUERY + quote(question), check=False)
    rows = json.loads(done.stdout)["data"]["result"] if done.returncode == 0 else []
    return float(rows[0]["value"][1]) if rows else None


def numbers(watch: Watch, begin: float, end: float) -> list[int]:
    """How many replicas a watched Deployment was to have between two epoch seconds, one for each change."""
    before = [sight for sight in watch.seen if sight.at < begin][-1:]
    during = [sight for sight in watch.seen if begin <= sight.at < end]
    found: list[int] = []
    for number in map(_wanted, [*before, *during]):
        if found[-1:] != [number]:
            found.append(number)
    return found


def _wanted(sight: Sight) -> int:
    return sight.thing["spec"]["replicas"]
