"""The evaluator: every half a minute a look at each recorded revision, one after the other, and at labels that came.

One process does it for the whole platform. Two at a time, as while a node is lost, do no harm: both come to the same
from the same counts, and each write replaces the other's. What fails for one revision is counted, and the others are
looked at all the same. Told to stop, it keeps every record.
"""

import logging
import time
from collections.abc import Callable
from functools import partial
from itertools import groupby

from modelyard.background_thread import BackgroundThread
from modelyard.core.storage.object_store import Store
from modelyard.errors import ModelyardError

from .evaluator_metrics import EvaluatorMetrics
from .model_performance import ModelPerformance
from .recorded_models import RecordedRevision
from .revision_evaluation import RevisionEvaluation

EVERY_SECONDS = 30.0
STUCK_SECONDS = 900.0
"""After so long without a finished step the process is taken for stuck: a store that hangs answers or fails before."""
_STEPS = 42
"""Steps of one revision in one pass at most: those of a week."""
_log = logging.getLogger(__name__)


class Evaluator(BackgroundThread):
    """Looks at all revisions that `revisions` names, while there is no `trouble` in knowing them."""

    def __init__(
        self,
        store: Store,
        revisions: Callable[[], list[RecordedRevision]],
        trouble: Callable[[], str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__("evaluator")
        self._store, self._revisions, self._trouble, self._clock = store, revisions, trouble, clock
        self._evaluations: dict[tuple[str, str, str], RevisionEvaluation] = {}
        self._performances: dict[tuple[str, str], ModelPerformance] = {}
        self._beat = time.monotonic()
        self.metrics = EvaluatorMetrics(lambda: list(self._evaluations.values()))

    def look(self) -> None:
        """One pass over all revisions."""
        begun = time.monotonic()
        revisions = self._revisions()
        self._take_up(revisions)
        self._judge(revisions)
        for evaluation in list(self._evaluations.values()):
            if self._stop.is_set():
                return
            self._evaluate(evaluation)
            self._beat = time.monotonic()
        self.metrics.passed(time.monotonic() - begun)

    def finish(self, patience: float) -> None:
        """Ends, and keeps every record that can be kept."""
        self.stop(patience)
        for evaluation in self._evaluations.values():
            self._tried(evaluation.revision[:3], lambda one=evaluation: one.keep(int(self._clock() // 60)))

    def healthy(self) -> tuple[bool, str]:
        """For the liveness probe."""
        silent = time.monotonic() - self._beat
        return (True, "ok") if silent < STUCK_SECONDS else (False, f"no revision was evaluated for {silent:.0f} s")

    def ready(self) -> tuple[bool, str]:
        """For the readiness probe: whether the Models are known."""
        trouble = self._trouble()
        return not trouble, trouble or "ok"

    def _take_up(self, revisions: list[RecordedRevision]) -> None:
        """Begins with what is new, goes on with what is the same, and drops the rest."""
        before, self._evaluations = self._evaluations, {}
        for revision in revisions:
            known = before.get(revision[:3])
            if known is not None and known.revision != revision:
                self._tried(known.revision[:3], lambda one=known: one.keep(0))
                known = None
            self._evaluations[revision[:3]] = known or RevisionEvaluation(self._store, revision)

    def _judge(self, revisions: list[RecordedRevision]) -> None:
        """Goes through the labels of each Model that takes some, and tells its revisions."""
        before, self._performances = self._performances, {}
        for place, own in groupby(revisions, key=lambda one: one[:2]):
            revisions_of, known = tuple(own), before.get(place) or ModelPerformance(self._store, *place)
            self._tried(place, partial(self._judge_model, place, revisions_of, known))
            self._beat = time.monotonic()
            if self._stop.is_set():
                return

    def _judge_model(
        self, place: tuple[str, str], revisions: tuple[RecordedRevision, ...], performance: ModelPerformance
    ) -> bool:
        judged = [one for one in revisions if one.monitoring.feedback is not None]
        if not judged:
            return False
        self._performances[place] = performance
        try:
            return performance.step(judged, self._clock())
        finally:
            for one in judged:
                self._evaluations[one[:3]].performance = performance.of(one.name)

    def _evaluate(self, evaluation: RevisionEvaluation) -> None:
        late, damaged = evaluation.late, evaluation.damaged
        for _ in range(_STEPS):
            if self._stop.is_set() or not self._tried(evaluation.revision[:3], lambda: evaluation.step(self._clock())):
                break
        self.metrics.left_out(evaluation.late - late, evaluation.damaged - damaged)

    def _tried(self, place: tuple[str, ...], step: Callable[[], bool | None]) -> bool:
        """What a step says; False when it fails, which is counted. `place` names a Model or a revision."""
        fields = {"of": "/".join(place)}
        try:
            return bool(step())
        except ModelyardError as bad:
            self.metrics.failed(bad.reason)
            _log.warning("not evaluated", extra={"fields": {**fields, "error": str(bad)}})
        except Exception:  # noqa: BLE001 - a defect of ours in one revision keeps nobody from the others
            self.metrics.failed("Defect")
            _log.exception("not evaluated", extra={"fields": fields})
        return False

    def _run(self) -> None:
        while not self._stop.is_set():
            if not self._trouble():
                self.look()
            self._beat = time.monotonic()
            self._stop.wait(EVERY_SECONDS)
