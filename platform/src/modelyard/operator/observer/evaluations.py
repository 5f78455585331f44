"""What the evaluator has written of the rows of a Model's serving revision, as the store has it.

Its words are read in the background, by threads of their own: a store that hangs here keeps nobody from builds, and
no pass waits. What cannot be read, because it is damaged or of another version, is as if it were not there.
"""

from typing import NamedTuple, Protocol

from pydantic import ValidationError

from modelyard.api.model import Model
from modelyard.api.monitoring.status import MonitoringStatus
from modelyard.core.reporting.monitoring import EVERY_SECONDS
from modelyard.core.snapshot import Failure
from modelyard.core.storage.monitoring_keys import status_key
from modelyard.operator.cache.objects import Key
from modelyard.operator.polling.poller import Habits, Unanswered
from modelyard.operator.polling.polling import Polling

PARTY = "the store's evaluations"
_OF_INTERVAL = 0.9
"""What a look asks for has just grown old, so that it is asked for anew."""


class EvaluationReader(Protocol):
    """The objects of the bucket."""

    def get(self, key: str) -> bytes | None: ...


class _Revision(NamedTuple):
    namespace: str
    model: str
    revision: str


class _Evaluation(NamedTuple):
    """What was read; without a status when there is none that can be read."""

    status: MonitoringStatus | None


class EvaluationObserver:
    """Answers about serving revisions of recorded Models."""

    def __init__(self, store: EvaluationReader, polling: Polling) -> None:
        self._store = store
        self._read_ones = polling.poller(PARTY, self._read, Habits(lambda _: _OF_INTERVAL * EVERY_SECONDS))

    def of(self, key: Key, model: Model) -> MonitoringStatus | Failure | None:
        """The latest word; None where nothing is recorded or nothing was written yet, Failure while it is not known."""
        monitoring, revision = model.spec.monitoring, model.status.revision
        if monitoring is None or monitoring.sample is None or not revision:
            return None
        answer = self._read_ones.of(key, _Revision(model.namespace, model.name, revision))
        return answer.failure if isinstance(answer, Unanswered) else answer.status

    def _read(self, revision: _Revision) -> _Evaluation:
        content = self._store.get(status_key(*revision))
        try:
            return _Evaluation(None if content is None else MonitoringStatus.model_validate_json(content))
        except ValidationError:
            return _Evaluation(None)
