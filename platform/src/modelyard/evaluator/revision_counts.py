"""The counts of a revision as they come into the store, minute by minute, each once.

A minute is read SETTLED_MINUTES after it is over: by then every recorder has written it. While the store was away they
write what they have kept as soon as it is back, one minute after the other; so after a failure nothing is read for as
long again. What comes later than that is left out and counted: what was decided is not decided again.

| what the clock does | what is read |
|---|---|
| nothing odd | every minute after the last one, at most MOST_MINUTES at a time, at most MOST_BEHIND in the past |
| it went back | nothing until it is past the last minute again, and of that much what is new |
| it jumped ahead | hours without files, of the last MOST_BEHIND, until it is right again |
"""

from datetime import UTC, datetime
from typing import NamedTuple

from modelyard.core.storage.monitoring_keys import COUNTS, hour_prefix, minute_of
from modelyard.core.storage.object_store import Store
from modelyard.errors import ModelyardError
from modelyard.records.stored_counts import StoredCounts, counts_of

SETTLED_MINUTES = 2
MOST_MINUTES = 240
MOST_BEHIND = 7 * 1440
FIRST_LOOK = 1440
"""How many minutes of the past are read of a revision of which nothing is known."""
_SECONDS, _HOUR = 60, 60


class NewCounts(NamedTuple):
    """Minutes that came, how many came too late to be read, and whether there are more to be read at once."""

    stored: StoredCounts
    late: int
    more: bool


NOTHING_NEW = NewCounts(StoredCounts([], 0, 0), 0, False)


class RevisionCounts:
    """The counts of one revision after the minute `after` (since the epoch), -1 when nothing was read yet."""

    def __init__(self, store: Store, place: tuple[str, str, str], after: int) -> None:
        self._store, self._place = store, place
        self._read_to = after
        self._seen: set[str] | None = None
        self._not_before = 0

    def read(self, minute: int) -> NewCounts:
        """What is new at `minute`. Raises what the store raises; the same is read again then."""
        last = minute - SETTLED_MINUTES
        self._read_to = min(self._read_to, last)
        if minute < self._not_before <= minute + SETTLED_MINUTES:
            return NOTHING_NEW
        first = self._read_to + 1 if self._read_to >= 0 else last - FIRST_LOOK
        first = max(first, last - MOST_BEHIND, 0)
        last = min(last, first + MOST_MINUTES - 1)
        if first > last:
            return NOTHING_NEW
        try:
            new, late = self._listed(first, last)
            stored = counts_of(self._store, new)
        except ModelyardError:
            self._not_before = minute + SETTLED_MINUTES
            raise
        self._read_to = last
        return NewCounts(stored, late, more=last < minute - SETTLED_MINUTES)

    def _listed(self, first: int, last: int) -> tuple[list[tuple[int, str]], int]:
        """(minute, key) of what is to be read, and how many keys have come since the last look that are older."""
        new: list[tuple[int, str]] = []
        old: set[str] = set()
        for hour in range(first // _HOUR, last // _HOUR + 1):
            moment = datetime.fromtimestamp(hour * _HOUR * _SECONDS, UTC)
            for stored in self._store.list(hour_prefix(*self._place, moment)):
                found = minute_of(stored.key) if stored.key.endswith(COUNTS) else None
                if found is None:
                    continue
                at = found.minute // _SECONDS
                if at < first:
                    old.add(stored.key)
                elif at <= last:
                    new.append((at, stored.key))
        late = 0 if self._seen is None else len(old - self._seen)
        hour = last // _HOUR * _HOUR
        kept = old if first >= hour else set[str]()
        self._seen = kept | {key for at, key in new if at >= hour}
        return new, late
