"""The same counters out of a Prometheus, for installations where the operator may not reach Envoy.

Two instant queries at the same moment: the counters by pod, and of when each pod's newest sample is. Everything is
counted up to the oldest of these, which is where a slice ends, so a long scrape interval makes long slices. A pod
counts by its label `pod`, else by the address in `instance`; when it is scraped twice (two jobs, two replicas of
Prometheus behind one address) the greater of the same counter's values counts, never the sum.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from modelyard.errors import OutsideError

from .counters import ANSWERS, BUCKET, CLUSTERS, GIVEN_UP, GRPC, TIMED, Reading, collect
from .envoy_pods import EnvoyPods, Pod
from .prometheus_api import PrometheusAt, Row

OLD_SECONDS = 90
"""Age at which a pod's newest sample says nothing about now."""

_COUNTERS = f'{{__name__=~"{ANSWERS}|{BUCKET}|{TIMED}|{GIVEN_UP}|{GRPC}.*[0-9]", envoy_cluster_name=~"{CLUSTERS}"}}'
_SAMPLED = "timestamp(envoy_server_live)"

Series = tuple[str, str, str, str]
"""Name, cluster, class or bound, and gRPC service."""


class PrometheusCounters:
    """The counters of one Gateway's pods in the Prometheus at `url`; `now` gives seconds since the epoch."""

    seconds = 5

    def __init__(self, url: str, pods: EnvoyPods, now: Callable[[], float] = time.time) -> None:
        self._url, self._pods, self._now = url.rstrip("/"), pods, now
        self._queries = PrometheusAt(url, "see gateway.prometheusUrl")

    def read(self, models: Collection[tuple[str, str]] | None = None) -> Reading:
        """The newest samples of every pod, up to `Reading.end` (epoch seconds), whatever `models` is. Never raises."""
        pods = self._pods.listed() or self._pods.listed_anew()
        if not pods:
            return Reading({}, trouble=self._pods.absence)
        now = self._now()
        try:
            sampled = _by_pod(pods, self._queries.ask(_SAMPLED, now))
            counters = _by_pod(pods, self._queries.ask(_COUNTERS, now))
        except OutsideError as bad:
            return Reading({}, _uids(pods), trouble=str(bad))
        times = {uid: max(at for _, at in rows) for uid, rows in sampled.items()}
        fresh = {uid for uid, at in times.items() if at > now - OLD_SECONDS}
        if not fresh.issuperset(_uids(pods)):
            pods = self._pods.listed_anew()
            if not pods:
                return Reading({}, trouble=self._pods.absence)
        missed = [pod for pod in pods if pod.expected and pod.uid not in fresh]
        end = min((times[pod.uid] for pod in pods if pod.expected and pod.uid in fresh), default=now)
        counted = {uid: collect(_series(counters.get(uid, ()))) for uid in fresh}
        return Reading(counted, _uids(pods), int(end), self._failure(missed, times, now))

    def close(self) -> None:
        """Closes the connections."""
        self._queries.close()

    def _failure(self, missed: Sequence[Pod], times: Mapping[str, float], now: float) -> str:
        if not missed:
            return ""
        pod, more = missed[0], f" (and {len(missed) - 1} more)" if missed[1:] else ""
        at = times.get(pod.uid)
        what = "no sample" if at is None else f"no sample younger than {now - at:.0f} s"
        return (
            f"the Prometheus at {self._url} has {what} of Envoy pod {pod.name}{more}; "
            f"see whether it scrapes /stats/prometheus on port 19001 of the pods of Gateway {self._pods.gateway}."
        )


def _uids(pods: Sequence[Pod]) -> frozenset[str]:
    return frozenset(pod.uid for pod in pods)


def _by_pod(pods: Sequence[Pod], rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows by the uid of their pod; those of other pods are left out."""
    names = {pod.name: pod.uid for pod in pods}
    addresses = {pod.address: pod.uid for pod in pods}
    by_uid: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        labels, _ = row
        host = labels.get("instance", "").rpartition(":")[0].strip("[]")
        uid = names.get(labels.get("pod", "")) or addresses.get(host)
        if uid is not None:
            by_uid[uid].append(row)
    return dict(by_uid)


def _series(rows: Sequence[Row]) -> Iterator[tuple[str, str, str, int]]:
    """Every series of a pod once."""
    greatest: dict[Series, int] = {}
    for labels, number in rows:
        mark = labels.get("envoy_response_code_class") or labels.get("le", "")
        series = labels["__name__"], labels["envoy_cluster_name"], mark, _service(labels)
        greatest[series] = max(greatest.get(series, 0), int(number))
    for (name, cluster, mark, _), number in greatest.items():
        yield name, cluster, mark, number


def _service(labels: Mapping[str, str]) -> str:
    return f"{labels.get('envoy_grpc_bridge_service', '')}/{labels.get('envoy_grpc_bridge_method', '')}"
