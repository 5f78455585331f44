import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest

from modelyard.api.monitoring.labels import AnswerLabel
from modelyard.errors import Unreachable
from modelyard.recorder.feedback import FeedbackEndpoint
from modelyard.recorder.label_batches import LabelBatches, write_labels
from modelyard.recorder.minutes import Minutes
from modelyard.recorder.process import Recorder, RecorderPorts
from modelyard.recorder.receiver import CaptureLimits, CapturePolicy, Receiver
from modelyard.recorder.recorder_metrics import RecorderMetrics
from modelyard.records.feedback.labels import labels_of
from modelyard.records.parquet import from_parquet

NOON = 1_764_417_600.0
PATIENCE = 60.0
"""Seconds that only a recorder which writes no more takes."""
KEY = "feedback/demo/loans/date=2025-11-29/120000000000-w.parquet"


class Bucket:
    """A store in memory; `away` does not answer, `deaf` writes and then does not answer; of its first calls so many as
    `faults` says raise what no store does."""

    def __init__(self, faults: int = 0) -> None:
        self.objects: dict[str, bytes] = {}
        self.away = self.deaf = False
        self.faults = faults

    def put_if_absent(self, key: str, content: bytes) -> bool:
        if self.faults:
            self.faults -= 1
            raise RuntimeError("a defect")
        if self.away:
            raise Unreachable("the store does not answer")
        made = self.objects.setdefault(key, content) is content
        if self.deaf:
            raise Unreachable("the store does not answer")
        return made

    def kept(self) -> list[AnswerLabel]:
        return labels_of(from_parquet(list(self.objects.values())))


def label(request: str, value: str = "1") -> AnswerLabel:
    return AnswerLabel(request, 0, "", value, NOON, NOON)


@pytest.fixture
def metrics() -> RecorderMetrics:
    return RecorderMetrics()


def written(bucket: Any, batches: LabelBatches, metrics: RecorderMetrics, moment: float) -> None:
    batches.put_back(write_labels(bucket, batches.take(moment), batches.writer, metrics))


def test_labels_of_a_minute_are_one_file_of_their_model(metrics: RecorderMetrics) -> None:
    batches, bucket = LabelBatches("w", 10**6), Bucket()
    assert batches.add("demo", "loans", [label("r1")], NOON)
    assert batches.add("demo", "loans", [label("r2"), label("r3")], NOON + 59)
    assert batches.add("demo", "cars", [label("r4")], NOON + 1)
    written(bucket, batches, metrics, NOON + 59.9)
    assert not bucket.objects
    written(bucket, batches, metrics, NOON + 60)
    assert list(bucket.objects) == [KEY]
    assert bucket.kept() == [label("r1"), label("r2"), label("r3")]
    written(bucket, batches, metrics, NOON + 61)
    assert len(bucket.objects) == 2
    assert batches.bytes == 0
    assert b'modelyard_recorder_labels_total{outcome="stored"} 4.0' in metrics.text()


def test_while_the_store_is_away_labels_wait_up_to_the_limit_and_then_none_is_taken(metrics: RecorderMetrics) -> None:
    batches, bucket = LabelBatches("w", 1000), Bucket()
    bucket.away = True
    assert batches.add("demo", "loans", [label("r1")], NOON)
    written(bucket, batches, metrics, NOON + 60)
    assert batches.add("demo", "loans", [label("r2")], NOON + 61)
    assert not batches.add("demo", "loans", [label("r3")], NOON + 62)
    taken = batches.take(NOON + 63)
    assert not batches.add("demo", "loans", [label("r3")], NOON + 63), "what is being written needs room, too"
    batches.put_back(taken)
    bucket.away = False
    written(bucket, batches, metrics, NOON + 121)
    assert [one.request_id for one in bucket.kept()] == ["r1", "r2"]
    assert batches.add("demo", "loans", [label("r3")], NOON + 122)


def test_labels_that_have_no_room_on_the_disk_wait_and_are_not_lost(
    metrics: RecorderMetrics, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    batches, bucket = LabelBatches("w", 10**6), Bucket()
    assert batches.add("demo", "loans", [label("r1")], NOON)
    with monkeypatch.context() as full:
        full.setattr(tempfile, "tempdir", str(tmp_path / "no-room"))
        written(bucket, batches, metrics, NOON + 60)
    assert not bucket.objects
    written(bucket, batches, metrics, NOON + 75)
    assert bucket.kept() == [label("r1")]


def test_an_answer_that_gets_lost_makes_no_second_file(metrics: RecorderMetrics) -> None:
    batches, bucket = LabelBatches("w", 10**6), Bucket()
    batches.add("demo", "loans", [label("r1")], NOON)
    bucket.deaf = True
    written(bucket, batches, metrics, NOON + 60)
    batches.add("demo", "loans", [label("r2")], NOON + 61)
    bucket.deaf = False
    written(bucket, batches, metrics, NOON + 62)
    assert list(bucket.objects) == [KEY]
    assert batches.bytes > 0
    assert [batch.labels for batch in batches.take(NOON, everything=True)] == [[label("r2")]]


def nobody(namespace: str, model: str) -> CapturePolicy | None:
    return None


def test_a_defect_in_one_minute_keeps_nobody_from_the_next_ones(metrics: RecorderMetrics) -> None:
    async def story() -> list[AnswerLabel]:
        bucket, batches, minutes = Bucket(faults=1), LabelBatches("w", 10**6), Minutes("w", 10**6, metrics)
        process = Recorder(
            Receiver(nobody, minutes, CaptureLimits(), metrics), minutes, FeedbackEndpoint(nobody, batches, metrics),
            bucket, metrics, lambda: "", lambda *_: 30, "127.0.0.1",  # pyright: ignore[reportArgumentType]
        )  # fmt: skip
        await process.start(RecorderPorts(0, 0, 0))
        batches.add("demo", "loans", [label("r1")], 0.0)
        while bucket.faults:
            await asyncio.sleep(0.05)
        batches.add("demo", "loans", [label("r2")], 0.0)
        while not bucket.objects:
            await asyncio.sleep(0.05)
        await process.finish(0.0)
        return bucket.kept()

    assert asyncio.run(asyncio.wait_for(story(), PATIENCE)) == [label("r2")]
