"""What Prometheus is told about held requests.

| metric | labels | meaning |
|---|---|---|
| holder_waiting | namespace, revision | requests that wait now |
| holder_wait_seconds | protocol | time from a request's arrival until it was handed to a pod |
| holder_forwarded_total | protocol | requests that a pod has answered, however it did |
| holder_refused_total | protocol, reason | requests not held, or not any longer: NotNamed, NoRoom, NoPodInTime |
| holder_not_reached_total | protocol | attempts to reach a pod that was ready but took no connection |
| holder_broken_total | protocol | answers that a pod broke off |
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_PROTOCOLS = ("http", "grpc")
_SECONDS = (0.01, 0.1, 0.5, 1, 2, 3, 5, 7, 10, 15, 20, 30, 60, 120)


class HolderMetrics:
    """The counters of one process; `waiting` is asked when Prometheus asks (`WaitingRoom.waiting`)."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._wait = Histogram(
            "modelyard_holder_wait_seconds", "Time in the waiting room.", ["protocol"], buckets=_SECONDS,
            registry=self._registry,
        )  # fmt: skip
        self._forwarded = self._counter("forwarded", "Requests that a pod has answered.")
        self._refused = self._counter("refused", "Requests that were not held any longer.", "reason")
        self._not_reached = self._counter("not_reached", "Attempts to reach a ready pod that took no connection.")
        self._broken = self._counter("broken", "Answers that a pod broke off.")
        for protocol in _PROTOCOLS:
            for metric in (self._wait, self._forwarded, self._not_reached, self._broken):
                metric.labels(protocol)

    def watch(self, waiting: Callable[[], Mapping[str, Any]]) -> None:
        """From now on tells what waits, too."""
        self._registry.register(_Waiting(waiting))

    def waited(self, protocol: str, seconds: float) -> None:
        """A request is handed to a pod after so long."""
        self._wait.labels(protocol).observe(seconds)

    def forwarded(self, protocol: str) -> None:
        """A pod has answered."""
        self._forwarded.labels(protocol).inc()

    def refused(self, protocol: str, refused: Exception) -> None:
        """A request is not held any longer."""
        self._refused.labels(protocol, type(refused).__name__).inc()

    def not_reached(self, protocol: str) -> None:
        """A pod that was ready took no connection."""
        self._not_reached.labels(protocol).inc()

    def broken(self, protocol: str) -> None:
        """A pod broke off."""
        self._broken.labels(protocol).inc()

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"modelyard_holder_{name}", meaning, ["protocol", *labels], registry=self._registry)


class _Waiting(Collector):
    def __init__(self, waiting: Callable[[], Mapping[str, Any]]) -> None:
        self._waiting = waiting

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily("modelyard_holder_waiting", "Requests that wait.", labels=["namespace", "revision"])
        for name, line in self._waiting()["waiting"].items():
            family.add_metric(name.split("/"), line["requests"])
        yield family
