"""What Prometheus is told about rollouts, computed from the cached status of every Model when it is asked for.

| metric | labels | meaning |
|---|---|---|
| rollout_phase | namespace, model, phase, reason | 1 for the phase the rollout is in; Idle when none is under way |
| rollout_weight | namespace, model, kind | the candidate's weight in percent: desired, and observed at the gateway |
| rollout_gate_e_value | namespace, model, gate, evidence | how much speaks against, in favour of the candidate |
| rollout_gate_threshold | namespace, model, gate, evidence | the e-value at which the gate fails, passes |
| rollout_requests_total | namespace, model, result | the candidate's requests since the rollout began: good, bad |
| rollout_ended_timestamp_seconds | namespace, model, outcome, reason | when the last rollout ended, and how |
| rollout_duration_seconds | outcome | rollouts that ended under the eyes of this replica while it led |

All but the last are true of the cluster and the same on every replica (ask for their `max`); they go with the
Model. Durations come from the leader alone, so their sums over replicas are right: a record in the history counts
once, when it is first seen, if it is younger than this process.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from modelyard.api.rollout_status import GateName, Outcome, Phase
from modelyard.core.conditions import epoch
from modelyard.operator.cache.objects import ObjectCache

_MINUTES = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 240, 480, 1440)
_EVIDENCE = {"against": ("evidenceAgainst", "failThreshold"), "for": ("evidenceFor", "passThreshold")}
_MODEL = ["namespace", "model"]

Written = Mapping[str, Any]
Place = tuple[str, str]


class RolloutMetrics(Collector):
    """A collector over the cache; `clock` gives seconds since the epoch."""

    def __init__(self, cache: ObjectCache, leading: Callable[[], bool], clock: Callable[[], float] = time.time) -> None:
        self._cache, self._leading = cache, leading
        self._since = clock()
        self._lock = threading.Lock()
        self._known: dict[str, set[tuple[str, str]]] = {}
        self._durations = Histogram(
            "modelyard_rollout_duration_seconds",
            "Rollouts that ended.",
            ["outcome"],
            buckets=[60 * minutes for minutes in _MINUTES],
            registry=None,
        )
        for outcome in Outcome:
            self._durations.labels(outcome.value)

    def collect(self) -> Iterable[Metric]:
        models = self._cache.models()
        self._count(models)
        rollouts = [(_place(model), rollout) for model in models if (rollout := _rollout(model))]
        yield from (_phases(rollouts), _weights(rollouts), _ends(rollouts), _requests(rollouts))
        yield from _gates(rollouts)
        yield from self._durations.collect()

    def _count(self, models: Iterable[Written]) -> None:
        """Observes what ended since the last time; what is known of Models that are gone is forgotten."""
        with self._lock:
            before, self._known = self._known, {}
            for model in models:
                uid, history = model["metadata"]["uid"], _rollout(model).get("history") or []
                self._known[uid] = {(record["revision"], record["startTime"]) for record in history}
                for record in history:
                    if (record["revision"], record["startTime"]) not in before.get(uid, set()):
                        self._observe(record)

    def _observe(self, record: Written) -> None:
        started, ended = seconds_of(record["startTime"]), seconds_of(record["endTime"])
        if ended >= self._since and started > 0 and self._leading():
            self._durations.labels(record["outcome"]).observe(max(0.0, ended - started))


def _place(model: Written) -> Place:
    return model["metadata"]["namespace"], model["metadata"]["name"]


def _rollout(model: Written) -> Written:
    return (model.get("status") or {}).get("rollout") or {}


def seconds_of(text: str) -> float:
    """Seconds since the epoch of an RFC 3339 time; 0 for what is none."""
    try:
        return epoch(text)
    except ValueError:
        return 0.0


def _gate(rollout: Written, name: str) -> Written:
    return next((gate for gate in rollout.get("gates") or [] if gate["name"] == name), {})


def _phases(rollouts: Iterable[tuple[Place, Written]]) -> Metric:
    family = GaugeMetricFamily("modelyard_rollout_phase", "Where rollouts stand.", labels=[*_MODEL, "phase", "reason"])
    for place, rollout in rollouts:
        family.add_metric([*place, rollout.get("phase", Phase.IDLE.value), rollout.get("reason", "")], 1)
    return family


def _weights(rollouts: Iterable[tuple[Place, Written]]) -> Metric:
    """Only while a rollout is under way; the observed weight only where the gateway's counts are known."""
    family = GaugeMetricFamily("modelyard_rollout_weight", "Share of the candidate.", labels=[*_MODEL, "kind"])
    for place, rollout in rollouts:
        if not _active(rollout):
            continue
        family.add_metric([*place, "desired"], rollout.get("weight", 0))
        gate = _gate(rollout, GateName.SAMPLE_RATIO)
        requests = gate.get("requests", 0)
        total = requests + gate.get("stableRequests", 0)
        if total:
            family.add_metric([*place, "observed"], 100 * requests / total)
    return family


def _ends(rollouts: Iterable[tuple[Place, Written]]) -> Metric:
    family = GaugeMetricFamily(
        "modelyard_rollout_ended_timestamp_seconds", "End of the last rollout.", labels=[*_MODEL, "outcome", "reason"]
    )
    for place, rollout in rollouts:
        for last in (rollout.get("history") or [])[:1]:
            family.add_metric([*place, last["outcome"], last["reason"]], seconds_of(last["endTime"]))
    return family


def _requests(rollouts: Iterable[tuple[Place, Written]]) -> Metric:
    family = CounterMetricFamily("modelyard_rollout_requests", "Requests of candidates.", labels=[*_MODEL, "result"])
    for place, rollout in rollouts:
        if _active(rollout):
            gate = _gate(rollout, GateName.ERRORS)
            requests = rollout.get("requests", 0) + gate.get("requests", 0)
            failed = rollout.get("failedRequests", 0) + gate.get("failedRequests", 0)
            family.add_metric([*place, "good"], requests - failed)
            family.add_metric([*place, "bad"], failed)
    return family


def _gates(rollouts: Iterable[tuple[Place, Written]]) -> Iterator[Metric]:
    """E-values of the gates that decide by them, beside the values at which they decide."""
    labels = [*_MODEL, "gate", "evidence"]
    values = GaugeMetricFamily("modelyard_rollout_gate_e_value", "Evidence of a gate.", labels=labels)
    thresholds = GaugeMetricFamily("modelyard_rollout_gate_threshold", "Evidence it takes to decide.", labels=labels)
    for place, rollout in rollouts:
        for gate in rollout.get("gates") or []:
            for side, (value, threshold) in _EVIDENCE.items():
                if gate.get(threshold):
                    values.add_metric([*place, gate["name"], side], gate.get(value, 0))
                    thresholds.add_metric([*place, gate["name"], side], gate[threshold])
    yield from (values, thresholds)


def _active(rollout: Written) -> bool:
    return rollout.get("phase", Phase.IDLE.value) != Phase.IDLE.value
