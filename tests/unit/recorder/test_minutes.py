import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelyard.api.monitoring.counts import MinuteCounts
from modelyard.api.monitoring.profile import FeatureProfile, ReferenceProfile
from modelyard.core.storage.monitoring_keys import COUNTS, ROWS, MinuteKey
from modelyard.errors import Unreachable
from modelyard.recorder.minutes import Minutes, RecordedRows, joined, write
from modelyard.recorder.recorder_metrics import RecorderMetrics
from modelyard.records.parquet import from_parquet

NOON = 1_764_417_600.0
X = FeatureProfile(
    name="x", column="x", role="input", kind="number", rows=4, missing=0, low=0, high=9, edges=(5.0,), bins=(2, 2)
)
PROFILE = ReferenceProfile(source="eval.npz of loans:1", rows=4, features=(X,))


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


def rows(*values: float, profile: ReferenceProfile | None = None, share: int = 1) -> RecordedRows:
    features = {"x": np.array(values)} if profile else {}
    return RecordedRows(len(values), {"input.x": np.array(values)}, features, profile, share)


def test_a_minute_is_written_once_it_is_over(metrics: RecorderMetrics) -> None:
    minutes, bucket = Minutes("w", 10**6, metrics), Bucket()
    minutes.add("demo", "loans", "loans-1", NOON + 1, rows(1, 2))
    minutes.add("demo", "loans", "loans-1", NOON + 59.9, rows(3))
    minutes.add("demo", "loans", "loans-1", NOON + 60, rows(4))
    assert minutes.take(NOON + 59.9) == {}
    assert write(bucket, minutes.take(NOON + 60), metrics) == {}  # pyright: ignore
    key = MinuteKey("demo", "loans", "loans-1", int(NOON), "w")
    assert list(bucket.objects) == [key.key(ROWS)]
    assert from_parquet([bucket.objects[key.key(ROWS)]])["input.x"].tolist() == [1, 2, 3]
    assert b"modelyard_recorder_rows_total 3.0" in metrics.text()
    assert list(minutes.take(0, everything=True)) == [key._replace(minute=int(NOON) + 60)]


def test_a_minute_that_has_no_room_on_the_disk_waits_and_is_not_lost(
    metrics: RecorderMetrics, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    minutes, bucket = Minutes("w", 10**6, metrics), Bucket()
    minutes.add("demo", "loans", "loans-1", NOON, rows(1, 2))
    with monkeypatch.context() as full:
        full.setattr(tempfile, "tempdir", str(tmp_path / "no-room"))
        minutes.put_back(write(bucket, minutes.take(NOON + 60), metrics))  # pyright: ignore
    assert not bucket.objects
    assert write(bucket, minutes.take(NOON + 75), metrics) == {}  # pyright: ignore
    assert len(bucket.objects) == 1


def test_a_minute_is_counted_by_the_newest_reference(metrics: RecorderMetrics) -> None:
    minutes, bucket = Minutes("w", 10**6, metrics), Bucket()
    minutes.add("demo", "loans", "loans-1", NOON, rows(1))
    minutes.add("demo", "loans", "loans-1", NOON, rows(1, profile=PROFILE.model_copy()))
    minutes.add("demo", "loans", "loans-1", NOON, rows(1, 7, 12, profile=PROFILE, share=16))
    minutes.add("demo", "loans", "loans-1", NOON, rows(np.nan, profile=PROFILE, share=16))
    write(bucket, minutes.take(0, everything=True), metrics)  # pyright: ignore
    [text] = [content for key, content in bucket.objects.items() if key.endswith(COUNTS)]
    counts = MinuteCounts.model_validate_json(text)
    assert (counts.minute, counts.requests, counts.share) == (int(NOON) // 60, 2, 1 / 16)
    x = counts.features["x"]
    assert (x.rows, x.missing, x.invalid, x.outside, x.bins) == (4, 1, 0, 1, (1, 2))


def test_a_feature_that_requests_lack_is_invalid_in_all_of_its_minute(metrics: RecorderMetrics) -> None:
    minutes, bucket = Minutes("w", 10**6, metrics), Bucket()
    minutes.add("demo", "loans", "loans-1", NOON, RecordedRows(2, {}, {}, PROFILE))
    write(bucket, minutes.take(0, everything=True), metrics)  # pyright: ignore
    [(key, text)] = bucket.objects.items()
    assert key.endswith(COUNTS)
    x = MinuteCounts.model_validate_json(text).features["x"]
    assert (x.rows, x.invalid) == (2, 2)


def test_what_the_store_did_not_take_waits_and_is_written_in_order(metrics: RecorderMetrics) -> None:
    minutes, bucket = Minutes("w", 10**6, metrics), Bucket()
    bucket.away = True
    minutes.add("demo", "loans", "loans-1", NOON, rows(1))
    left = write(bucket, minutes.take(NOON + 60), metrics)  # pyright: ignore
    minutes.add("demo", "loans", "loans-1", NOON + 2, rows(2))
    minutes.put_back(left)
    assert minutes.bytes == 16
    bucket.away = False
    assert write(bucket, minutes.take(NOON + 60), metrics) == {}  # pyright: ignore
    assert [from_parquet([content])["input.x"].tolist() for content in bucket.objects.values()] == [[1, 2]]


def test_without_room_the_oldest_minute_goes_and_is_counted(metrics: RecorderMetrics) -> None:
    minutes = Minutes("w", 40, metrics)
    for at in range(4):
        minutes.add("demo", "loans", "loans-1", NOON + 60 * at, rows(at, at))
    assert minutes.bytes == 32
    assert [key.minute - NOON for key in minutes.take(0, everything=True)] == [120, 180]
    assert b'modelyard_recorder_rows_dropped_total{reason="NoRoom"} 4.0' in metrics.text()


def test_one_minute_may_be_larger_than_the_room(metrics: RecorderMetrics) -> None:
    minutes = Minutes("w", 1, metrics)
    minutes.add("demo", "loans", "loans-1", NOON, rows(1))
    assert minutes.bytes == 8


def test_a_minute_that_is_there_is_not_replaced_and_its_rows_are_counted_as_lost(metrics: RecorderMetrics) -> None:
    bucket = Bucket()
    for value in (1, 2):
        minutes = Minutes("w", 10**6, metrics)
        minutes.add("demo", "loans", "loans-1", NOON, rows(value))
        write(bucket, minutes.take(0, everything=True), metrics)  # pyright: ignore
    assert [from_parquet([content])["input.x"].tolist() for content in bucket.objects.values()] == [[1]]
    assert b'modelyard_recorder_rows_dropped_total{reason="Taken"} 1.0' in metrics.text()


def test_a_table_without_a_column_has_nulls_there() -> None:
    tables: list[Any] = [
        {"a": np.array([1]), "t": np.array(["x"], object)}, {"a": np.array([2]), "b": np.array([0.5])}
    ]  # fmt: skip
    found = joined(tables)
    assert found["a"].tolist() == [1, 2]
    assert found["b"].tolist() == [None, 0.5]
    assert found["t"].tolist() == ["x", None]
