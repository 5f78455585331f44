"""Rows for networks: arrays by name, a table for a matrix, and a few at a time where the model wants that."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelyard.builder.conversion.frameworks.programs.chunks import CHUNK, in_chunks
from modelyard.builder.conversion.frameworks.tensors import MOST, share_of, tensor_rows
from modelyard.builder.inspection.graph import Graph, Port
from modelyard.errors import InvalidInput

MATRIX = Port("x", "FP32", ("batch", 3))
MASK = Port("mask", "BOOL", ("batch",))


def graph(*inputs: Port) -> Graph:
    return Graph(inputs, (Port("y", "FP32", ("batch", 1)),), 18, ())


def saved(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "rows.npz", **arrays)
    return folder / "rows.npz"


def test_arrays_are_taken_by_name_and_cast(tmp_path: Path) -> None:
    sample = saved(tmp_path, **{"input:x": np.ones((4, 3)), "mask": np.array([1, 0, 1, 1])})

    rows = tensor_rows(graph(MATRIX, MASK), None, sample)

    assert rows is not None
    assert {name: (array.dtype, array.shape) for name, array in rows.arrays.items()} == {
        "x": (np.float32, (4, 3)), "mask": (np.bool_, (4,)),
    }  # fmt: skip
    assert (rows.count, rows.chunk, rows.source) == (4, 4, "rows.npz")


def test_the_only_array_is_for_the_only_input(tmp_path: Path) -> None:
    rows = tensor_rows(graph(MATRIX), None, saved(tmp_path, pictures=np.ones((300, 3))))

    assert rows is not None
    assert rows.arrays["x"].shape == (300, 3)
    assert rows.chunk == MOST


def test_a_table_of_as_many_columns_is_a_matrix(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b,c\n1,2,3\n4,5,6\n")

    rows = tensor_rows(graph(MATRIX), None, tmp_path / "rows.csv")

    assert rows is not None
    assert rows.arrays["x"].tolist() == [[1, 2, 3], [4, 5, 6]]


def test_a_fixed_batch_is_kept_and_what_is_left_over_not_asked(tmp_path: Path) -> None:
    fixed = graph(Port("x", "FP32", (2, 3)))

    rows = tensor_rows(fixed, None, saved(tmp_path, x=np.arange(15).reshape(5, 3)))

    assert rows is not None
    assert (rows.count, rows.chunk, len(rows.arrays["x"])) == (4, 2, 4)
    with pytest.raises(InvalidInput, match="has 1 rows, and the model takes 2 at a time"):
        tensor_rows(fixed, None, saved(tmp_path, x=np.ones((1, 3))))


def test_an_evaluation_set_may_have_other_things(tmp_path: Path) -> None:
    assert tensor_rows(graph(MATRIX, MASK), saved(tmp_path, other=np.ones(3)), None) is None

    rows = tensor_rows(
        graph(MATRIX), saved(tmp_path, **{"input:x": np.ones((2, 3)), "output:y": np.ones((2, 1))}), None
    )

    assert rows is not None
    assert rows.source == "its eval.npz"


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"x": np.ones((2, 3))}, r"the model takes mask BOOL\[-1\], and .* has no such array"),
        ({"x": np.ones((2, 5)), "mask": np.ones(2)}, r"takes x FP32\[-1, 3\], and .* has one of shape \[2, 5\]"),
        ({"x": np.ones((2, 3)), "mask": np.ones(3)}, "needs as many rows"),
    ],
    ids=["one missing", "another shape", "another number of rows"],
)
def test_a_sample_that_does_not_fit_is_told_how(arrays: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        tensor_rows(graph(MATRIX, MASK), None, saved(tmp_path, **arrays))


def test_a_table_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a\n1\n")

    with pytest.raises(InvalidInput, match=r"takes x FP32\[-1, 3, 8, 8\], which rows\.csv cannot hold: give an \.npz"):
        tensor_rows(graph(Port("x", "FP32", ("batch", 3, 8, 8))), None, tmp_path / "rows.csv")


def test_all_rows_are_asked_a_few_at_a_time_and_counted(tmp_path: Path) -> None:
    rows = tensor_rows(graph(MATRIX), None, saved(tmp_path, x=np.arange(900.0).reshape(300, 3)))
    assert rows is not None
    sizes: list[int] = []

    def ask(part: Any) -> dict[str, Any]:
        sizes.append(len(part["x"]))
        return {"y": part["x"].sum(axis=1)}

    expected = in_chunks({**rows.arrays, CHUNK: np.array(rows.chunk)}, ask)
    wrong = {"y": np.where(np.arange(300) < 3, -1.0, expected["y"])}

    assert sizes == [256, 44]
    assert share_of(ask, rows, expected) == 1.0
    assert share_of(ask, rows, wrong) == 0.99
    assert share_of(ask, rows, {**expected, "z": np.ones(300)}) == 0.0
