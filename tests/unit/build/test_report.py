"""`report.json` outlives the builder that wrote it."""

from typing import Any

import pytest
from pydantic import ValidationError

from modelyard.api.report import Report

WRITTEN: dict[str, Any] = {
    "format": 1,
    "digest": "sha256:" + "0" * 64,
    "model": "toy",
    "source": {"kind": "entry", "name": "toy", "version": "1", "digest": "sha256:" + "1" * 64},
    "target": "cpu",
    "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}],
    "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 3]}],
    "opset": 18,
    "batching": {"batchable": True, "reason": "tried", "maxBatchSize": 64},
    "proof": {"server": "Triton", "loadSeconds": 1, "latencyMilliseconds": 2, "largestDifference": {"y": 0}},
    "warmup": {"path": "warmup.json"},
    "files": [{"path": "toy/config.pbtxt", "size": 3, "sha256": "2" * 64}],
    "size": 3,
    "timings": {"proof": 1.5},
    "builder": "0.1.0",
    "created": "2026-01-01T00:00:00+00:00",
}


def test_a_report_is_read_as_it_was_written() -> None:
    report = Report.model_validate(WRITTEN)

    assert report.batching.max_batch_size == 64
    assert (report.quality, report.warmup.header_length) == (None, None)
    assert Report.model_validate_json(report.model_dump_json(by_alias=True, exclude_none=True)) == report


def test_what_a_newer_builder_adds_does_not_hide_the_rest() -> None:
    newer = {**WRITTEN, "variants": ["int8"], "proof": {**WRITTEN["proof"], "watts": 3}}

    assert Report.model_validate(newer) == Report.model_validate(WRITTEN)


def test_a_report_without_its_proof_is_none() -> None:
    with pytest.raises(ValidationError, match="proof"):
        Report.model_validate({key: value for key, value in WRITTEN.items() if key != "proof"})
