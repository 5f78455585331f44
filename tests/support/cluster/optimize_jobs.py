"""What an optimization's Job shows of itself on a cluster, and its eviction."""

import json
import re
from typing import Any

from tests.support.cluster.kubectl import items, kubectl
from tests.support.cluster.models import condition

PLATFORM = "modelyard-system"


def done(model: dict[str, Any]) -> int:
    """How many variants have been tried, as the condition tells it; -1 when nothing is tried now."""
    found = re.search(r"tries variants: (\d+) of \d+", condition(model, "Built").get("message", ""))
    return int(found[1]) if found and condition(model, "Built")["reason"] == "Optimizing" else -1


def pods(digest: str) -> list[dict[str, Any]]:
    """Those of the Job that makes this build."""
    return items("pods", PLATFORM, f"modelyard.dev/build={digest.removeprefix('sha256:')[:16]}")


def evict(pod: str) -> None:
    """As the drain of a node does."""
    path = f"/api/v1/namespaces/{PLATFORM}/pods/{pod}/eviction"
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": PLATFORM}}
    kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(body))
