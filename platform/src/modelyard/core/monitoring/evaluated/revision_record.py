"""All that is kept of a revision: the detector's state, and counts of the last hours to tell "how far" from.

Counts of the last hours are halved every HALVED_MINUTES, so that they need as much room in a year as in a day, and the
hours before an alarm weigh less and less. How many rows a day has is told from whole hours, 24 at most.

To JSON and back it goes with a mark of each feature's reference: what was gathered about another reference begins anew,
feature by feature, and nothing else does. Minutes that settle later were still counted by the reference before,
such as the range that somebody has just replaced because it was wrong: they say nothing of the new one, and are left
out of that feature until ANEW_MINUTES after the change was seen.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from modelyard.api.monitoring.counts import FeatureCounts, MinuteCounts
from modelyard.api.monitoring.profile import FeatureProfile
from modelyard.core.monitoring.adding import added
from modelyard.core.monitoring.model_state import ModelQuestions, ModelState, from_plain, to_plain, updated

RECORD_FORMAT = 1
HALVED_MINUTES = 180
ANEW_MINUTES = 2
"""Recorders see a change within seconds; the minute in which it is seen here, and one more, may be mixed."""
HOURS = 24
_MINUTES = 60

HourRows = tuple[tuple[int, int], ...]
"""Hours since the epoch that had rows, and how many, oldest first."""


@dataclass(frozen=True)
class RevisionRecord:
    """One revision; `recent` by feature, `period` the HALVED_MINUTES since the epoch that it was last halved in.

    `anew` are the first minutes that count of features whose reference has changed.
    """

    state: ModelState = field(default_factory=ModelState)
    recent: Mapping[str, FeatureCounts] = field(default_factory=dict)
    period: int = 0
    hours: HourRows = ()
    anew: Mapping[str, int] = field(default_factory=dict)

    def since_change(self, counts: MinuteCounts) -> MinuteCounts:
        """A minute's counts without features that were still counted by a reference that has been replaced since."""
        kept = {name: one for name, one in counts.features.items() if counts.minute >= self.anew.get(name, 0)}
        return counts.model_copy(update={"features": kept}) if len(kept) < len(counts.features) else counts

    def rows_since(self, minute: int) -> int:
        """Rows of the hours that began at `minute` or later."""
        return sum(rows for hour, rows in self.hours if hour * _MINUTES >= minute)

    @property
    def rows_a_day(self) -> int:
        """Rows of the last 24 hours, or as many as a day would have by those there were."""
        if not self.hours:
            return 0
        span = self.hours[-1][0] - self.hours[0][0] + 1
        return sum(rows for _, rows in self.hours) * HOURS // min(span, HOURS)


def with_minute(questions: ModelQuestions, record: RevisionRecord, counts: MinuteCounts, now: int) -> RevisionRecord:
    """The record after the counts of one minute, of all recorders together; `now` is the minute it is."""
    known = record.since_change(counts)
    state = updated(questions, record.state, known, now)
    if state.late > record.state.late or state.ahead > record.state.ahead:
        return replace(record, state=state)
    period = counts.minute // HALVED_MINUTES
    recent = {name: _halved(one, period - record.period) for name, one in record.recent.items()}
    for name, asked in questions.features.items():
        one = known.features.get(name)
        if one is not None and asked.fits(one):
            recent[name] = _together(recent.get(name), one)
    rows = max((one.rows for one in counts.features.values()), default=0)
    hours = _with_rows(record.hours, counts.minute // _MINUTES, rows)
    return replace(record, state=state, recent=recent, period=period, hours=hours)


def as_json(record: RevisionRecord, questions: ModelQuestions) -> bytes:
    """The record as it is kept."""
    kept = {
        "format": RECORD_FORMAT,
        "marks": {name: _mark(asked.profile) for name, asked in questions.features.items()},
        "state": to_plain(record.state),
        "recent": {
            name: one.model_dump(by_alias=True, exclude_defaults=True, mode="json")
            for name, one in record.recent.items()
        },
        "period": record.period,
        "hours": [list(pair) for pair in record.hours],
        "anew": dict(record.anew),
    }
    return json.dumps(kept, separators=(",", ":")).encode()


def from_json(content: bytes, questions: ModelQuestions, minute: int) -> RevisionRecord:
    """The record that `as_json` wrote, without features whose reference is another by now, which is `minute`.

    Raises ValueError for what is none, or is of a later format.
    """
    try:
        kept = json.loads(content)
        if kept["format"] > RECORD_FORMAT:
            raise ValueError(f"format {kept['format']} is of a later version.")
        same = {name for name, asked in questions.features.items() if kept["marks"].get(name) == _mark(asked.profile)}
        state = {**kept["state"], "features": _only(kept["state"]["features"], same)}
        recent = {name: FeatureCounts.model_validate(one) for name, one in _only(kept["recent"], same).items()}
        hours = tuple((int(hour), int(rows)) for hour, rows in kept["hours"])
        anew = {name: int(first) for name, first in kept.get("anew", {}).items() if name in same}
        anew |= dict.fromkeys(kept["marks"].keys() & questions.features.keys() - same, minute + ANEW_MINUTES)
        return RevisionRecord(from_plain(state, questions), recent, int(kept["period"]), hours[-HOURS:], anew)
    except (KeyError, TypeError, AttributeError, ValidationError, RecursionError) as bad:
        raise ValueError(f"this is no record of a revision: {type(bad).__name__}") from bad


def _only(kept: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: one for name, one in kept.items() if name in names}


def _together(before: FeatureCounts | None, one: FeatureCounts) -> FeatureCounts:
    """Both; the newer alone where a reference without values lets bins of any number pass."""
    if before is None or (before.bins and one.bins and len(before.bins) != len(one.bins)):
        return one
    return added(before, one)


def _halved(counts: FeatureCounts, times: int) -> FeatureCounts:
    if times <= 0:
        return counts
    missing, invalid, bins = counts.missing >> times, counts.invalid >> times, [one >> times for one in counts.bins]
    return FeatureCounts(
        rows=missing + invalid + sum(bins), missing=missing, invalid=invalid,
        outside=min(counts.outside >> times, sum(bins)), bins=tuple(bins),
    )  # fmt: skip


def _with_rows(hours: HourRows, hour: int, rows: int) -> HourRows:
    """With so many rows more; hours that are a day older than the newest go."""
    before = dict(hours)
    before[hour] = before.get(hour, 0) + rows
    newest = max(before)
    return tuple(sorted((at, count) for at, count in before.items() if at > newest - HOURS))


def _mark(profile: FeatureProfile) -> int:
    """A number that is another when anything is that the detector goes by."""
    return zlib.crc32(profile.model_dump_json(exclude={"importance"}).encode())
