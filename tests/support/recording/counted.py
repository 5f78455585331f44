"""What the recorders of the cluster say they have recorded."""

import re

from tests.support.cluster.kubectl import PLATFORM, items, kubectl

_RECORDED = re.compile(r'^modelyard_recorder_requests_total{outcome="recorded"} (\S+)$', re.MULTILINE)


def recorded() -> int:
    """Requests that the recorders there are have made rows of."""
    pods = [pod["metadata"]["name"] for pod in items("pods", PLATFORM, "app.kubernetes.io/component=recorder")]
    told = [
        kubectl("get", "--raw", f"/api/v1/namespaces/{PLATFORM}/pods/{pod}:9090/proxy/metrics").stdout for pod in pods
    ]
    return round(sum(map(float, _RECORDED.findall("\n".join(told)))))
