"""What the operator tells Prometheus about itself. Every name begins with `modelyard_`.

| metric | labels | meaning |
|---|---|---|
| reconcile_seconds | outcome | one reconcile pass: settled, changed, gone, invalid, outside, defect, not_leading |
| queue_depth | | Models that wait for a worker |
| leader | | 1 while this replica holds the Lease |
| models | condition, status | Models by condition, from the cache |
| cached_objects | kind | objects known to this replica |
| build_seconds | outcome | duration of finished build Jobs: succeeded, failed |
| watch_events_total | kind | changes that arrived |
| watch_lost_total | kind | deletions that no watch reported and a listing found |
| writes_total | verb, kind | requests that change something |
| warmups_total | outcome | warm-up inferences: answered, failed |
| scrape_seconds | | one reading of the gateway's counters |
| scrape_failures_total | | readings that some pod did not take part in |

Counts of builds and writes come from the leader alone, so sums over replicas are right. `rollouts.py` tells of
rollouts, `models.py` of Models and their revisions, `data.py` of the rows that they are asked with, `retrainings.py` of
their retraining.
"""

from collections import Counter as Tally
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from modelyard.operator.cache.objects import ObjectCache
from modelyard.settings import PriceSettings

from .data import DataMetrics
from .models import ModelMetrics
from .retrainings import RetrainingMetrics
from .rollouts import RolloutMetrics

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_NO_PRICES = PriceSettings()
_SLOW = (1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600, 900)


class ControllerMetrics:
    """One replica's metrics, in a registry of its own."""

    def __init__(
        self,
        cache: ObjectCache,
        depth: Callable[[], int],
        leading: Callable[[], bool],
        prices: PriceSettings = _NO_PRICES,
    ) -> None:
        self._registry = registry = CollectorRegistry()
        self.reconcile_seconds = Histogram(
            "modelyard_reconcile_seconds", "One look at one Model.", ["outcome"], buckets=_FAST, registry=registry
        )
        self._build_seconds = Histogram(
            "modelyard_build_seconds", "Finished build Jobs.", ["outcome"], buckets=_SLOW, registry=registry
        )
        self._events = Counter("modelyard_watch_events", "Changes that arrived.", ["kind"], registry=registry)
        self._lost = Counter("modelyard_watch_lost", "Deletions only a listing found.", ["kind"], registry=registry)
        self._writes = Counter("modelyard_writes", "Requests that change.", ["verb", "kind"], registry=registry)
        self._warmups = Counter("modelyard_warmups", "Warm-up inferences.", ["outcome"], registry=registry)
        self._scrape_seconds = Histogram(
            "modelyard_scrape_seconds", "One reading of the gateway's counters.", buckets=_FAST, registry=registry
        )
        self._scrape_failures = Counter("modelyard_scrape_failures", "Incomplete readings.", registry=registry)
        Gauge("modelyard_queue_depth", "Models that wait for a worker.", registry=registry).set_function(depth)
        leader = Gauge("modelyard_leader", "1 while this replica holds the Lease.", registry=registry)
        leader.set_function(lambda: float(leading()))
        registry.register(_World(cache))
        registry.register(RolloutMetrics(cache, leading))
        registry.register(ModelMetrics(cache, prices))
        registry.register(DataMetrics(cache))
        registry.register(RetrainingMetrics(cache, leading))

    def wrote(self, verb: str, kind: str) -> None:
        """A request that changes something begins."""
        self._writes.labels(verb, kind).inc()

    def saw(self, kind: str) -> None:
        """A change arrived."""
        self._events.labels(kind).inc()

    def lost(self, kind: str) -> None:
        """A deletion was found by comparing with a listing."""
        self._lost.labels(kind).inc()

    def warmed(self, answered: bool) -> None:
        """A warm-up inference ended."""
        self._warmups.labels("answered" if answered else "failed").inc()

    def scraped(self, seconds: float, complete: bool) -> None:
        """The gateway's counters were read."""
        self._scrape_seconds.observe(seconds)
        if not complete:
            self._scrape_failures.inc()

    def built(self, outcome: str, seconds: float) -> None:
        """A build Job ended."""
        self._build_seconds.labels(outcome).observe(seconds)

    def value(self, name: str, **labels: str) -> float:
        """The current value of one sample; 0 when it was never set."""
        return self._registry.get_sample_value(name, labels) or 0.0

    def text(self) -> bytes:
        """The text exposition format."""
        return generate_latest(self._registry)


class _World(Collector):
    """Gauges computed from the cache when they are asked for."""

    def __init__(self, cache: ObjectCache) -> None:
        self._cache = cache

    def collect(self) -> Iterable[GaugeMetricFamily]:
        objects = GaugeMetricFamily("modelyard_cached_objects", "Objects known here.", labels=["kind"])
        for kind, number in self._cache.count().items():
            objects.add_metric([kind], number)
        models = GaugeMetricFamily("modelyard_models", "Models by condition.", labels=["condition", "status"])
        tally = Tally(
            (condition["type"], condition["status"])
            for model in self._cache.models()
            for condition in (model.get("status") or {}).get("conditions", [])
        )
        for (condition, status), number in sorted(tally.items()):
            models.add_metric([condition, status], number)
        return [objects, models]
