"""What Prometheus is told of retraining, computed from the cached status of every Model when it is asked for.

| metric | labels | meaning |
|---|---|---|
| retraining_state | namespace, model, state, reason | 1 for where it stands: Idle, Waiting, Running or Off, and why |
| retraining_failures | namespace, model | how many in a row came to nothing: Failed or Refused |
| retraining_last_success_timestamp_seconds | namespace, model | when one last ended as Pushed or Called |
| retraining_ended_timestamp_seconds | namespace, model, outcome | when the last one ended, and how |
| retraining_cpu_hours | namespace, model | CPU hours that its Jobs reserved in this month |
| retraining_duration_seconds | outcome | retrainings that ended under the eyes of this replica while it led |

Only Models with spec.retrain have any. All but the last are true of the cluster and the same on every replica (ask for
their `max`). Durations come from the leader alone, so their sums over replicas are right: an ending counts once, when
it is first seen, if it is younger than this process.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import ValidationError

from modelyard.api.lifecycle.retraining_status import RetrainingOutcome, RetrainingRun, RetrainingStatus
from modelyard.core.snapshot import Object
from modelyard.operator.cache.objects import ObjectCache

from .rollouts import seconds_of

_MODEL = ["namespace", "model"]
_MINUTES = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 240)


class RetrainingMetrics(Collector):
    """A collector over the cache; `clock` gives seconds since the epoch."""

    def __init__(self, cache: ObjectCache, leading: Callable[[], bool], clock: Callable[[], float] = time.time) -> None:
        self._cache, self._leading, self._since = cache, leading, clock()
        self._lock = threading.Lock()
        self._seen: dict[str, str] = {}
        self._durations = Histogram(
            "modelyard_retraining_duration_seconds",
            "Retrainings that ended.",
            ["outcome"],
            buckets=[60 * minutes for minutes in _MINUTES],
            registry=None,
        )
        for outcome in RetrainingOutcome:
            self._durations.labels(outcome.value)

    def collect(self) -> Iterable[Metric]:
        found = [(model, told) for model in self._cache.models() if (told := _told(model)) is not None]
        self._count({model["metadata"]["uid"]: told.last for model, told in found if told.last is not None})
        families = _Families()
        for model, told in found:
            families.add([model["metadata"]["namespace"], model["metadata"]["name"]], told)
        yield from families.all
        yield from self._durations.collect()

    def _count(self, last: dict[str, RetrainingRun]) -> None:
        """Observes what ended since the last time, by Model; what is known of Models that are gone is forgotten."""
        with self._lock:
            before, self._seen = self._seen, {uid: run.id for uid, run in last.items()}
            for uid, run in last.items():
                if before.get(uid) != run.id:
                    self._observe(run)

    def _observe(self, run: RetrainingRun) -> None:
        started, ended = seconds_of(run.start_time), seconds_of(run.end_time)
        if run.outcome is not None and ended >= self._since and self._leading():
            self._durations.labels(run.outcome.value).observe(max(0.0, ended - started))


class _Families:
    """The gauges of one scrape."""

    def __init__(self) -> None:
        name = "modelyard_retraining"
        self._state = GaugeMetricFamily(f"{name}_state", "Where it stands.", labels=[*_MODEL, "state", "reason"])
        self._failures = GaugeMetricFamily(f"{name}_failures", "In a row to no end.", labels=_MODEL)
        self._success = GaugeMetricFamily(f"{name}_last_success_timestamp_seconds", "Last success.", labels=_MODEL)
        self._ended = GaugeMetricFamily(f"{name}_ended_timestamp_seconds", "Last end.", labels=[*_MODEL, "outcome"])
        self._hours = GaugeMetricFamily(f"{name}_cpu_hours", "Reserved this month.", labels=_MODEL)
        self.all = [self._state, self._failures, self._success, self._ended, self._hours]

    def add(self, place: Sequence[str], told: RetrainingStatus) -> None:
        """What the status says of one Model, `place` being its namespace and name."""
        self._state.add_metric([*place, told.state.value, told.reason], 1)
        self._failures.add_metric(place, told.failures)
        if told.last_success_time:
            self._success.add_metric(place, seconds_of(told.last_success_time))
        if told.last is not None and told.last.outcome is not None:
            self._ended.add_metric([*place, told.last.outcome.value], seconds_of(told.last.end_time))
        self._hours.add_metric(place, told.cpu_hours)


def _told(model: Object) -> RetrainingStatus | None:
    stored = (model.get("status") or {}).get("retraining")
    try:
        return None if stored is None else RetrainingStatus.model_validate(stored)
    except ValidationError:
        return None
