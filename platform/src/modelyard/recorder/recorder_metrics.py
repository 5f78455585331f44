"""What Prometheus is told about recorded requests.

| metric | labels | meaning |
|---|---|---|
| recorder_requests_total | outcome | copies of requests by their end, one of those below |
| recorder_malformed_total | reason | bodies that could not be decoded |
| recorder_rows_total | | rows that the store has |
| recorder_rows_dropped_total | reason | rows that were lost: NoRoom, Taken or Defect |
| recorder_open_streams | | copies on their way |
| recorder_waiting_bytes | | rows that wait for their minute's end, or for the store |
| recorder_feedback_requests_total | outcome | bodies of labels: accepted, malformed, unknown, refused |
| recorder_labels_total | outcome | labels: accepted, stored, lost |
| recorder_waiting_label_bytes | | labels that wait for their minute's end, or for the store |

| outcome | |
|---|---|
| recorded | its rows are in the minute |
| failed | the answer is an error |
| malformed | a body is not what the protocol says, or too long |
| incomplete | the copy ended before the answer did |
| unknown | it is of no Model that is recorded |
| refused | too many were under way |

Unknown bodies are of no Model that takes labels, refused ones found no room. Labels are lost when the store is away and
the recorder has to stop, or by a defect.

NoRoom: the store was away for so long that the oldest minutes had to go. Taken: the minute was in the store already.
Defect: what nobody foresaw, and the log has.
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

FEEDBACK_OUTCOMES = ("accepted", "malformed", "unknown", "refused")
LABEL_OUTCOMES = ("accepted", "stored", "lost")
OUTCOMES = ("recorded", "failed", "malformed", "incomplete", "unknown", "refused")


class RecorderMetrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = self._counter("requests", "Copies of requests by their end.", "outcome")
        self._malformed = self._counter("malformed", "Bodies that could not be decoded.", "reason")
        self._rows = self._counter("rows", "Rows that the store has.")
        self._dropped = self._counter("rows_dropped", "Rows that were lost.", "reason")
        self._feedback = self._counter("feedback_requests", "Bodies of labels by what became of them.", "outcome")
        self._labels = self._counter("labels", "Labels by what became of them.", "outcome")
        self._waiting_labels = Gauge(
            "modelyard_recorder_waiting_label_bytes", "Labels not written yet.", registry=self._registry
        )
        self._waiting = Gauge("modelyard_recorder_waiting_bytes", "Rows not written yet.", registry=self._registry)
        self._streams = Gauge("modelyard_recorder_open_streams", "Copies on their way.", registry=self._registry)
        for outcome in OUTCOMES:
            self._requests.labels(outcome)
        for outcome in FEEDBACK_OUTCOMES:
            self._feedback.labels(outcome)
        for outcome in LABEL_OUTCOMES:
            self._labels.labels(outcome)

    def ended(self, outcome: str) -> None:
        """A copy ended as one of OUTCOMES."""
        self._requests.labels(outcome).inc()

    def malformed(self, reason: str) -> None:
        """A body could not be decoded."""
        self._malformed.labels(reason).inc()
        self.ended("malformed")

    def written(self, rows: int) -> None:
        """The store has so many rows more."""
        self._rows.inc(rows)

    def dropped(self, reason: str, rows: int) -> None:
        """So many rows are lost."""
        self._dropped.labels(reason).inc(rows)

    def feedback(self, outcome: str) -> None:
        """A body of labels ended as one of FEEDBACK_OUTCOMES."""
        self._feedback.labels(outcome).inc()

    def labels(self, outcome: str, labels: int) -> None:
        """So many labels were one of LABEL_OUTCOMES."""
        self._labels.labels(outcome).inc(labels)

    def watch_labels(self, waiting: Callable[[], int]) -> None:
        """From now on tells what labels wait, in bytes."""
        self._waiting_labels.set_function(waiting)

    def watch(self, waiting: Callable[[], int], streams: Callable[[], int]) -> None:
        """From now on tells what waits, in bytes, and how many copies are on their way."""
        self._waiting.set_function(waiting)
        self._streams.set_function(streams)

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"modelyard_recorder_{name}", meaning, labels, registry=self._registry)
