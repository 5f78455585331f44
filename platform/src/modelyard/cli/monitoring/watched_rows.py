"""What `modelyard drift` speaks of: a reference, counts of rows since, and what the detector makes of them.

The rows are those of a Model, counted in the store minute by minute; or of a file, with a column of times (the same, by
minutes) or without (compared once, as a whole).
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from modelyard.api.model import Model
from modelyard.api.monitoring.counts import FeatureCounts, MinuteCounts
from modelyard.api.monitoring.profile import ReferenceProfile
from modelyard.core.monitoring.adding import features_added
from modelyard.core.monitoring.declared_quality import policy_of, undeclarable, with_declared
from modelyard.core.monitoring.evaluated.revision_record import RevisionRecord, from_json
from modelyard.core.monitoring.findings import FeatureFinding, findings
from modelyard.core.monitoring.model_state import DriftPolicy, ModelQuestions, ModelState, judged
from modelyard.core.monitoring.one_comparison import compared
from modelyard.core.storage import keys
from modelyard.core.storage.monitoring_keys import detector_key
from modelyard.errors import InvalidInput, InvalidModel

if TYPE_CHECKING:
    from modelyard.core.storage.object_store import Store
    from modelyard.records.values import ColumnValues

DAY = 1440


@dataclass(frozen=True)
class WatchedRows:
    """The reference's questions, what the detector says, all counts by minute, and sentences beside the table.

    `timed` tells whether "since when" has a meaning.
    """

    title: str
    questions: ModelQuestions
    state: ModelState
    minutes: tuple[MinuteCounts, ...]
    notes: tuple[str, ...]
    timed: bool = True

    def findings(self) -> list[FeatureFinding]:
        """One for each alarm, and one for each quiet feature."""
        return findings(self.questions, self.state, self.recent(), self.rows_a_day)

    def recent(self) -> dict[str, FeatureCounts]:
        """Counts of each feature since its first alarm began, or else of the last day."""
        last = self.minutes[-1].minute if self.minutes else 0
        found = {}
        for name in self.questions.features:
            state = self.state.features.get(name)
            begins = min((alarm.since for alarm in state.raised), default=last - DAY) if state else last - DAY
            parts = [one.features for one in self.minutes if one.minute > begins or not self.timed]
            found |= features_added({name: part[name]} for part in parts if name in part)
        return found

    @property
    def rows_a_day(self) -> int:
        """Rows of the last day, or as many as a day would have had; of rows without times, all."""
        last = self.minutes[-1].minute if self.minutes else 0
        recent = [one for one in self.minutes if one.minute > last - DAY or not self.timed]
        rows = sum(max((counts.rows for counts in one.features.values()), default=0) for one in recent)
        span = last - recent[0].minute + 1 if recent and self.timed else DAY
        return rows * DAY // max(1, min(DAY, span))


def of_model(model: Model, revision: str, days: int, store: "Store", now: float) -> WatchedRows:
    """The rows of a revision in the last `days` days; that which serves, when `revision` is empty.

    Raises InvalidModel when there is no such revision, or it has no reference.
    """
    from modelyard.records.stored_counts import read_counts

    wanted = revision or model.status.revision
    status = next((one for one in model.status.revisions if one.name == wanted), None)
    if status is None:
        there = ", ".join(one.name for one in model.status.revisions) or "none yet"
        raise InvalidModel(f"{model.name} has no revision {wanted or 'that serves'}; there is: {there}.")
    profile = with_declared(_profile(store, status.digest, wanted, model), model.spec.monitoring)
    questions = ModelQuestions(profile, policy_of(model.spec.monitoring))
    minute = int(now // 60)
    stored = read_counts(store, model.namespace, model.name, wanted, minute - days * DAY, minute)
    notes = [*undeclarable(profile, model.spec.monitoring)]
    if not stored.minutes:
        share = model.spec.monitoring.sample if model.spec.monitoring else None
        why = "nothing is recorded: write spec.monitoring.sample" if share is None else "nobody asked, or the recorder"
        notes.append(f"there are no counts of {wanted} in the last {days} days: {why}.")
    if stored.damaged:
        notes.append(f"{stored.damaged} files of counts were left out, because they are damaged or do not fit.")
    minutes = _since_change(store, (model.namespace, model.name, wanted), questions, stored.minutes, minute)
    state = judged(questions, minutes, minute)
    title = f"{model.name} in {model.namespace}, revision {wanted}"
    return WatchedRows(title, questions, state, tuple(minutes), (*notes, *_of_state(questions, state)))


def of_files(reference: Path, now: Path, times: str, false_alarms: float) -> WatchedRows:
    """The rows of a file against those of another; by minutes when `times` names a column of times.

    Raises InvalidInput when a file cannot be used.
    """
    from modelyard.records.counting import counts_by_minute, table_counts
    from modelyard.records.reference import profile_of_table
    from modelyard.records.tables import read_table

    before, after = read_table(reference), read_table(now)
    before.pop(times, None)
    profile = profile_of_table(list(before.values()), reference.name)
    questions = ModelQuestions(profile, DriftPolicy(false_alarms))
    title = f"{now.name} against {reference.name}"
    if not times:
        rows = next(iter(after.values())).rows
        counts = table_counts(profile, after, rows)
        state = compared(questions, counts)
        whole = MinuteCounts(minute=0, requests=rows, features=counts)
        return WatchedRows(title, questions, state, (whole,), _of_state(questions, state), timed=False)
    minutes = counts_by_minute(profile, after, _minutes(after, times, now))
    state = judged(questions, minutes, minutes[-1].minute)
    return WatchedRows(title, questions, state, tuple(minutes), _of_state(questions, state))


def _minutes(columns: "dict[str, ColumnValues]", times: str, path: Path) -> Any:
    """The minute of each row; takes the column away."""
    from modelyard.records.times import minutes_of

    if times not in columns:
        raise InvalidInput(f"{path.name} has no column {times!r}: --time names one of {', '.join(list(columns)[:8])}.")
    return minutes_of(columns.pop(times), path.name)


def _profile(store: "Store", digest: str, revision: str, model: Model) -> ReferenceProfile:
    """The build's, else that of the revision's first days."""
    from modelyard.records.first_days import learnt_profile

    content = store.get(keys.build_profile(digest))
    if content is None:
        learnt = learnt_profile(store, (model.namespace, model.name, revision))
        if learnt is not None:
            return learnt
        raise InvalidModel(
            f"the build of {model.name} has no reference, so nothing tells what is usual: push the entry as a new "
            "version with an eval.npz or with --reference FILE; or compare files: `modelyard drift --reference FILE "
            "--file FILE`."
        )
    try:
        return ReferenceProfile.model_validate_json(content)
    except ValidationError as bad:
        raise InvalidModel(f"{keys.build_profile(digest)} is damaged: build the entry again.") from bad


def _since_change(
    store: "Store", place: tuple[str, str, str], questions: ModelQuestions, minutes: Sequence[MinuteCounts], now: int
) -> Sequence[MinuteCounts]:
    """The minutes without what was counted by a range that has been declared anew since, as the evaluator saw it."""
    content = store.get(detector_key(*place))
    try:
        record = from_json(content, questions, now) if content else RevisionRecord()
    except ValueError:
        return minutes
    return [record.since_change(one) for one in minutes]


def _of_state(questions: ModelQuestions, state: ModelState) -> tuple[str, ...]:
    """What else people should know."""
    counted: Mapping[str, int] = {
        "minutes came after their turn and were not judged": state.late,
        "minutes are from the future, so a clock is wrong": state.ahead,
        "times counts did not fit the reference's bins": state.unfit,
    }
    told = [f"{count} {what}." for what, count in counted.items() if count]
    if state.unknown:
        told.append(f"columns that the reference does not have: {', '.join(state.unknown)}.")
    if questions.unknown:
        told.append(f"drift.features names what the reference does not have: {', '.join(questions.unknown)}.")
    told += [f"not watched: {one}." for one in questions.profile.left_out]
    empty = [one.name for one in questions.profile.features if not one.values]
    if empty:
        told.append(f"without a single value in the reference, so nothing is known of them: {', '.join(empty)}.")
    return tuple(told)


def current_time() -> float:
    """Seconds since the epoch."""
    return time.time()
