"""Requests to replay come from the entry's evaluation set, else from the build's warm-up."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelyard.api.entry import EntryFile
from modelyard.builder.artifacts.publish import published
from modelyard.builder.artifacts.recorded_requests import requests, warmup_inputs
from modelyard.builder.triton.v2_http import encode
from modelyard.clients.store import S3Store
from modelyard.core.storage import keys
from modelyard.errors import CorruptEntry
from modelyard.registry.bucket import BucketRegistry
from tests.support.artifacts.entries import an_entry

DIGEST = "sha256:" + "ab" * 32
WARMUP = {"x": np.array([[0.5, 1.0]], "float32"), "word": np.array(["one"], dtype=object)}


def a_build(store: S3Store, batchable: bool = True, **source: Any) -> None:
    """A build of toy:1 that takes rows of two numbers."""
    report = {
        "format": 1, "digest": DIGEST, "model": "toy", "target": "cpu", "opset": 18, "files": [], "size": 0,
        "source": {"kind": "entry", "name": "toy", "version": "1", "digest": DIGEST, **source},
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}], "outputs": [],
        "batching": {"batchable": batchable, "reason": "", "maxBatchSize": 8},
        "proof": {"server": "", "loadSeconds": 0, "latencyMilliseconds": 0, "largestDifference": {}},
        "warmup": {}, "timings": {}, "builder": "", "created": "",
    }  # fmt: skip
    store.put(keys.build_report(DIGEST), json.dumps(report).encode())
    store.put(keys.build_warmup(DIGEST), encode(WARMUP).content)


def pushed(store: S3Store, folder: Path, rows: int) -> list[EntryFile]:
    """The entry toy:1 with an evaluation set of so many rows."""
    values = np.arange(2 * rows, dtype="float32").reshape(rows, 2)
    entry = an_entry(folder, arrays={"input:x": values, "output:y": 2 * values})
    return list(BucketRegistry(store).push(entry).entry.files)


def test_rows_of_the_evaluation_set_are_requests_spread_over_all_of_it(store: S3Store, tmp_path: Path) -> None:
    pushed(store, tmp_path / "toy", rows=8)
    a_build(store)

    found = requests(store, DIGEST, 4)

    assert [feed["x"].tolist() for feed in found.feeds] == [[[0, 1]], [[4, 5]], [[8, 9]], [[12, 13]]]
    assert found.origin == "rows of toy:1's eval.npz"


def test_rows_that_are_not_independent_stay_together(store: S3Store, tmp_path: Path) -> None:
    pushed(store, tmp_path / "toy", rows=8)
    a_build(store, batchable=False)

    assert requests(store, DIGEST, 1).feeds[0]["x"].shape == (8, 2)


def test_more_requests_than_rows_are_made_by_moving_numbers_a_little(store: S3Store, tmp_path: Path) -> None:
    pushed(store, tmp_path / "toy", rows=2)
    a_build(store)

    found = requests(store, DIGEST, 5)

    assert len({feed["x"].tobytes() for feed in found.feeds}) == 5
    assert found.feeds[4]["x"].dtype == np.float32
    assert found.feeds[2]["x"] == pytest.approx(found.feeds[0]["x"], rel=0.5)
    assert [feed["x"].tolist() for feed in requests(store, DIGEST, 5).feeds] == [f["x"].tolist() for f in found.feeds]


def test_without_an_evaluation_set_it_is_the_warm_up_and_copies_of_it(store: S3Store) -> None:
    a_build(store)

    found = requests(store, DIGEST, 3)

    assert found.feeds[0]["x"].tolist() == [[0.5, 1.0]]
    assert found.feeds[2]["word"].tolist() == ["one"]
    assert found.origin == "the build's warm-up request, and 2 copies of them with other values"


def test_what_cannot_be_moved_is_not_repeated(store: S3Store) -> None:
    a_build(store, kind="onnx")
    tokens = encode({"ids": np.array([[1, 2]], "int64")}).content
    store.put(keys.build_warmup(DIGEST), tokens)

    assert len(requests(store, DIGEST, 50).feeds) == 1


def test_a_damaged_evaluation_set_is_not_believed(store: S3Store, tmp_path: Path) -> None:
    pushed(store, tmp_path / "toy", rows=2)
    a_build(store)
    entry = BucketRegistry(store).resolve("toy", version="1")
    store.put(keys.entry_file("toy", "1", entry.digest, "eval.npz"), b"spoilt")

    with pytest.raises(CorruptEntry, match="not what was pushed"):
        requests(store, DIGEST, 2)


def test_a_build_without_a_warm_up_has_to_be_built_again(store: S3Store) -> None:
    with pytest.raises(CorruptEntry, match="build the entry again"):
        requests(store, DIGEST, 2)


def test_a_warm_up_with_raw_tensors_is_read_too() -> None:
    half = {"x": np.array([[1.5, np.inf]], "float16"), "word": np.array(["one"], dtype=object)}

    found = warmup_inputs(encode(half).content)

    assert found["x"].tolist() == [[1.5, np.inf]]
    assert found["x"].dtype == np.float16


DAMAGED = (b"", b"[]", b"{}", b'{"inputs": [1]}', b'{"inputs": {"x": 1}}', b'{"inputs": [{"name": "x"}]}', b"[" * 9000)


@pytest.mark.parametrize("body", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_warm_up_has_to_be_built_again(body: bytes) -> None:
    with pytest.raises(CorruptEntry, match="build the entry again"):
        warmup_inputs(body)


@pytest.mark.parametrize("cut", range(10, 150, 20))
def test_a_warm_up_cut_short_has_to_be_built_again(cut: int) -> None:
    whole = encode({"x": np.array([[1.5, np.inf]], "float16"), "word": np.array(["one"], dtype=object)}).content

    with pytest.raises(CorruptEntry):
        warmup_inputs(whole[:cut])


def test_a_damaged_entry_is_called_one(store: S3Store, tmp_path: Path) -> None:
    pushed(store, tmp_path / "toy", rows=2)
    a_build(store)
    store.put(keys.entry_manifest("toy", "1"), b'{"name": "toy"}')

    with pytest.raises(CorruptEntry, match="entry toy:1 is damaged; push a new version"):
        requests(store, DIGEST, 2)


def test_a_damaged_report_is_no_build(store: S3Store) -> None:
    a_build(store)
    assert published(store, DIGEST) is not None

    store.put(keys.build_report(DIGEST), b"{")

    assert published(store, DIGEST) is None
    assert len(requests(store, DIGEST, 1).feeds) == 1
