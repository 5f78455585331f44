"""What the evaluator shows to Prometheus: of itself, and of every feature that is watched.

| metric | labels | meaning |
|---|---|---|
| evaluator_pass_seconds | | one look at all revisions |
| evaluator_failures_total | reason | rows or labels not evaluated in a pass: a word of our errors, or Defect |
| evaluator_late_total, evaluator_damaged_total | | files of counts that came too late, that could not be read |
| evaluator_revisions | | revisions that are recorded |
| data_evaluated_timestamp_seconds | namespace, model, revision | the last minute with rows that was evaluated |
| data_evidence_ratio | namespace, model, revision, feature, kind | log E over log threshold, 1 alarms; broken, shape |
| data_missing_ratio, data_outside_ratio | namespace, model, revision, feature | share of the last hours' rows |
| data_shift_ratio | namespace, model, revision, feature | share of rows that would have to move (total variation) |

Series of features are as many as `modelyard drift` has rows, at most 100 a revision; what alarms is told by the
operator (`modelyard_data_features`, `modelyard_data_alarm`), which goes on while the evaluator is away.
"""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from modelyard.core.monitoring.evaluated.data_status import readings

from .revision_evaluation import RevisionEvaluation

_REVISION = ["namespace", "model", "revision"]
_FEATURE = [*_REVISION, "feature"]
_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60)

Evaluations = Callable[[], list[RevisionEvaluation]]


class EvaluatorMetrics:
    """The metrics of one process; `evaluations` are those there are when somebody asks."""

    def __init__(self, evaluations: Evaluations) -> None:
        self._registry = registry = CollectorRegistry()
        self._seconds = Histogram(
            "modelyard_evaluator_pass_seconds", "One look at all revisions.", buckets=_SECONDS, registry=registry
        )
        self._failures = Counter("modelyard_evaluator_failures", "Not evaluated.", ["reason"], registry=registry)
        self._late = Counter("modelyard_evaluator_late", "Files that came too late.", registry=registry)
        self._damaged = Counter("modelyard_evaluator_damaged", "Files that could not be read.", registry=registry)
        revisions = Gauge("modelyard_evaluator_revisions", "Revisions that are recorded.", registry=registry)
        revisions.set_function(lambda: len(evaluations()))
        registry.register(_FeatureMetrics(evaluations))

    def passed(self, seconds: float) -> None:
        """A pass has ended."""
        self._seconds.observe(seconds)

    def failed(self, reason: str) -> None:
        """A revision could not be evaluated."""
        self._failures.labels(reason).inc()

    def left_out(self, late: int, damaged: int) -> None:
        """So many files were not counted."""
        self._late.inc(late)
        self._damaged.inc(damaged)

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._registry)


class _FeatureMetrics(Collector):
    """Gauges made of the records when they are asked for."""

    def __init__(self, evaluations: Evaluations) -> None:
        self._evaluations = evaluations

    def collect(self) -> Iterable[Metric]:
        evaluated = GaugeMetricFamily("modelyard_data_evaluated_timestamp_seconds", "Last minute.", labels=_REVISION)
        evidence = GaugeMetricFamily("modelyard_data_evidence_ratio", "1 alarms.", labels=[*_FEATURE, "kind"])
        missing = GaugeMetricFamily("modelyard_data_missing_ratio", "Rows without a value.", labels=_FEATURE)
        outside = GaugeMetricFamily("modelyard_data_outside_ratio", "Rows beyond the reference.", labels=_FEATURE)
        shift = GaugeMetricFamily("modelyard_data_shift_ratio", "Rows that would have to move.", labels=_FEATURE)
        for one in self._evaluations():
            place = list(one.revision[:3])
            if one.questions is None or one.record.state.minute < 0:
                continue
            evaluated.add_metric(place, one.record.state.minute * 60.0)
            for reading in readings(one.questions, one.record):
                feature = [*place, reading.name]
                evidence.add_metric([*feature, "broken"], reading.broken)
                evidence.add_metric([*feature, "shape"], reading.shape)
                missing.add_metric(feature, reading.missing)
                outside.add_metric(feature, reading.outside)
                shift.add_metric(feature, reading.shift)
        return [evaluated, evidence, missing, outside, shift]
