"""The input example of a logged model as rows to prove its conversion on."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelyard.mlflow_sync.input_example import example_rows

TABLE, ARRAYS = {"type": "dataframe", "pandas_orient": "split"}, {"type": "ndarray"}


def rows(info: dict[str, Any], example: Any, folder: Path) -> Path | None:
    return example_rows(info, json.dumps(example).encode(), folder)


def test_a_table_keeps_its_columns_texts_and_gaps(tmp_path: Path) -> None:
    data = [[20.5, "0150", None, True], [float("nan"), 'a "b", c', 3, False]]

    path = rows(TABLE, {"columns": ["age", "zip", "rooms", "owner"], "data": data}, tmp_path)

    assert path == tmp_path / "input_example.csv"
    assert [*csv.reader(path.read_text().splitlines())] == [
        ["age", "zip", "rooms", "owner"], ["20.5", "0150", "", "1"], ["", 'a "b", c', "3", "0"],
    ]  # fmt: skip


def test_an_array_is_the_input_and_several_are_inputs_by_name(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    one, several = rows(ARRAYS, [[1.0, 2.0], [3.0, 4.0]], tmp_path / "one"), rows(ARRAYS, {"x": [[1, 2]]}, tmp_path)

    assert one is not None
    assert several is not None
    with np.load(one) as first, np.load(several) as second:
        assert first["input"].tolist() == [[1.0, 2.0], [3.0, 4.0]]
        assert second["x"].tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("info", "content"),
    [
        (TABLE, b"{"),
        pytest.param(TABLE, b"[" * 100_000, id="nested without end"),
        (TABLE, b'{"data": [[1]]}'),
        (TABLE, b'{"columns": ["a"], "data": []}'),
        (TABLE, b'{"columns": ["a"], "data": [[1, 2]]}'),
        (TABLE, b'{"columns": ["a"], "data": [[{"deep": 1}]]}'),
        (TABLE, b"[1]"),
        (ARRAYS, b"[[1], [1, 2]]"),
        (ARRAYS, b"{}"),
        (ARRAYS, b"3"),
        ({"type": "sparse_matrix_csr"}, b"{}"),
        ({}, b"[[1]]"),
    ],
)
def test_what_is_no_rows_is_left(info: dict[str, Any], content: bytes, tmp_path: Path) -> None:
    assert example_rows(info, content, tmp_path) is None
    assert list(tmp_path.iterdir()) == []
