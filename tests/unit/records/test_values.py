"""Values of a column, whatever they came as."""

import numpy as np
import pytest

from modelyard.errors import InvalidInput
from modelyard.records.values import as_kind, category_names, column, empty


def told(values: object) -> tuple[list[object], list[bool], list[bool]]:
    made = column("x", values)
    return made.values.tolist(), made.missing().tolist(), made.invalid.tolist()


def test_numbers_have_nan_where_there_is_none() -> None:
    assert told([1, 2])[0] == [1.0, 2.0]
    assert told(np.array([True, False]))[0] == [1.0, 0.0]
    assert told(np.array([1.5, np.nan], np.float16))[1] == [False, True]
    assert told([1, None])[1] == [False, True]
    assert told(np.ma.masked_values([1, 2], 2))[1] == [False, True]


def test_text_has_none_where_it_is_empty() -> None:
    assert told(["a", "", None])[1] == [False, True, True]
    assert told(np.array([b"a", "é".encode(), b"\xff"], object)) == (
        ["a", "é", None], [False, False, False], [False, False, True],
    )  # fmt: skip
    assert told(np.ma.array(["a", "b"], mask=[False, True], dtype=object))[1] == [False, True]
    assert told(["a", float("nan"), 3, 2.5, [1]]) == (
        ["a", None, "3", "2.5", None], [False, True, False, False, False], [False] * 4 + [True],
    )  # fmt: skip


def test_a_column_of_nothing_is_missing_throughout() -> None:
    assert told([None, None])[1] == [True, True]
    assert empty("x", 2).invalid.tolist() == [True, True]
    assert empty("x", 2).missing().tolist() == [False, False]
    assert empty("x", 2).present().tolist() == []


@pytest.mark.parametrize("values", [np.zeros((2, 2)), np.array([1j]), np.array(["2026-01-01"], "M8[D]"), 3])
def test_what_cannot_be_watched_is_refused(values: object) -> None:
    with pytest.raises(InvalidInput, match="'x'"):
        column("x", values)


def test_numbers_written_as_text_are_numbers_where_the_reference_has_some() -> None:
    made = as_kind(column("x", ["1", "2.5", None, "many"]), text=False)
    assert made.values.tolist()[:2] == [1.0, 2.5]
    assert (made.missing().tolist(), made.invalid.tolist()) == ([False, False, True, False], [False] * 3 + [True])
    kept = column("x", ["1", [2]])
    assert as_kind(kept, text=False).invalid.tolist() == [False, True]


def test_numbers_are_text_where_the_reference_has_text() -> None:
    assert as_kind(column("x", [1.0, 2.5, None]), text=True).values.tolist() == ["1", "2.5", None]
    same = column("x", ["a"])
    assert as_kind(same, text=True) is same


def test_a_number_is_called_as_people_write_it() -> None:
    assert category_names(column("x", [3.0, -1.0, 0.5, np.inf, np.nan])).tolist() == ["3", "-1", "0.5", "inf"]
    assert category_names(column("x", ["a", None])).tolist() == ["a"]
