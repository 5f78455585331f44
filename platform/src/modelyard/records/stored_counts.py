"""The counts of a revision, read from the store: minutes of all writers, added up.

A file that cannot be read, or is not of the minute it is called after, is left out and counted: what is half believed
is worse than what is missing.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pydantic import ValidationError

from modelyard.api.monitoring.counts import COUNTS_FORMAT, MinuteCounts
from modelyard.core.monitoring.adding import minute_added
from modelyard.core.storage.monitoring_keys import COUNTS, day_prefix, minute_of
from modelyard.core.storage.object_store import Store

THREADS = 16
_SECONDS = 60


class StoredCounts(NamedTuple):
    """Minutes in order, how many files they were read from, and how many more could not be believed."""

    minutes: list[MinuteCounts]
    files: int
    damaged: int


def read_counts(store: Store, namespace: str, model: str, revision: str, first: int, last: int) -> StoredCounts:
    """The minutes from `first` to `last` (since the epoch, both included) of a revision.

    Raises what the store raises: Unreachable, Refused, Throttled.
    """
    return counts_of(store, list(_keys(store, namespace, model, revision, first, last)))


def counts_of(store: Store, keys: Sequence[tuple[int, str]]) -> StoredCounts:
    """The minutes of files of counts, (minute, key) each. Raises what the store raises."""
    with ThreadPoolExecutor(THREADS) as pool:
        contents = list(pool.map(lambda item: store.get(item[1]), keys))
    minutes: dict[int, list[MinuteCounts]] = defaultdict(list)
    damaged = 0
    for (minute, _), content in zip(keys, contents, strict=True):
        counts = _parsed(content, minute)
        if counts is None:
            damaged += 1
        else:
            minutes[minute].append(counts)
    added = []
    for minute in sorted(minutes):
        try:
            added.append(minute_added(minutes[minute]))
        except ValueError:
            damaged += len(minutes[minute])
    return StoredCounts(added, len(keys) - damaged, damaged)


def _keys(store: Store, namespace: str, model: str, revision: str, first: int, last: int) -> Iterator[tuple[int, str]]:
    """(minute, key) of every file of counts."""
    day = datetime.fromtimestamp(first * _SECONDS, UTC).replace(hour=0, minute=0, second=0)
    end = datetime.fromtimestamp(last * _SECONDS, UTC)
    while day <= end:
        for item in store.list(day_prefix(namespace, model, revision, day)):
            found = minute_of(item.key) if item.key.endswith(COUNTS) else None
            if found is not None and first <= found.minute // _SECONDS <= last:
                yield found.minute // _SECONDS, item.key
        day += timedelta(days=1)


def _parsed(content: bytes | None, minute: int) -> MinuteCounts | None:
    try:
        counts = MinuteCounts.model_validate_json(content or b"")
    except ValidationError:
        return None
    return counts if counts.minute == minute and counts.format <= COUNTS_FORMAT else None
