"""What the chart lets a recorder do in the store, tried on a real one: its own prefixes, builds to read, no more."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from modelyard.api.monitoring.labels import AnswerLabel
from modelyard.clients.store import S3Store
from modelyard.core.storage.keys import build_profile
from modelyard.core.storage.monitoring_keys import ROWS, MinuteKey
from modelyard.errors import Refused
from modelyard.recorder.label_batches import LabelBatches, write_labels
from modelyard.recorder.recorder_metrics import RecorderMetrics
from modelyard.recorder.retention import sweep
from modelyard.records.parquet import to_parquet
from tests.support.recording.store_identities import stores_of

pytestmark = pytest.mark.integration
NOW = datetime.now(UTC)
DIGEST = "sha256:" + "3" * 64


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[S3Store, S3Store]]:
    """The bucket as an admin and as a recorder reach it."""
    with stores_of(tmp_path_factory.mktemp("store"), "recorder") as stores:
        yield stores


def key_of(days_ago: int) -> str:
    return MinuteKey("demo", "loans", "loans-1", int((NOW - timedelta(days=days_ago)).timestamp()), "w").key(ROWS)


def test_a_recorder_writes_a_minute_once_and_sweeps_what_is_over(
    stores: tuple[S3Store, S3Store], tmp_path: Path
) -> None:
    admin, recorder = stores
    before = [stored.key for stored in admin.list("")]
    rows = to_parquet({"x": np.array([1])})
    assert [recorder.put_if_absent(key_of(0), rows) for _ in range(2)] == [True, False]
    assert recorder.put_if_absent(key_of(40), rows)
    assert sweep(recorder, NOW.date(), lambda *_: 30) == 1
    assert [stored.key for stored in admin.list("")] == sorted([*before, key_of(0)])
    batches = LabelBatches("w", 10**6)
    batches.add("demo", "loans", [AnswerLabel("r1", 0, "", "1", 1.0, 1.0)], (NOW - timedelta(days=40)).timestamp())
    assert write_labels(recorder, batches.take(0, everything=True), "w", RecorderMetrics()) == []
    assert len(list(admin.list("feedback/demo/loans/"))) == 1
    assert sweep(recorder, NOW.date(), lambda *_: 30) == 1


def test_a_recorder_reads_builds_and_can_do_nothing_else(stores: tuple[S3Store, S3Store]) -> None:
    admin, recorder = stores
    admin.put(build_profile(DIGEST), b"{}")
    admin.put("registry/digits/1/entry.json", b"{}")
    assert recorder.get(build_profile(DIGEST)) == b"{}"
    assert recorder.get(build_profile(DIGEST.replace("3", "4"))) is None
    for forbidden in (
        lambda: recorder.put(build_profile(DIGEST), b"other"),
        lambda: recorder.get("registry/digits/1/entry.json"),
        lambda: recorder.put("registry/digits/1/entry.json", b"other"),
        lambda: recorder.delete("registry/digits/1/entry.json"),
        lambda: list(recorder.list("registry/")),
    ):
        with pytest.raises(Refused):
            forbidden()
    assert admin.get(build_profile(DIGEST)) == admin.get("registry/digits/1/entry.json") == b"{}"
