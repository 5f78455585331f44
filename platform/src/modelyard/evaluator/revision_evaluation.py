"""One revision: its reference, its record, and what is written of it into the store.

The reference is the build's; where it has none and spec.monitoring.drift.reference says so, that of the revision's
first days (`records.first_days`), which is made here once they are over.

The record is kept in the store every KEPT_MINUTES, when an alarm begins or ends, and at the end; a restart goes on from
there and reads the minutes since once more, which gives the same. A record that cannot be read is begun anew.

What is known is written every minute that brought rows, when labels say something new (`performance`, which is told
from outside), and else every WRITTEN_MINUTES, so that its time tells whether anybody evaluates at all.
"""

import logging
from dataclasses import replace

from pydantic import ValidationError

from modelyard.api.monitoring.performance import PerformanceStatus
from modelyard.api.monitoring.profile import ReferenceProfile
from modelyard.api.monitoring.status import DataStatus, DataVerdict, MonitoringStatus
from modelyard.core.conditions import timestamp
from modelyard.core.monitoring.alarms import Alarm
from modelyard.core.monitoring.declared_quality import policy_of, undeclarable, with_declared
from modelyard.core.monitoring.evaluated.data_status import NO_REFERENCE, data_status
from modelyard.core.monitoring.evaluated.revision_record import RevisionRecord, as_json, from_json, with_minute
from modelyard.core.monitoring.model_state import ModelQuestions
from modelyard.core.storage.keys import build_profile
from modelyard.core.storage.monitoring_keys import detector_key, learnt_profile_key, status_key
from modelyard.core.storage.object_store import Store
from modelyard.errors import InvalidInput
from modelyard.records.first_days import DAY, first_rows, learnt_profile, profile_of_rows

from .recorded_models import RecordedRevision
from .revision_counts import RevisionCounts

KEPT_MINUTES = 10
WRITTEN_MINUTES = 5
REFERENCE_MINUTES = 10
"""Between two looks for a reference that is not there."""
_SECONDS = 60
_NEVER = -(10**9)
_log = logging.getLogger(__name__)


class RevisionEvaluation:
    """The evaluation of one revision as long as its Model's spec.monitoring is the same. Not safe for threads."""

    def __init__(self, store: Store, revision: RecordedRevision) -> None:
        self.revision = revision
        self._store, self._place = store, revision[:3]
        self.questions: ModelQuestions | None = None
        self.record = RevisionRecord()
        self.performance: PerformanceStatus | None = None
        self._told: PerformanceStatus | None = None
        self.late = self.damaged = 0
        self._counts: RevisionCounts | None = None
        self._kept_at = self._written_at = self._missed_at = _NEVER
        self._kept: RevisionRecord | None = None
        self._lacks = NO_REFERENCE

    @property
    def alarms(self) -> list[tuple[str, Alarm]]:
        """(feature, alarm) of all there are."""
        return self.record.state.alarms()

    def step(self, now: float) -> bool:
        """Reads what is new at `now` (seconds since the epoch) and writes what follows; whether there is more to read.

        Raises what the store raises; nothing is lost by that, and the next step does the same again.
        """
        minute = int(now // _SECONDS)
        if self._counts is None:
            self._begin(minute)
        questions, counts = self.questions, self._counts
        if questions is None or counts is None:
            if self._silent(minute):
                self._write(now, minute, DataStatus(verdict=DataVerdict.NO_REFERENCE, message=self._lacks))
            return False
        new, before = counts.read(minute), self.alarms
        for one in new.stored.minutes:
            self.record = with_minute(questions, self.record, one, minute)
        self.late += new.late
        self.damaged += new.stored.damaged
        if new.late:
            state = replace(self.record.state, late=self.record.state.late + new.late)
            self.record = replace(self.record, state=state)
        if self._names(before) != self._names(self.alarms) or abs(minute - self._kept_at) >= KEPT_MINUTES:
            self.keep(minute)
        if new.stored.minutes or self._silent(minute):
            notes = (*undeclarable(questions.profile, self.revision.monitoring), *_unknown(questions))
            self._written_at = _NEVER
            self._write(now, minute, data_status(questions, self.record, minute, notes))
        return new.more

    def keep(self, minute: int) -> None:
        """Writes the record, unless the store has it."""
        if self.questions is not None and self.record is not self._kept and self.record.state.minute >= 0:
            self._store.put(detector_key(*self._place), as_json(self.record, self.questions))
            self._kept = self.record
        self._kept_at = minute

    def _begin(self, minute: int) -> None:
        """Reads reference and record; where there is no reference, that is looked for now and then."""
        if abs(minute - self._missed_at) < REFERENCE_MINUTES:
            return
        profile = self._reference() or self._first_days(minute)
        if profile is None:
            self._missed_at = minute
            return
        monitoring = self.revision.monitoring
        questions = ModelQuestions(with_declared(profile, monitoring), policy_of(monitoring))
        content = self._store.get(detector_key(*self._place))
        if content is not None:
            try:
                self.record = self._kept = from_json(content, questions, minute)
            except ValueError as bad:
                self.damaged += 1
                _log.warning("begun anew", extra={"fields": {"revision": "/".join(self._place), "error": str(bad)}})
        self._kept_at = minute
        self._counts = RevisionCounts(self._store, self._place, self.record.state.minute)
        self.questions = questions

    def _reference(self) -> ReferenceProfile | None:
        content = self._store.get(build_profile(self.revision.digest))
        try:
            return ReferenceProfile.model_validate_json(content) if content else None
        except ValidationError as bad:
            fields = {"build": self.revision.digest, "error": str(bad)}
            _log.warning("no reference that can be read", extra={"fields": fields})
            return None

    def _first_days(self, minute: int) -> ReferenceProfile | None:
        """The reference of the revision's first days, made when it is not there and they are over."""
        asked = self.revision.monitoring.drift.reference
        if asked is None:
            return None
        learnt = learnt_profile(self._store, self._place)
        if learnt is not None:
            return learnt
        found = first_rows(self._store, self._place, asked.first_days, minute)
        source = f"the first {asked.first_days} days of {self.revision.name}"
        if found.left:
            days = -(-found.left // DAY)
            more = f"{days} day{'s' if days != 1 else ''} more"
            since = "" if found.first is not None else " from its first recorded row on"
            self._lacks = f"The reference is made of {source}: {more}{since}, and drift can be told."
            return None
        log = self.revision.monitoring.log
        try:
            profile = profile_of_rows(self._store, found.files, (log.redact or ()) if log else (), source)
        except InvalidInput as bad:
            self._lacks = f"No reference can be made: {bad}"
            return None
        self._store.put(learnt_profile_key(*self._place), profile.model_dump_json(by_alias=True).encode())
        return profile

    def _write(self, now: float, minute: int, data: DataStatus) -> None:
        said = MonitoringStatus(
            revision=self.revision.name, time=timestamp(now), data=data, performance=self.performance
        )
        content = said.model_dump_json(by_alias=True, exclude_none=True).encode()
        self._store.put(status_key(*self._place), content)
        self._written_at, self._told = minute, self.performance

    def _silent(self, minute: int) -> bool:
        """Whether labels say what was not written, or nothing was for so long that people would think us gone."""
        return self.performance != self._told or abs(minute - self._written_at) >= WRITTEN_MINUTES

    @staticmethod
    def _names(alarms: list[tuple[str, Alarm]]) -> list[tuple[str, int, str]]:
        return [(name, alarm.clock, alarm.kind) for name, alarm in alarms]


def _unknown(questions: ModelQuestions) -> list[str]:
    if not questions.unknown:
        return []
    return [f"drift.features names what the reference does not have: {', '.join(questions.unknown[:5])}."]
