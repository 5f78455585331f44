"""The release with a cache of builds on every node, for as long as somebody wants it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.cluster.kubectl import PLATFORM, items, kubectl
from tests.support.cluster.release import install, values

NAME = "modelyard-nodecache"
_PODS = "app.kubernetes.io/component=nodecache"


@contextmanager
def cached_nodes(folder: Path, *more: str) -> Iterator[None]:
    """The release with a cache of 4 GiB on every node, and without it afterwards; FOLDER keeps what it was."""
    before = values(folder)
    install("upgrade", before, "--set", "nodeCache.size=4Gi", *more)
    try:
        kubectl("rollout", "status", f"daemonset/{NAME}", "-n", PLATFORM, "--timeout=120s")
        yield
    finally:
        install("upgrade", before)
        kubectl("delete", "daemonset,service", NAME, "-n", PLATFORM)


def counts() -> dict[str, float]:
    """What the caches of all nodes tell Prometheus, summed, by name and labels."""
    summed: dict[str, float] = {}
    for pod in items("pods", PLATFORM, _PODS):
        path = f"/api/v1/namespaces/{PLATFORM}/pods/{pod['metadata']['name']}:9090/proxy/metrics"
        for line in kubectl("get", "--raw", path).stdout.splitlines():
            if line.startswith("modelyard_node_cache_"):
                name, number = line.removeprefix("modelyard_node_cache_").rsplit(" ", 1)
                summed[name] = summed.get(name, 0.0) + float(number)
    return summed


def endpoint(secret: str, namespace: str) -> str:
    """Where pods that read the store with this Secret are sent."""
    text = kubectl("get", "secret", secret, "-n", namespace, "-o", "json").stdout
    return str(json.loads(text)["metadata"]["annotations"]["serving.kserve.io/s3-endpoint"])
