"""Times of rows as minutes since the epoch: ISO 8601 text (UTC where no zone is said), or seconds since the epoch."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from modelyard.errors import InvalidInput

from .values import ColumnValues

_LARGEST = 253_402_300_799.0
"""Seconds of the last moment of the year 9999."""


def minutes_of(given: ColumnValues, place: str) -> Any:
    """The minute of each row as whole numbers; `place` is the file's name. Raises InvalidInput for what is no time."""
    if given.is_text:
        return np.array([_minute(value, given.name, place, at) for at, value in enumerate(given.values)], np.int64)
    if np.isnan(given.values).any() or (given.values < 0).any() or (given.values > _LARGEST).any():
        raise InvalidInput(f"{place}: {given.name!r} is to hold seconds since 1970 in every row.")
    return (given.values // 60).astype(np.int64)


def _minute(text: str | None, name: str, place: str, row: int) -> int:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError as bad:
        raise InvalidInput(
            f"{place}, row {row + 1}: {text!r} in {name!r} is no time; write it as 2026-11-29T10:00:00Z."
        ) from bad
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() // 60)
