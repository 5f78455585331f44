import numpy as np
import pytest

from modelyard.records.columns import MOST_COLUMNS, columns_of, names_of, rows_of


def test_one_value_a_row_is_a_column_of_the_tensors_name() -> None:
    columns = columns_of({"age": np.array([[31.0], [64.0]]), "job": np.array(["a", "b"], object)}, 2)
    assert {name: values.tolist() for name, values in columns.items()} == {"age": [31.0, 64.0], "job": ["a", "b"]}


def test_several_values_a_row_are_numbered_in_the_order_of_memory() -> None:
    columns = columns_of({"x": np.arange(8).reshape(2, 2, 2)}, 2)
    assert {name: values.tolist() for name, values in columns.items()} == {
        "x[0]": [0, 4], "x[1]": [1, 5], "x[2]": [2, 6], "x[3]": [3, 7],
    }  # fmt: skip


def test_an_image_is_its_norm_its_brightness_and_its_length() -> None:
    columns = columns_of({"image": np.full((1, 10, 10), 3, np.uint8)}, 1)
    assert {name: values.tolist() for name, values in columns.items()} == {
        "image.norm": [30.0], "image.brightness": [3.0], "image.length": [100],
    }  # fmt: skip


def test_many_words_are_their_number() -> None:
    columns = columns_of({"words": np.full((2, MOST_COLUMNS + 1), "a", object)}, 2)
    assert {name: values.tolist() for name, values in columns.items()} == {"words.length": [MOST_COLUMNS + 1] * 2}


@pytest.mark.parametrize("width", [0, 1, 7])
def test_a_sequence_of_any_length_has_the_same_columns(width: int) -> None:
    columns = columns_of({"ids": np.ones((2, width), np.int64)}, 2, dynamic={"ids"})
    assert list(columns) == ["ids.norm", "ids.brightness", "ids.length"]
    assert columns["ids.length"].tolist() == [width, width]


def test_rows_are_what_every_input_has_in_dimension_0() -> None:
    assert rows_of({"a": np.zeros((3, 2)), "b": np.zeros(3)}) == 3
    assert rows_of({"a": np.zeros((3, 2)), "b": np.zeros(2)}) == 1
    assert rows_of({"a": np.zeros(())}) == 1
    assert rows_of({"a": np.zeros((0, 2))}) == 0
    assert rows_of({}) == 0


def test_an_output_without_the_inputs_rows_belongs_to_none() -> None:
    outputs = {"sum": np.zeros(1), "each": np.zeros((2, 1))}
    assert list(columns_of(outputs, 2)) == ["each"]
    assert list(columns_of({"state": np.zeros((2, 3))}, 1)) == [f"state[{at}]" for at in range(6)]


@pytest.mark.parametrize(
    ("datatype", "shape"), [("FP32", ()), ("FP32", (5,)), ("FP32", (8, 8)), ("FP32", (65,)), ("BYTES", (65,))]
)
def test_names_are_known_before_a_tensor_is_there(datatype: str, shape: tuple[int, ...]) -> None:
    array = np.zeros((2, *shape), object if datatype == "BYTES" else np.float32)
    assert names_of("x", datatype, shape) == tuple(columns_of({"x": array}, 2))


def test_names_of_a_sequence_are_those_of_its_summary() -> None:
    assert names_of("ids", "INT64", (-1,)) == tuple(columns_of({"ids": np.zeros((1, 3))}, 1, dynamic={"ids"}))
