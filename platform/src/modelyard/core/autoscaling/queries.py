"""The questions that KEDA asks Prometheus about one revision.

What the gateway sends to a revision is counted in Envoy's clusters, one for each rule of each route and each backend
(`core.resources.routes`): all of them are load, pinned and mirrored requests included. `upstream_rq_total` counts
requests as they are sent, not as they are answered, so it rises while the replicas drown. A pod that Prometheus scrapes
twice counts once.

An answer without a series means two things: nobody sent anything, or nobody counted. So every question falls back to
0 only while some Envoy's own sign of life is there. Without that the answer is empty, which the trigger is told to take
for an error (`ignoreNullValues: "false"`), and an autoscaler that cannot count keeps the replicas there are.

Whoever has counted for a part of the window only has seen a part of the requests: a Prometheus that is back gives a
rate of nothing at first, and one that is too low for the rest of a window. So the sign of life has to be there in the
window's first half, too.
"""

import math
from typing import Literal

from modelyard.core.names import model_routes, predictor, preview_route_name

Slot = Literal["a", "b"]

_RULES: dict[Slot, str] = {
    "a": "0/backend/0|1/backend/0|3/backend/0",
    "b": "0/backend/1|2/backend/0|3/backend/1|4/backend/0",
}
"""Rules and backends of a slot: the main rule, the pinned one, users who keep their side of an A/B test."""
_MIRRORS = "0-mirror-[0-9]+"
_SCRAPED_ONCE = "sum(max by (pod, instance, envoy_cluster_name) ({}))"


def clusters(model: str, namespace: str, slot: Slot, *, candidate: bool) -> str:
    """Envoy's clusters of what is sent to the revision in a slot, as a regular expression for Prometheus.

    A candidate gets what is mirrored and previewed, too.
    """
    rules = f"{_RULES[slot]}|{_MIRRORS}" if candidate else _RULES[slot]
    served = f"({'|'.join(model_routes(model))})/rule/({rules})"
    previewed = f"|{preview_route_name(model)}/rule/0/backend/0" if candidate else ""
    return f"(http|grpc)route/{namespace}/({served}{previewed})"


def requests_per_second(envoy_clusters: str, window: int) -> str:
    """Requests a second that are sent, over the last `window` seconds."""
    counted = f'rate(envoy_cluster_upstream_rq_total{{envoy_cluster_name=~"{envoy_clusters}"}}[{window}s])'
    return _if_counted(_SCRAPED_ONCE.format(counted), window)


def requests_in_flight(envoy_clusters: str, window: int) -> str:
    """Requests that are sent and not answered yet, the mean over the last `window` seconds."""
    counted = f'avg_over_time(envoy_cluster_upstream_rq_active{{envoy_cluster_name=~"{envoy_clusters}"}}[{window}s])'
    return _if_counted(_SCRAPED_ONCE.format(counted), window)


def requests_waiting(revision: str, namespace: str, window: int, most: float) -> str:
    """Requests that have waited in the servers for an instance of the model all through the last `window` seconds.

    The fewest of that time, because a queue that grew while pods started and is worked off now needs no more of
    them; one that stays says that a replica takes on less than was measured. At most `most` a server: how long a
    queue is says nothing about how many are needed. Zero where nobody scrapes Triton: then the gateway decides.
    """
    pods = f'nv_inference_pending_request_count{{namespace="{namespace}", pod=~"{predictor(revision)}-.*"}}'
    waiting = f"sum(max by (pod, model, version) (min_over_time({pods}[{window}s])))"
    return _if_counted(f"clamp_max({waiting}, {most:.6g} * scalar(count(count by (pod) ({pods}))))", window)


def _if_counted(answer: str, window: int) -> str:
    """The answer, or 0 where there is no series, of somebody who has counted all through the window; else nothing."""
    half = math.ceil(window / 2)
    counted = f"count(present_over_time(envoy_server_live[{half}s] offset {half}s))"
    return f"({answer} or 0 * max(envoy_server_live)) and on () {counted}"
