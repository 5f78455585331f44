"""The families of labelled answers, filled Model by Model; what they mean is told in `data.py`."""

from collections.abc import Sequence

from prometheus_client.core import GaugeMetricFamily

from modelyard.api.monitoring.performance import PerformanceStatus

_MODEL = ["namespace", "model"]


class PerformanceMetrics:
    """Three families of one scrape."""

    def __init__(self) -> None:
        self._measures = GaugeMetricFamily(
            "modelyard_performance", "Measures of labelled answers.", labels=[*_MODEL, "output", "measure"]
        )
        self._labels = GaugeMetricFamily("modelyard_performance_labels", "Labelled answers.", labels=_MODEL)
        self._decayed = GaugeMetricFamily("modelyard_performance_decayed", "Slices that decayed.", labels=_MODEL)
        self.families = [self._measures, self._labels, self._decayed]

    def add(self, place: Sequence[str], found: PerformanceStatus | None) -> None:
        """What is known of one Model, `place` being its namespace and name; nothing is of one without feedback."""
        if found is None:
            return
        for one in found.measures:
            if one.value is not None:
                self._measures.add_metric([*place, one.output, one.name], one.value)
        self._labels.add_metric(place, found.labels)
        self._decayed.add_metric(place, found.decayed)
