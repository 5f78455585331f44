import json
from typing import Any

import numpy as np
import pytest

from modelyard.core.storage.monitoring_keys import COUNTS, ROWS, MinuteKey
from modelyard.errors import Unreachable
from modelyard.recorder.minutes import Minutes, joined, write
from modelyard.recorder.recorder_metrics import RecorderMetrics
from modelyard.records.parquet import from_parquet

NOON = 1_764_417_600.0


class Bucket:
    """A store in memory; `away` is one that does not answer."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.away = False

    def put_if_absent(self, key: str, content: bytes) -> bool:
        if self.away:
            raise Unreachable("the store does not answer")
        if key in self.objects:
            return False
        self.objects[key] = content
        return True


@pytest.fixture
def metrics() -> RecorderMetrics:
    return RecorderMetrics()


def table(*values: float) -> dict[str, Any]:
    return {"input.x": np.array(values)}


def text_of(counts: Any) -> bytes:
    return json.dumps(counts).encode()


def test_a_minute_is_written_once_it_is_over(metrics: RecorderMetrics) -> None:
    minutes, bucket = Minutes("w", 10**6, metrics), Bucket()
    minutes.add("demo", "loans", "loans-1", NOON + 1, table(1, 2), 5)
    minutes.add("demo", "loans", "loans-1", NOON + 59.9, table(3), 6)
    minutes.add("demo", "loans", "loans-1", NOON + 60, table(4), 7)
    assert minutes.take(NOON + 59.9) == {}
    assert write(bucket, minutes.take(NOON + 60), metrics, text_of) == {}  # pyright: ignore
    key = MinuteKey("demo", "loans", "loans-1", int(NOON), "w")
    assert from_parquet([bucket.objects[key.key(ROWS)]])["input.x"].tolist() == [1, 2, 3]
    assert json.loads(bucket.objects[key.key(COUNTS)]) == 11
    assert len(bucket.objects) == 2
    assert b"modelyard_recorder_rows_total 3.0" in metrics.text()
    assert list(minutes.take(0, everything=True)) == [key._replace(minute=int(NOON) + 60)]


def test_what_the_store_did_not_take_waits_and_is_written_in_order(metrics: RecorderMetrics) -> None:
    minutes, bucket = Minutes("w", 10**6, metrics), Bucket()
    bucket.away = True
    minutes.add("demo", "loans", "loans-1", NOON, table(1), 1)
    left = write(bucket, minutes.take(NOON + 60), metrics, text_of)  # pyright: ignore
    minutes.add("demo", "loans", "loans-1", NOON + 2, table(2), 1)
    minutes.put_back(left)
    assert minutes.bytes == 16
    bucket.away = False
    assert write(bucket, minutes.take(NOON + 60), metrics, text_of) == {}  # pyright: ignore
    rows = next(content for key, content in bucket.objects.items() if key.endswith(ROWS))
    assert from_parquet([rows])["input.x"].tolist() == [1, 2]
    assert [content for key, content in bucket.objects.items() if key.endswith(COUNTS)] == [b"2"]


def test_without_room_the_oldest_minute_goes_and_is_counted(metrics: RecorderMetrics) -> None:
    minutes = Minutes("w", 40, metrics)
    for at in range(4):
        minutes.add("demo", "loans", "loans-1", NOON + 60 * at, table(at, at))
    assert minutes.bytes == 32
    assert [key.minute - NOON for key in minutes.take(0, everything=True)] == [120, 180]
    assert b'modelyard_recorder_rows_dropped_total{reason="NoRoom"} 4.0' in metrics.text()


def test_one_minute_may_be_larger_than_the_room(metrics: RecorderMetrics) -> None:
    minutes = Minutes("w", 1, metrics)
    minutes.add("demo", "loans", "loans-1", NOON, table(1))
    assert minutes.bytes == 8


def test_a_minute_that_is_there_is_not_replaced_and_its_rows_are_counted_as_lost(metrics: RecorderMetrics) -> None:
    bucket = Bucket()
    for value in (1, 2):
        minutes = Minutes("w", 10**6, metrics)
        minutes.add("demo", "loans", "loans-1", NOON, table(value))
        write(bucket, minutes.take(0, everything=True), metrics, text_of)  # pyright: ignore
    assert [from_parquet([content])["input.x"].tolist() for content in bucket.objects.values()] == [[1]]
    assert b'modelyard_recorder_rows_dropped_total{reason="Taken"} 1.0' in metrics.text()


def test_counts_alone_are_written_without_rows(metrics: RecorderMetrics) -> None:
    minutes, bucket = Minutes("w", 10**6, metrics), Bucket()
    minutes.add("demo", "loans", "loans-1", NOON, {}, 3)
    write(bucket, minutes.take(0, everything=True), metrics, text_of)  # pyright: ignore
    assert [key.rpartition(".counts")[1] for key in bucket.objects] == [".counts"]


def test_a_table_without_a_column_has_nulls_there() -> None:
    found = joined([{"a": np.array([1]), "t": np.array(["x"], object)}, {"a": np.array([2]), "b": np.array([0.5])}])
    assert found["a"].tolist() == [1, 2]
    assert found["b"].tolist() == [None, 0.5]
    assert found["t"].tolist() == ["x", None]
