"""The values of a column, whatever numpy or a file gave: one a row, a number or a text, or none.

| what is given | becomes |
|---|---|
| floats, integers, booleans | numbers; NaN and masked values are missing |
| text, bytes in UTF-8 | text; empty text, None and masked values are missing |
| anything else in a column of objects | invalid |
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelyard.errors import InvalidInput

HASH = re.compile("[0-9a-f]{32}")
"""What a recorder writes of a value that is hidden."""


@dataclass(frozen=True)
class ColumnValues:
    """Values of one feature: float64 with NaN, or an object array of str and None. `invalid` marks rows of neither."""

    name: str
    values: np.ndarray
    invalid: np.ndarray

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.values)

    @property
    def is_text(self) -> bool:
        """Whether the values are text."""
        return self.values.dtype == object

    def missing(self) -> np.ndarray:
        """Which rows have no value, and are not invalid."""
        gone = np.array([value is None for value in self.values], bool) if self.is_text else np.isnan(self.values)
        return gone & ~self.invalid

    def present(self) -> np.ndarray:
        """The values that are there."""
        return self.values[~self.missing() & ~self.invalid]


def column(name: str, values: Any) -> ColumnValues:
    """A column of what numpy or a file gave; raises InvalidInput when it is not one value a row."""
    array = values if np.ma.isMaskedArray(values) else _array(values)
    if array.ndim != 1:
        raise InvalidInput(f"{name!r} has {array.ndim} dimensions where one value a row is needed.")
    if array.dtype.kind in "fiub":
        return ColumnValues(name, np.ma.filled(array.astype(np.float64), np.nan), np.zeros(len(array), bool))
    if array.dtype.kind not in "OUS":
        raise InvalidInput(f"{name!r} holds {array.dtype}: numbers, booleans and text can be watched.")
    return _of_objects(name, array.tolist())


def _array(values: Any) -> Any:
    """What numpy makes of the values; objects where it can make nothing of them together."""
    try:
        return np.asarray(values)
    except ValueError:
        made = np.empty(len(values), object)
        made[:] = values
        return made


def empty(name: str, rows: int) -> ColumnValues:
    """A column of which no row has a readable value."""
    return ColumnValues(name, np.full(rows, np.nan), np.ones(rows, bool))


def as_kind(given: ColumnValues, *, text: bool) -> ColumnValues:
    """The column as the reference has it: numbers written as text are numbers, and whatever does not fit is invalid."""
    if given.is_text == text:
        return given
    missing = given.missing()
    if text:
        texts = [None if gone else _written(value) for value, gone in zip(given.values, missing, strict=True)]
        return ColumnValues(given.name, np.array(texts, object), given.invalid)
    numbers, invalid = np.full(given.rows, np.nan), given.invalid.copy()
    for at, value in enumerate(given.values):
        if missing[at] or invalid[at]:
            continue
        number = _number(value)
        invalid[at] = number is None
        numbers[at] = np.nan if number is None else number
    return ColumnValues(given.name, numbers, invalid)


def _of_objects(name: str, values: Sequence[Any]) -> ColumnValues:
    """A column of mixed objects: of numbers when none of them is text, else of text."""
    numbers = all(value is None or isinstance(value, int | float) for value in values)
    if numbers and any(value is not None for value in values):
        return ColumnValues(
            name, np.array([np.nan if v is None else float(v) for v in values]), np.zeros(len(values), bool)
        )
    made, invalid = np.empty(len(values), object), np.zeros(len(values), bool)
    for at, value in enumerate(values):
        text, invalid[at] = _text(value)
        made[at] = text
    return ColumnValues(name, made, invalid)


def _text(value: Any) -> tuple[str | None, bool]:
    """(text or None, whether it is invalid)."""
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            return None, True
    if isinstance(value, str):
        return value or None, False
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None, False
    return (_written(value), False) if isinstance(value, int | float) else (None, True)


def _written(number: float) -> str:
    """A number as a category is called: 3, not 3.0."""
    return str(int(number)) if float(number).is_integer() else repr(float(number))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def category_names(given: ColumnValues) -> np.ndarray:
    """What categories the values that are there are, as text."""
    present = given.present()
    if given.is_text:
        return present
    return np.array([_written(value) if math.isfinite(value) else str(value) for value in present], dtype=object)
