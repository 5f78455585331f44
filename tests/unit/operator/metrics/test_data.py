"""What Prometheus learns of the rows that Models are asked with."""

from typing import Any

from prometheus_client import CollectorRegistry

from modelyard.operator.cache.objects import ObjectCache
from modelyard.operator.metrics.data import DataMetrics

DIGITS = {"namespace": "demo", "model": "digits"}
CHANGED = {"name": "age", "kind": "missing", "since": "2026-11-29T10:00:00Z", "message": "gone", "shift": 0.25}
TOLD = {"revision": "digits-1", "time": "2026-11-29T10:00:00Z"}


def value(name: str, monitoring: Any, **labels: str) -> float | None:
    cache, registry = ObjectCache(), CollectorRegistry()
    registry.register(DataMetrics(cache))
    meta = {"namespace": "demo", "name": "digits", "uid": "1", "resourceVersion": "1"}
    status = {} if monitoring is None else {"monitoring": monitoring}
    cache.put({"kind": "Model", "metadata": {**meta, "labels": {}}, "spec": {}, "status": status})
    return registry.get_sample_value(f"modelyard_{name}", {**DIGITS, **labels})


def test_features_by_state_the_worst_alarms_and_when() -> None:
    told = {**TOLD, "data": {"verdict": "DataBroken", "features": 30, "broken": 2, "drifted": 1, "worst": [CHANGED]}}
    counted = [value("data_features", told, state=state) for state in ("watched", "broken", "drifted")]
    assert counted == [30, 2, 1]
    assert value("data_alarm", told, feature="age", kind="missing") == 0.25
    assert value("data_status_timestamp_seconds", told) == 1795946400


def test_nothing_is_told_where_nothing_is_known() -> None:
    for unknown in (None, TOLD, {**TOLD, "time": "soon"}, {"data": {}}):
        assert value("data_features", unknown, state="watched") is None
        assert value("data_status_timestamp_seconds", unknown) is None


def test_measures_of_labelled_answers_and_what_decayed() -> None:
    measures = [
        {"name": "accuracy", "output": "p", "labels": 600, "value": 0.9},
        {"name": "auc", "output": "p", "labels": 6},
    ]
    told = {**TOLD, "performance": {"verdict": "PerformanceDecayed", "labels": 600, "decayed": 2, "measures": measures}}
    assert value("performance", told, output="p", measure="accuracy") == 0.9
    assert value("performance", told, output="p", measure="auc") is None
    assert (value("performance_labels", told), value("performance_decayed", told)) == (600, 2)
    assert value("performance_decayed", {**TOLD, "data": {}}) is None
