"""Counts in a real store, minute by minute and writer by writer."""

import pytest

from modelyard.api.monitoring.counts import COUNTS_FORMAT, FeatureCounts, MinuteCounts
from modelyard.clients.store import S3Store
from modelyard.core.storage.monitoring_keys import COUNTS, ROWS, MinuteKey
from modelyard.records.stored_counts import read_counts

MIDNIGHT = 29_932_440 - 600
"""Minutes since the epoch, of 2026-11-29."""


def put(store: S3Store, minute: int, writer: str = "a", counts: MinuteCounts | None = None, **where: str) -> None:
    place = {"namespace": "demo", "model": "digits", "revision": "digits-1"} | where
    written = counts or MinuteCounts(minute=minute, requests=1, features={"x": FeatureCounts(rows=2, bins=(1, 1))})
    content = written.model_dump_json(by_alias=True).encode()
    store.put(MinuteKey(**place, minute=minute * 60, writer=writer).key(COUNTS), content)


def read(store: S3Store, first: int, last: int) -> tuple[list[tuple[int, int]], int, int]:
    found = read_counts(store, "demo", "digits", "digits-1", first, last)
    return [(one.minute, one.features["x"].rows) for one in found.minutes], found.files, found.damaged


def test_writers_of_one_minute_are_added_and_days_are_put_together(store: S3Store) -> None:
    for minute, writer in ((MIDNIGHT - 1, "a"), (MIDNIGHT, "a"), (MIDNIGHT, "b"), (MIDNIGHT + 5, "a")):
        put(store, minute, writer)
    put(store, MIDNIGHT, model="other")
    put(store, MIDNIGHT, revision="digits-2")
    assert read(store, MIDNIGHT - 1, MIDNIGHT + 4) == ([(MIDNIGHT - 1, 2), (MIDNIGHT, 4)], 3, 0)
    assert read(store, MIDNIGHT + 6, MIDNIGHT + 9) == ([], 0, 0)


def test_what_cannot_be_believed_is_left_out_and_counted(store: S3Store) -> None:
    put(store, MIDNIGHT)
    put(store, MIDNIGHT + 1, counts=MinuteCounts(minute=7, features={}))
    put(store, MIDNIGHT + 2, counts=MinuteCounts(format=COUNTS_FORMAT + 1, minute=MIDNIGHT + 2, features={}))
    key = MinuteKey("demo", "digits", "digits-1", (MIDNIGHT + 3) * 60, "a")
    store.put(key.key(COUNTS), b"{")
    store.put(key.key(ROWS), b"rows are none of this")
    put(store, MIDNIGHT + 4, "a")
    other = MinuteCounts(minute=MIDNIGHT + 4, features={"x": FeatureCounts(rows=1, bins=(1,))})
    put(store, MIDNIGHT + 4, "b", other)
    assert read(store, MIDNIGHT, MIDNIGHT + 9) == ([(MIDNIGHT, 2)], 1, 5)


@pytest.mark.parametrize(
    "bad", [b"", b"null", b'{"minute": 1}', b'{"minute": 29931840, "features": {"x": {"rows": -1}}}']
)
def test_a_damaged_file_breaks_nothing(store: S3Store, bad: bytes) -> None:
    store.put(MinuteKey("demo", "digits", "digits-1", MIDNIGHT * 60, "a").key(COUNTS), bad)
    assert read(store, MIDNIGHT, MIDNIGHT) == ([], 0, 1)
