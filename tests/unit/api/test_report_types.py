"""A report is read by versions of Modelyard that did not write it."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from modelyard.api.report import Report
from tests.support.objects.reports import WRITTEN


def test_what_is_written_is_what_is_read() -> None:
    report = Report.model_validate(WRITTEN)

    again = json.loads(report.model_dump_json(by_alias=True, exclude_none=True, exclude_defaults=True))

    assert Report.model_validate(again) == report
    assert again["batching"]["maxBatchSize"] == 8


def test_a_field_of_a_newer_builder_is_passed_over() -> None:
    newer = {**WRITTEN, "speedup": 3.1, "proof": {**WRITTEN["proof"], "accelerator": "none"}}

    assert Report.model_validate(newer) == Report.model_validate(WRITTEN)


@pytest.mark.parametrize("change", [{"target": "tpu"}, {"batching": {**WRITTEN["batching"], "maxBatchSize": -1}}])
def test_a_report_that_contradicts_itself_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Report.model_validate({**WRITTEN, **change})


def test_an_optimization_is_told_in_short() -> None:
    told = {"goal": "size", "variant": "int8", "runtime": "onnxruntime", "reason": "It is the smallest.", "tried": 4}
    optimized = Report.model_validate({**WRITTEN, "optimization": {**told, "sizeRatio": 0.26, "hardware": "newer"}})

    again = json.loads(optimized.model_dump_json(by_alias=True, exclude_none=True))

    assert Report.model_validate(again) == optimized
    assert again["optimization"]["sizeRatio"] == 0.26
    assert Report.model_validate(WRITTEN).optimization is None
