"""`report.json` outlives the builder that wrote it."""

import pytest
from pydantic import ValidationError

from modelyard.api.report import Report
from tests.support.objects.reports import WRITTEN


def test_a_report_is_read_as_it_was_written() -> None:
    report = Report.model_validate(WRITTEN)

    assert report.batching.max_batch_size == 8
    assert (report.quality, report.warmup.header_length) == (None, None)
    assert Report.model_validate_json(report.model_dump_json(by_alias=True, exclude_none=True)) == report


def test_what_a_newer_builder_adds_does_not_hide_the_rest() -> None:
    newer = {**WRITTEN, "variants": ["int8"], "proof": {**WRITTEN["proof"], "watts": 3}}

    assert Report.model_validate(newer) == Report.model_validate(WRITTEN)


def test_a_report_without_its_proof_is_none() -> None:
    with pytest.raises(ValidationError, match="proof"):
        Report.model_validate({key: value for key, value in WRITTEN.items() if key != "proof"})
