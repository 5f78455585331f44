import json
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest

from modelyard.core.storage.monitoring_keys import COUNTS, ROWS, MinuteKey
from modelyard.core.storage.object_store import Stored
from modelyard.errors import InvalidInput
from modelyard.records.parquet import from_parquet, to_parquet
from modelyard.records.recorded import (
    delete_rows,
    files_of,
    of_request,
    of_value,
    read_rows,
    refuse_unknown_column,
)

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
KEYS = [MinuteKey("demo", "loans", "loans-1", int(NOW.timestamp()) - 86_400 * days, "w").key(ROWS) for days in range(3)]


class Bucket:
    """A store in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def list(self, prefix: str) -> Iterator[Stored]:
        return iter([Stored(key, 1) for key in sorted(self.objects) if key.startswith(prefix)])

    def get(self, key: str) -> bytes | None:
        return self.objects.get(key)

    def put(self, key: str, content: bytes) -> None:
        self.objects[key] = content

    def delete(self, key: str) -> None:
        del self.objects[key]


def texts(*values: str) -> np.ndarray:
    return np.array(values, object)


@pytest.fixture
def bucket() -> Bucket:
    """Three days: Ada; Ada, as a hash, and Bob; a day without names. Counts and another Model beside."""
    made = Bucket()
    made.put(KEYS[0], to_parquet({"request_id": texts("r1"), "input.name": texts("Ada"), "input.age": np.array([31])}))
    made.put(KEYS[1], to_parquet({"request_id": texts("r2", "r3"), "input.name": texts("h(Ada)", "Bob")}))
    made.put(KEYS[2], to_parquet({"request_id": texts("r4"), "input.age": np.array([31], np.float32)}))
    made.put(KEYS[0].replace(ROWS, COUNTS), b"{}")
    made.put(KEYS[0].replace("/loans/", "/loans-2/"), made.objects[KEYS[0]])
    return made


def ids(bucket: Bucket) -> list[str]:
    return sorted(read_rows(bucket, list(files_of(bucket, "demo", "loans")))["request_id"].tolist())  # pyright: ignore


def stones(bucket: Bucket) -> list[dict[str, object]]:
    return [json.loads(content) for key, content in bucket.objects.items() if "/deleted/" in key]


def test_files_are_those_of_the_model_from_a_day_on(bucket: Bucket) -> None:
    assert set(files_of(bucket, "demo", "loans")) == set(KEYS)  # pyright: ignore
    assert set(files_of(bucket, "demo", "loans", "2026-11-28")) == set(KEYS[:2])  # pyright: ignore
    assert ids(bucket) == ["r1", "r2", "r3", "r4"]


def test_a_persons_rows_go_as_they_are_and_as_their_hash_and_nobody_elses(bucket: Bucket) -> None:
    deleted = delete_rows(bucket, "demo", "loans", of_value("name", "Ada", "h(Ada)"), "value of name", NOW)  # pyright: ignore
    assert deleted == (2, 2, 1)
    assert ids(bucket) == ["r3", "r4"]
    assert KEYS[0] not in bucket.objects
    assert from_parquet([bucket.objects[KEYS[1]]])["input.name"].tolist() == ["Bob"]
    assert KEYS[0].replace("/loans/", "/loans-2/") in bucket.objects
    assert stones(bucket) == [{"time": NOW.isoformat(), "by": "value of name", "rows": 2, "files": 2}]
    left = b"".join(content for key, content in bucket.objects.items() if "/loans/" in key)
    assert b"Ada" not in left


def test_the_rows_of_a_request_go(bucket: Bucket) -> None:
    assert delete_rows(bucket, "demo", "loans", of_request("r3"), "request id", NOW).rows == 1  # pyright: ignore
    assert ids(bucket) == ["r1", "r2", "r4"]
    assert "r3" not in json.dumps(stones(bucket))


@pytest.mark.parametrize(("value", "gone"), [("31", ["r1", "r4"]), ("31.0", ["r1", "r4"]), ("thirty", [])])
def test_numbers_are_found_however_they_are_written(bucket: Bucket, value: str, gone: list[str]) -> None:
    before = ids(bucket)
    delete_rows(bucket, "demo", "loans", of_value("age", value, "h"), "value of age", NOW)  # pyright: ignore
    assert sorted(set(before) - set(ids(bucket))) == gone


def test_where_nobody_is_meant_nothing_is_written(bucket: Bucket) -> None:
    before = dict(bucket.objects)
    deleted = delete_rows(bucket, "demo", "loans", of_request("r9"), "request id", NOW)  # pyright: ignore
    assert deleted == (0, 0, 3)
    assert bucket.objects == before


def test_a_column_that_no_row_has_is_refused_with_those_there_are(bucket: Bucket) -> None:
    refuse_unknown_column(bucket, KEYS, "name")  # pyright: ignore
    with pytest.raises(InvalidInput, match="no recorded row has a column customer: the columns are age, name"):
        refuse_unknown_column(bucket, KEYS, "customer")  # pyright: ignore
    with pytest.raises(InvalidInput, match="the columns are none"):
        refuse_unknown_column(bucket, [], "customer")  # pyright: ignore
