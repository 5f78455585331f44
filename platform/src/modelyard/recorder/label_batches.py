"""Labels that came and are not yet in the store: bounded, a file a Model and minute, written until the store has it.

Where rows make room for newer ones, labels do not: what finds no room is refused, so that whoever sent it knows and
sends it again. A batch keeps its name and its content from the first attempt on; so a second attempt whose first one
was written, though the answer got lost, changes nothing.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from modelyard.api.monitoring.labels import AnswerLabel
from modelyard.core.storage.monitoring_keys import feedback_key
from modelyard.core.storage.object_store import Store
from modelyard.errors import ModelyardError
from modelyard.records.feedback.labels import to_file

from .recorder_metrics import RecorderMetrics

_SECONDS = 60.0
_LABEL_BYTES = 400
"""What a label is taken to need in memory beside its texts."""
_log = logging.getLogger(__name__)


@dataclass
class LabelBatch:
    """Labels of one Model, from `began` (seconds since 1970) on."""

    namespace: str
    model: str
    began: float
    labels: list[AnswerLabel] = field(default_factory=list)
    bytes: int = 0

    def key(self, writer: str) -> str:
        """Where it is written."""
        moment = datetime.fromtimestamp(self.began, UTC)
        return feedback_key(self.namespace, self.model, f"{moment:%Y-%m-%d}", f"{moment:%H%M%S%f}-{writer}")


class LabelBatches:
    """All labels in memory. Not safe for threads: `add`, `take` and `put_back` belong to one loop."""

    def __init__(self, writer: str, most_bytes: int) -> None:
        self.writer, self._most_bytes = writer, most_bytes
        self._open: dict[tuple[str, str], LabelBatch] = {}
        self._waiting: list[LabelBatch] = []
        self._under_way = 0

    @property
    def bytes(self) -> int:
        """What all labels need, about; those that are being written, too."""
        return self._under_way + sum(batch.bytes for batch in (*self._open.values(), *self._waiting))

    def add(self, namespace: str, model: str, labels: Sequence[AnswerLabel], moment: float) -> bool:
        """Takes labels that came at `moment`; False, and nothing taken, when there is no room."""
        size = sum(_LABEL_BYTES + len(one.request_id) + len(one.output) + len(one.label) for one in labels)
        if self.bytes + size > self._most_bytes:
            return False
        batch = self._open.setdefault((namespace, model), LabelBatch(namespace, model, moment))
        batch.labels += labels
        batch.bytes += size
        return True

    def take(self, moment: float, everything: bool = False) -> list[LabelBatch]:
        """The batches that began a minute before `moment`, or all, and those that wait for the store."""
        over = [name for name, batch in self._open.items() if everything or batch.began + _SECONDS <= moment]
        taken = self._waiting + [self._open.pop(name) for name in over]
        self._waiting = []
        self._under_way = sum(batch.bytes for batch in taken)
        return taken

    def put_back(self, batches: Iterable[LabelBatch]) -> None:
        """Those of the taken ones that could not be written; the others are done with."""
        self._waiting = [*batches, *self._waiting]
        self._under_way = 0


def write_labels(
    store: Store, batches: Iterable[LabelBatch], writer: str, metrics: RecorderMetrics
) -> list[LabelBatch]:
    """Writes batches, and returns those that the store did not take, or that had no room on this machine's disk."""
    left = []
    for batch in batches:
        try:
            store.put_if_absent(batch.key(writer), to_file(batch.labels))
            metrics.labels("stored", len(batch.labels))
        except (ModelyardError, OSError) as bad:
            left.append(batch)
            _log.warning("labels not written", extra={"fields": {"key": batch.key(writer), "error": str(bad)}})
        except Exception:  # noqa: BLE001 - a defect of ours in one batch keeps nobody from the others
            metrics.labels("lost", len(batch.labels))
            _log.exception("labels not written", extra={"fields": {"key": batch.key(writer)}})
    return left
