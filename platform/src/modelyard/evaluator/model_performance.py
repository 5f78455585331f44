"""What labels say of a Model's answers, gone through anew when labels came, and else once an hour.

Rows come into the store some minutes after their answers, and labels may be there before: after labels came they are
gone through for SETTLING_MINUTES. Going through is dear, since a label may be of any row of DAYS: it is begun every
EVERY_MINUTES at most, and takes at most the share 1 / REST of the time, however many rows there are.
"""

import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta

from modelyard.api.monitoring.performance import PerformanceStatus
from modelyard.core.storage.monitoring_keys import comparison_key
from modelyard.core.storage.object_store import Store
from modelyard.records.feedback.compared import comparison_of
from modelyard.records.feedback.labels import label_files
from modelyard.records.feedback.performance import keep_reference, quality_of
from modelyard.records.feedback.performance_status import performance_status

from .recorded_models import RecordedRevision

DAYS = 30
EVERY_MINUTES = 2
HOURLY_MINUTES = 60
SETTLING_MINUTES = 15
REST = 20.0
_SECONDS = 60
_NEVER = -(10**9)


class ModelPerformance:
    """The labelled answers of one Model. Not safe for threads; `seconds` is a clock that only goes on."""

    def __init__(self, store: Store, namespace: str, model: str, seconds: Callable[[], float] = time.monotonic) -> None:
        self._store, self._place, self._seconds = store, (namespace, model), seconds
        self._asked: list[RecordedRevision] = []
        self._files: Collection[str] = frozenset()
        self._looked_at = self._judged_at = self._came_at = _NEVER
        self._rests_until = 0.0
        self._said: dict[str, PerformanceStatus] = {}

    def of(self, revision: str) -> PerformanceStatus | None:
        """What is known of a revision; None before its labels were looked for."""
        return self._said.get(revision)

    def step(self, revisions: Sequence[RecordedRevision], now: float) -> bool:
        """Looks for labels at `now` (seconds since the epoch), and goes through them when it is time; whether it did.

        `revisions` are all of the Model, with the same spec.monitoring that has `feedback`.

        Raises what the store raises, and InvalidInput for files that cannot be read; what was said before stays.
        """
        minute = int(now // _SECONDS)
        if list(revisions) != self._asked:
            self._asked, self._looked_at, self._judged_at, self._rests_until = list(revisions), _NEVER, _NEVER, 0.0
        if abs(minute - self._looked_at) < EVERY_MINUTES or self._seconds() < self._rests_until:
            return False
        self._looked_at = minute
        first = (datetime.fromtimestamp(now, UTC).date() - timedelta(days=DAYS - 1)).isoformat()
        files = frozenset(label_files(self._store, *self._place, first))
        if files != self._files:
            self._files, self._came_at = files, minute
        due = abs(minute - self._judged_at) >= HOURLY_MINUTES or abs(minute - self._came_at) <= SETTLING_MINUTES
        if due:
            self._judge(revisions, first, minute)
        return due

    def _judge(self, revisions: Sequence[RecordedRevision], first: str, minute: int) -> None:
        asked = revisions[0].monitoring.feedback
        if asked is None:
            raise ValueError("a Model without spec.monitoring.feedback has no performance")
        begun = self._seconds()
        try:
            digests = {one.name: one.digest for one in revisions}
            found = quality_of(self._store, *self._place, digests, asked, first, minute)
            for one in found.revisions:
                keep_reference(self._store, *self._place, one)
        finally:
            ended = self._seconds()
            self._rests_until = ended + REST * (ended - begun)
        for trial in (one.trial for one in revisions if one.trial is not None):
            content = comparison_of(found, trial, 60.0 * minute).model_dump_json(by_alias=True, exclude_defaults=True)
            self._store.put(comparison_key(*self._place, trial.candidate), content.encode())
        self._said = {one.name: performance_status(found, one.name) for one in revisions}
        self._judged_at = minute
