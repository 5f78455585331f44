"""What Prometheus is told of Models' rows and labelled answers, from their cached status when it is asked for.

| metric | labels | meaning |
|---|---|---|
| data_features | namespace, model, state | features of the serving revision: watched, broken, drifted |
| data_alarm | namespace, model, feature, kind | share of the rows that show it, of the worst few that alarm |
| performance | namespace, model, output, measure | accuracy and the like of all labelled answers of the last 30 days |
| performance_labels | namespace, model | labelled answers that they are made of |
| performance_decayed | namespace, model | slices that are worse than their reference, all answers being one |
| data_status_timestamp_seconds | namespace, model | when the status was last written, at least once an hour |

Every replica of the operator says the same: ask for their `max`. Alerts hang on these, which stay while the evaluator
is away; its own metrics tell of every feature.
"""

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import ValidationError

from modelyard.api.monitoring.status import MonitoringStatus
from modelyard.core.conditions import epoch
from modelyard.core.snapshot import Object
from modelyard.operator.cache.objects import ObjectCache

from .performance import PerformanceMetrics

_MODEL = ["namespace", "model"]


class DataMetrics(Collector):
    """A collector over the cache."""

    def __init__(self, cache: ObjectCache) -> None:
        self._cache = cache

    def collect(self) -> Iterable[Metric]:
        features = GaugeMetricFamily("modelyard_data_features", "Features by state.", labels=[*_MODEL, "state"])
        alarms = GaugeMetricFamily("modelyard_data_alarm", "Share of rows.", labels=[*_MODEL, "feature", "kind"])
        written = GaugeMetricFamily("modelyard_data_status_timestamp_seconds", "Last written.", labels=_MODEL)
        performance = PerformanceMetrics()
        for model in self._cache.models():
            place = [model["metadata"]["namespace"], model["metadata"]["name"]]
            monitoring = _monitoring(model)
            if monitoring is None:
                continue
            performance.add(place, monitoring.performance)
            if monitoring.data is None:
                continue
            data = monitoring.data
            for state, count in (("watched", data.features), ("broken", data.broken), ("drifted", data.drifted)):
                features.add_metric([*place, state], count)
            for one in data.worst:
                alarms.add_metric([*place, one.name, one.kind], one.shift)
            written.add_metric(place, epoch(monitoring.time))
        return [features, alarms, written, *performance.families]


def _monitoring(model: Object) -> MonitoringStatus | None:
    stored = (model.get("status") or {}).get("monitoring")
    try:
        return None if stored is None else MonitoringStatus.model_validate(stored)
    except ValidationError:
        return None
