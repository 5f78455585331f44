"""A reference that is made of recorded rows."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from modelyard.core.storage.monitoring_keys import COUNTS, ROWS, MinuteKey, learnt_profile_key
from modelyard.errors import InvalidInput
from modelyard.records import first_days
from modelyard.records.first_days import DAY, SETTLED_MINUTES, first_rows, learnt_profile, profile_of_rows
from modelyard.records.parquet import to_parquet
from tests.support.objects.memory_store import MemoryStore

PLACE = ("demo", "loans", "loans-1")
FIRST = int(datetime(2026, 11, 20, 9, 30, tzinfo=UTC).timestamp()) // 60


def recorded(store: MemoryStore, minute: int, rows: int = 20, writer: str = "w", **columns: Any) -> str:
    """A file of rows of a minute after FIRST, with chances of two classes."""
    chance = np.random.default_rng(minute)
    sure = chance.uniform(0.5, 1.0, rows)
    table = {
        "request_id": np.array([f"r{at}" for at in range(rows)], object), "row": np.zeros(rows, np.int32),
        "time": np.full(rows, 60.0 * (FIRST + minute)), "share": np.ones(rows, np.int32),
        "input.age": chance.normal(40, 10, rows), "input.name": np.array(["1f2e"] * rows, object),
        "output.p[0]": sure, "output.p[1]": 1.0 - sure, "output.score": chance.normal(0, 1, rows),
    }  # fmt: skip
    key = MinuteKey(*PLACE, 60 * (FIRST + minute), writer)
    store.put(key.key(ROWS), to_parquet({**table, **columns}))
    store.put(key.key(COUNTS), b"{}")
    return key.key(ROWS)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def test_days_count_from_the_first_recorded_row_on(store: MemoryStore) -> None:
    assert first_rows(store, PLACE, 2, FIRST) == (None, 2 * DAY, ())
    keys = [recorded(store, minute) for minute in (0, 100, 2 * DAY - 1)]
    recorded(store, 2 * DAY)
    assert first_rows(store, PLACE, 2, FIRST + DAY) == (FIRST, DAY + SETTLED_MINUTES, [])
    assert first_rows(store, PLACE, 2, FIRST + 2 * DAY + SETTLED_MINUTES - 1).left == 1
    assert first_rows(store, PLACE, 2, FIRST + 2 * DAY + SETTLED_MINUTES) == (FIRST, 0, keys)


def test_it_has_inputs_and_answers_as_the_build_would_have_made_it_and_no_hashes(store: MemoryStore) -> None:
    keys = [recorded(store, minute) for minute in range(6)]
    profile = profile_of_rows(store, keys, ["name"], "the first 2 days of loans-1")
    assert (profile.rows, profile.source) == (120, "the first 2 days of loans-1")
    assert {one.name: (one.role, one.kind) for one in profile.features} == {
        "p.class": ("output", "category"),
        "p.confidence": ("confidence", "number"),
        "score": ("output", "number"),
        "age": ("input", "number"),
    }


def test_of_very_many_rows_it_is_made_of_some_from_every_time(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_days, "MOST_FILES", 4)
    monkeypatch.setattr(first_days, "MOST_ROWS", 40)
    keys = [recorded(store, minute) for minute in range(9)]
    before = store.asked["get"]
    profile = profile_of_rows(store, keys, [], "them")
    assert (store.asked["get"] - before, profile.rows) == (3, 30)


def test_rows_without_a_column_to_watch_make_none(store: MemoryStore) -> None:
    with pytest.raises(InvalidInput, match=r"no column that is kept: name some in spec\.monitoring\.log\.columns"):
        profile_of_rows(store, [], [], "the first 2 days of loans-1")


def test_whole_numbers_of_several_columns_are_columns(store: MemoryStore) -> None:
    whole = {f"output.ids[{at}]": np.arange(20) for at in range(2)}
    profile = profile_of_rows(store, [recorded(store, 0, **whole)], [], "them")
    assert {"ids[0]", "ids[1]"} <= {one.name for one in profile.features}


def test_what_was_written_is_read_and_what_is_damaged_is_as_if_it_were_not_there(store: MemoryStore) -> None:
    assert learnt_profile(store, PLACE) is None
    profile = profile_of_rows(store, [recorded(store, 0)], [], "them")
    store.put(learnt_profile_key(*PLACE), profile.model_dump_json(by_alias=True).encode())
    assert learnt_profile(store, PLACE) == profile
    store.put(learnt_profile_key(*PLACE), b"{}")
    assert learnt_profile(store, PLACE) is None
