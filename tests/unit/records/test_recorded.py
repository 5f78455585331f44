import json
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest

from modelyard.api.monitoring.labels import AnswerLabel
from modelyard.core.storage.monitoring_keys import COUNTS, ROWS, MinuteKey, feedback_key
from modelyard.core.storage.object_store import Stored
from modelyard.errors import InvalidInput
from modelyard.recorder.redaction import hashes, hashes_of_text, model_key
from modelyard.records.feedback.labels import labels_of, to_file
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

    def replace(self, key: str, before: bytes | None, content: bytes) -> bool:
        if self.objects.get(key) != before:
            return False
        self.put(key, content)
        return True

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
    deleted = delete_rows(bucket, "demo", "loans", of_value("name", "Ada", ["h(Ada)"]), "value of name", NOW)  # pyright: ignore
    assert deleted == (2, 2, 1, 0)
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
    delete_rows(bucket, "demo", "loans", of_value("age", value, ["h"]), "value of age", NOW)  # pyright: ignore
    assert sorted(set(before) - set(ids(bucket))) == gone


def test_numbers_of_which_only_hashes_are_there_are_found_however_they_are_written(bucket: Bucket) -> None:
    key = model_key(b"secret", "demo", "loans")
    ages = hashes(np.array([31, 32], np.float32), key)
    bucket.put(KEYS[2], to_parquet({"request_id": texts("r5", "r6"), "input.age": ages}))

    delete_rows(bucket, "demo", "loans", of_value("age", "31", hashes_of_text("31", key)), "value of age", NOW)  # pyright: ignore

    assert ids(bucket) == ["r2", "r3", "r6"]


def test_where_nobody_is_meant_nothing_is_written(bucket: Bucket) -> None:
    before = dict(bucket.objects)
    deleted = delete_rows(bucket, "demo", "loans", of_request("r9"), "request id", NOW)  # pyright: ignore
    assert deleted == (0, 0, 3, 0)
    assert bucket.objects == before


def test_a_column_that_no_row_has_is_refused_with_those_there_are(bucket: Bucket) -> None:
    refuse_unknown_column(bucket, KEYS, "name")  # pyright: ignore
    with pytest.raises(InvalidInput, match="no recorded row has a column customer: the columns are age, name"):
        refuse_unknown_column(bucket, KEYS, "customer")  # pyright: ignore
    with pytest.raises(InvalidInput, match="the columns are none"):
        refuse_unknown_column(bucket, [], "customer")  # pyright: ignore


def labelled(bucket: Bucket, **requests: str) -> str:
    """The key of a file of labels by request id."""
    key = feedback_key("demo", "loans", "2026-11-29", "-".join(requests))
    bucket.put(key, to_file([AnswerLabel(request, 0, "", label, 1.0, 1.0) for request, label in requests.items()]))
    return key


def requests_of(bucket: Bucket, key: str) -> list[str]:
    return [label.request_id for label in labels_of(from_parquet([bucket.objects[key]]))]


def test_labels_go_with_the_rows_of_a_request_or_a_person(bucket: Bucket) -> None:
    both, alone, others = labelled(bucket, r1="1", r3="0"), labelled(bucket, r2="1"), labelled(bucket, r4="1", r9="1")
    by_name = delete_rows(bucket, "demo", "loans", of_value("name", "Ada", ["h(Ada)"]), "value of name", NOW)  # pyright: ignore
    assert (by_name.rows, by_name.labels, by_name.files) == (2, 2, 4)
    assert alone not in bucket.objects
    assert requests_of(bucket, both) == ["r3"]
    by_id = delete_rows(bucket, "demo", "loans", of_request("r9"), "request id", NOW)  # pyright: ignore
    assert (by_id.rows, by_id.labels) == (0, 1)
    assert requests_of(bucket, others) == ["r4"]
    assert sorted(stone["labels"] for stone in stones(bucket)) == [1]  # the second stone is of the same moment
    assert not any(b"r9" in content for content in bucket.objects.values())


def test_a_row_of_a_request_takes_the_labels_of_that_row_alone() -> None:
    bucket = Bucket()
    rows = {"request_id": texts("r1", "r1"), "row": np.array([0, 1], np.int32), "input.name": texts("Ada", "Bob")}
    bucket.put(KEYS[0], to_parquet(rows))
    key = feedback_key("demo", "loans", "2026-11-29", "a")
    bucket.put(key, to_file([AnswerLabel("r1", row, "", "1", 1.0, 1.0) for row in (0, 1)]))
    assert delete_rows(bucket, "demo", "loans", of_value("name", "Bob", []), "value of name", NOW).labels == 1  # pyright: ignore
    assert [label.row for label in labels_of(from_parquet([bucket.objects[key]]))] == [0]


def test_what_another_deletion_takes_out_meanwhile_does_not_come_back(bucket: Bucket) -> None:
    people = {"request_id": texts("r5", "r6", "r7"), "input.name": texts("Cleo", "Dan", "Eve")}
    bucket.put(KEYS[2], to_parquet(people))
    read = bucket.get

    def meanwhile(key: str) -> bytes | None:
        content = read(key)
        if key == KEYS[2]:
            bucket.get = read  # type: ignore[method-assign]
            delete_rows(bucket, "demo", "loans", of_request("r6"), "request id", NOW)  # pyright: ignore
        return content

    bucket.get = meanwhile  # type: ignore[method-assign]
    delete_rows(bucket, "demo", "loans", of_request("r5"), "request id", NOW)  # pyright: ignore

    assert from_parquet([bucket.objects[KEYS[2]]])["input.name"].tolist() == ["Eve"]


def test_a_file_of_labels_that_goes_meanwhile_is_no_fault(bucket: Bucket) -> None:
    key = labelled(bucket, r1="1")
    bucket.get = lambda asked: None if asked == key else bucket.objects.get(asked)  # type: ignore[method-assign]
    assert delete_rows(bucket, "demo", "loans", of_request("r1"), "request id", NOW).labels == 0  # pyright: ignore
