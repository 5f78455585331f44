"""What Prometheus is told about a node's cache.

| metric | labels | meaning |
|---|---|---|
| node_cache_requests_total | source | requests for files: node (was here), store (fetched first), passed (not kept) |
| node_cache_sent_bytes_total | | bytes of files that were here when they were sent |
| node_cache_fetched_bytes_total | | bytes of files that were fetched from the store |
| node_cache_damaged_total | | files that were no longer what they had been, and were thrown away |
| node_cache_kept_bytes | | bytes that are kept |
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

SOURCES = ("node", "store", "passed")


class NodeCacheMetrics:
    """The counters of one process; `kept` is asked for the bytes that are kept."""

    def __init__(self, kept: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "modelyard_node_cache_requests", "Requests for files of builds.", ["source"], registry=self._registry
        )
        for source in SOURCES:
            self._requests.labels(source)
        self._sent = self._counter("sent_bytes", "Bytes of files, sent.")
        self._fetched = self._counter("fetched_bytes", "Bytes of files, fetched from the store.")
        self._damaged = self._counter("damaged", "Files that were thrown away because they had changed.")
        size = Gauge("modelyard_node_cache_kept_bytes", "Bytes of files that are kept.", registry=self._registry)
        size.set_function(kept)

    def asked(self, source: str) -> None:
        """A request was answered out of one of SOURCES."""
        self._requests.labels(source).inc()

    def sent(self, count: int) -> None:
        """So many bytes of files went to pods."""
        self._sent.inc(count)

    def fetched(self, count: int) -> None:
        """So many bytes of files came from the store."""
        self._fetched.inc(count)

    def damaged(self) -> None:
        """A file was thrown away."""
        self._damaged.inc()

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, meaning: str) -> Counter:
        return Counter(f"modelyard_node_cache_{name}", meaning, registry=self._registry)
