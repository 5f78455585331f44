"""What people and Prometheus are told of a revision's rows, from its record."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from modelyard.api.monitoring.status import MOST_CHANGED, ChangedFeature, DataStatus, DataVerdict
from modelyard.core.monitoring.alarms import Alarm, Clock
from modelyard.core.monitoring.feature_state import FeatureState
from modelyard.core.monitoring.findings import moved, sentence, weight_of
from modelyard.core.monitoring.model_state import ModelQuestions
from modelyard.core.monitoring.questions import SHAPE

from .revision_record import RevisionRecord

SILENT_MINUTES = 1440
_LONGEST = 500
NO_REFERENCE = (
    "The build has no reference, so nothing tells what is usual: push the entry as a new version with an eval.npz, or "
    "with --reference FILE; or write drift.reference: {firstDays: 7}, and its first days are."
)


class FeatureReading(NamedTuple):
    """One feature in numbers: log E / log threshold of what breaks and of shapes (1 alarms), and shares of its rows."""

    name: str
    broken: float
    shape: float
    missing: float
    outside: float
    shift: float


def data_status(questions: ModelQuestions, record: RevisionRecord, now: int, notes: tuple[str, ...] = ()) -> DataStatus:
    """The status of the rows at the minute `now`; `notes` are sentences about the spec."""
    changed = sorted(_changed(questions, record), key=_rank)
    broken = {one.name for one in changed if one.kind != SHAPE}
    drifted = {one.name for one in changed} - broken
    state = record.state
    said = [*notes]
    if state.unfit:
        said.append(f"{state.unfit} times counts did not fit the reference.")
    if state.ahead:
        said.append(f"{state.ahead} minutes came from a clock that is ahead.")
    verdict = DataVerdict.BROKEN if broken else DataVerdict.DRIFTED if drifted else DataVerdict.AS_REFERENCE
    if not record.rows_since(now - SILENT_MINUTES):
        verdict = DataVerdict.NO_ROWS
    return DataStatus(
        verdict=verdict,
        reference=questions.profile.source[:256],
        features=len(questions.features),
        broken=len(broken),
        drifted=len(drifted),
        worst=changed[:MOST_CHANGED],
        unknown=[name[:256] for name in state.unknown],
        rows_a_day=record.rows_a_day,
        message=" ".join(said)[:_LONGEST],
    )


def readings(questions: ModelQuestions, record: RevisionRecord) -> Iterator[FeatureReading]:
    """One for each feature of which anything was counted."""
    for name, asked in questions.features.items():
        state, counts = record.state.features.get(name), record.recent.get(name)
        if state is None or counts is None or not counts.rows:
            continue
        values = counts.rows - counts.missing - counts.invalid
        shape = max(
            _against(_mean(state.hour_sums), questions.thresholds[Clock.HOUR], state.alarms[Clock.HOUR]),
            _against(_mean(state.day_sums), questions.thresholds[Clock.DAY], state.alarms[Clock.DAY]),
        )
        yield FeatureReading(
            name=name,
            broken=_against(_minutes(state), questions.thresholds[Clock.MINUTE], state.alarms[Clock.MINUTE]),
            shape=shape,
            missing=(counts.missing + counts.invalid) / counts.rows,
            outside=counts.outside / values if values else 0.0,
            shift=moved(asked.profile, counts),
        )


def moment(minute: int) -> str:
    """A minute since the epoch as RFC 3339."""
    return f"{datetime.fromtimestamp(minute * 60, UTC):%Y-%m-%dT%H:%M:00Z}"


def _changed(questions: ModelQuestions, record: RevisionRecord) -> Iterator[ChangedFeature]:
    for name, alarm in record.state.alarms():
        asked = questions.features.get(name)
        if asked is None:
            continue
        shift = alarm.observed if alarm.broken else moved(asked.profile, record.recent.get(name))
        weight = weight_of(asked.profile, shift)
        yield ChangedFeature(
            name=name[:256],
            kind=alarm.kind,
            since=moment(max(0, alarm.since)),
            message=sentence(alarm)[:_LONGEST],
            shift=_short(shift),
            weight=None if weight is None else _short(min(1.0, weight)),
        )


def _rank(one: ChangedFeature) -> tuple[bool, float, str, str]:
    """What broke, then what weighs most."""
    return one.kind == SHAPE, -(one.shift if one.weight is None else one.weight), one.name, one.kind


def _short(share: float) -> float:
    return float(f"{min(1.0, max(0.0, share)):.3g}")


def _minutes(state: FeatureState) -> float:
    return _mean(tuple(kept for sums in state.minute_sums for kept in sums))


def _mean(sums: tuple[float, ...]) -> float:
    return sum(sums) / len(sums) if sums else 0.0


def _against(evidence: float, threshold: float, alarm: Alarm | None) -> float:
    """log E / log threshold, 1 and more while there is an alarm: the evidence starts anew then."""
    ratio = math.log1p(max(0.0, evidence)) / math.log1p(threshold)
    return ratio if alarm is None else max(1.0, ratio)
