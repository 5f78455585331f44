"""Labelled answers of two revisions, as they are written and read."""

import json

import pytest
from pydantic import ValidationError

from modelyard.api.monitoring.comparison import LabelledComparison, LabelledUnit

KNOWN = {"stable": "a-0", "candidate": "a-1", "since": "2026-11-29T09:00:00Z", "time": "2026-11-29T10:00:00Z"}


def test_units_are_written_as_short_lists_and_read_again() -> None:
    unit = LabelledUnit(3, 4, 1.5, 2, 0.5)
    made = LabelledComparison.model_validate({**KNOWN, "units": [unit]})
    text = made.model_dump_json(by_alias=True, exclude_defaults=True)
    assert json.loads(text)["units"] == [[3, 4, 1.5, 2, 0.5]]
    assert LabelledComparison.model_validate_json(text) == made
    assert unit.difference == pytest.approx(0.125)


@pytest.mark.parametrize("unit", [[0, 0, 0, 1, 0], [0, 1, 0, 0, 0], [0, 1, 2, 1, 0], [0, 1, 0, 1, 2], [0, 1, -1, 1, 0]])
def test_units_that_cannot_be_are_refused(unit: list[float]) -> None:
    with pytest.raises(ValidationError):
        LabelledComparison.model_validate({**KNOWN, "units": [unit]})
