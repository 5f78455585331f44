"""How often the servers of a revision gave an answer again, as Triton counts it in every pod.

Pods are reached through the API server (`pods/portforward`), so that whoever may do that sees it from anywhere.
"""

import re
from typing import NamedTuple

from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.pod_watch import takes_requests
from modelyard.clients.cluster.port_forward import PortForward, pod_stream
from modelyard.core.names import REVISION_LABEL
from modelyard.core.snapshot import Ref
from modelyard.errors import OutsideError

METRICS_PORT = 8002
_COUNT = re.compile(r"^nv_cache_num_(hits|misses)_per_model\{[^}]*\} ([0-9.e+]+)$", re.MULTILINE)
_SECONDS = 5.0


class CacheCounts(NamedTuple):
    """Answers that were given again, and those that were not there yet."""

    hits: int = 0
    misses: int = 0

    @property
    def ratio(self) -> float:
        """Share of the questions that were answered from memory; 0 before the first."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else 0.0


def counted(text: str) -> CacheCounts:
    """What Triton's metrics say; zeros where it keeps no answers."""
    found = {"hits": 0, "misses": 0}
    for kind, number in _COUNT.findall(text):
        found[kind] += int(float(number))
    return CacheCounts(**found)


def cache_counts(cluster: Cluster, namespace: str, revision: str) -> CacheCounts | None:
    """The counts of all pods of a revision that take requests; None when none of them can be asked."""
    import httpx

    total: CacheCounts | None = None
    try:
        pods = cluster.items("Pod", namespace, f"{REVISION_LABEL}={revision}")
        for pod in filter(takes_requests, pods):
            stream = pod_stream(cluster.configuration, Ref("Pod", namespace, pod["metadata"]["name"]), METRICS_PORT)
            with PortForward(stream) as forward:
                answer = httpx.get(f"{forward.url}/metrics", timeout=_SECONDS, trust_env=False)
            now, before = counted(answer.text), total or CacheCounts()
            total = CacheCounts(before.hits + now.hits, before.misses + now.misses)
    except (OutsideError, httpx.HTTPError, OSError):
        return total
    return total
