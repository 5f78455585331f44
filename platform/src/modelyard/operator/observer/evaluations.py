"""What the evaluator has written of the rows of a Model's serving revision, and of the labels of one that is tried.

Its words are read in the background, by threads of their own: a store that hangs here keeps nobody from builds, and
no pass waits. What cannot be read, because it is damaged or of another version, is as if it were not there.
"""

from typing import NamedTuple, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from modelyard.api.model import Model
from modelyard.api.monitoring.comparison import LabelledComparison
from modelyard.api.monitoring.status import MonitoringStatus
from modelyard.core.reporting.monitoring import EVERY_SECONDS
from modelyard.core.snapshot import Failure
from modelyard.core.storage.monitoring_keys import comparison_key, status_key
from modelyard.operator.cache.objects import Key
from modelyard.operator.polling.poller import Habits, Unanswered
from modelyard.operator.polling.polling import Polling

PARTY = "the store's evaluations"
_OF_INTERVAL = 0.9
"""What a look asks for has just grown old, so that it is asked for anew."""
LABELS_SECONDS = 30.0
"""How old what labels say may be while a rollout hangs on it; the evaluator looks for labels every other minute."""

Written = TypeVar("Written", bound=BaseModel)


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


class _Compared(NamedTuple):
    """The same of a comparison."""

    answers: LabelledComparison | None


class EvaluationObserver:
    """Answers about serving revisions of recorded Models."""

    def __init__(self, store: EvaluationReader, polling: Polling) -> None:
        self._store = store
        self._read_ones = polling.poller(PARTY, self._read, Habits(lambda _: _OF_INTERVAL * EVERY_SECONDS))
        self._compared_ones = polling.poller(PARTY, self._compared, Habits(lambda _: LABELS_SECONDS))

    def of(self, key: Key, model: Model) -> MonitoringStatus | Failure | None:
        """The latest word; None where nothing is recorded or nothing was written yet, Failure while it is not known."""
        monitoring, revision = model.spec.monitoring, model.status.revision
        if monitoring is None or monitoring.sample is None or not revision:
            return None
        answer = self._read_ones.of(key, _Revision(model.namespace, model.name, revision))
        return answer.failure if isinstance(answer, Unanswered) else answer.status

    def labelled(self, key: Key, model: Model) -> LabelledComparison | Failure | None:
        """What labels say of the candidate; None where no rollout asks for that or nothing was written yet."""
        rollout = model.status.rollout
        if model.spec.rollout.feedback is None or rollout is None or not rollout.candidate:
            return None
        revision = _Revision(model.namespace, model.name, rollout.candidate)
        answer = self._compared_ones.of(key, revision)
        return answer.failure if isinstance(answer, Unanswered) else answer.answers

    def _read(self, revision: _Revision) -> _Evaluation:
        return _Evaluation(self._written(status_key(*revision), MonitoringStatus))

    def _compared(self, revision: _Revision) -> _Compared:
        return _Compared(self._written(comparison_key(*revision), LabelledComparison))

    def _written(self, key: str, shape: type[Written]) -> Written | None:
        content = self._store.get(key)
        try:
            return None if content is None else shape.model_validate_json(content)
        except ValidationError:
            return None
