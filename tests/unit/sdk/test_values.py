"""What people have becomes what a model takes, and answers come back in the same kind; the rest is refused."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelyard.clients.inference.predictions import Description, TensorSpec
from modelyard.errors import InvalidInput
from modelyard.sdk.values import given

ROWS = Description("rows", (TensorSpec("x", "FP32", (-1, 2)),), (TensorSpec("y", "FP32", (-1, 2)),))
PEOPLE = Description(
    "people",
    (TensorSpec("age", "FP32", (-1, 1)), TensorSpec("city", "BYTES", (-1, 1)), TensorSpec("children", "INT64", (-1,))),
    (TensorSpec("label", "BYTES", (-1,)), TensorSpec("score", "FP32", (-1, 2))),
)
PERSON = {"age": 31, "city": "Köln", "children": 2}
ANSWER = {"label": np.array([b"yes", b"no"], dtype=object), "score": np.array([[1, 2], [3, 4]], "f4")}


def test_an_array_is_the_one_input_and_an_array_comes_back() -> None:
    understood = given(np.array([[1.5, 2]]), ROWS)

    assert understood.arrays["x"].dtype == np.float32
    answer = understood.written({"y": np.array([[3, 4]], "f4")})
    assert isinstance(answer, np.ndarray)
    assert answer.tolist() == [[3, 4]]


def test_several_outputs_of_one_input_are_a_dict() -> None:
    assert list(given(np.zeros((2, 2)), ROWS).written(ANSWER)) == ["label", "score"]


def test_a_nested_list_comes_back_as_a_list() -> None:
    understood = given([[1, 2], [3, 4]], ROWS)

    assert understood.arrays["x"].tolist() == [[1, 2], [3, 4]]
    assert understood.written({"y": np.array([[3, 4]], "f4")}) == [[3, 4]]


def test_a_dict_of_lists_and_one_of_arrays_come_back_as_they_are() -> None:
    lists = {"age": [31, 40], "city": ["Köln", "Bonn"], "children": [2, 0]}
    arrays = {name: np.array(values) for name, values in lists.items()}

    assert given(lists, PEOPLE).written(ANSWER) == {"label": ["yes", "no"], "score": [[1, 2], [3, 4]]}
    assert given(lists, PEOPLE).arrays["city"].tolist() == [["Köln".encode()], [b"Bonn"]]
    answer = given(arrays, PEOPLE).written(ANSWER)
    assert answer["label"].tolist() == ["yes", "no"]
    assert answer["score"].dtype == np.float32


def test_rows_come_back_as_rows() -> None:
    understood = given([{**PERSON, "more": 1}, {**PERSON, "age": 40}], PEOPLE)

    assert understood.arrays["age"].tolist() == [[31], [40]]
    assert understood.written(ANSWER) == [{"label": "yes", "score": [1, 2]}, {"label": "no", "score": [3, 4]}]


def test_a_frame_gives_each_input_its_column_and_keeps_its_index() -> None:
    frame = pd.DataFrame(
        {
            "children": pd.array([2, 0], dtype="Int64"),
            "city": pd.Categorical(["Köln", "Bonn"]),
            "age": [31.5, None],
            "unused": [1, 2],
        },
        index=["a", "b"],
    )

    understood = given(frame, PEOPLE)

    assert understood.arrays["children"].tolist() == [2, 0]
    assert understood.arrays["city"].tolist() == [["Köln".encode()], [b"Bonn"]]
    assert np.isnan(understood.arrays["age"][1, 0])
    answer = understood.written(ANSWER)
    assert list(answer.columns) == ["label", "score_0", "score_1"]
    assert list(answer.index) == ["a", "b"]
    assert answer.loc["b", "label"] == "no"


def test_a_frame_without_the_inputs_name_is_the_rows_of_the_one_input() -> None:
    frame = pd.DataFrame({"width": [1, 2], "height": [0.5, None]})

    assert given(frame, ROWS).arrays["x"][0].tolist() == [1, 0.5]
    answer = given(frame, ROWS).written({"y": np.zeros((2, 1)), "map": np.zeros((2, 3, 4))})
    assert list(answer.columns) == ["y", "map"]
    assert answer["map"][0].shape == (3, 4)


def test_text_that_is_no_utf_8_stays_bytes() -> None:
    assert given([[1, 2]], ROWS).written({"y": np.array([b"\xff", "text"], dtype=object)}) == [b"\xff", "text"]


NO_INPUTS = Description("none", (), ())
MISTAKES: dict[str, tuple[Any, Description, str]] = {
    "a text": ("rows", ROWS, "str is no kind of values: give a numpy array"),
    "an array for several": (np.zeros(3), PEOPLE, "people takes 3 inputs: give a dict with age, city, children"),
    "an array for none": (np.zeros(3), NO_INPUTS, "none takes no inputs"),
    "another name": ({"age": [1], "town": ["x"]}, PEOPLE, "people does not take 'town': it takes age, city, children"),
    "too few names": ({"age": [1]}, PEOPLE, "there is no 'city', which people takes; given is age"),
    "no names": ({}, PEOPLE, "there is no 'age', which people takes; given is nothing"),
    "a row without": ([PERSON, {"age": 1, "children": 1}], PEOPLE, "row 1 has no 'city'"),
    "a column without": (pd.DataFrame({"age": [1]}), PEOPLE, "there is no 'city'"),
    "a column twice": (
        pd.DataFrame([[1, 2, "x", 3]], columns=["age", "age", "city", "children"]),
        PEOPLE,
        "two columns 'age'",
    ),
    "a missing whole number": (
        pd.DataFrame({"age": [1.0], "city": ["x"], "children": pd.array([None], dtype="Int64")}),
        PEOPLE,
        "input 'children' takes INT64 values: null is no value",
    ),
    "a frame of nothing": (pd.DataFrame(index=[0, 1]), ROWS, "takes an array of any x 2"),
    "too wide": (np.zeros((1, 3)), ROWS, "takes an array of any x 2; given is 1 x 3"),
    "words": ([["a", "b"]], ROWS, "input 'x' takes FP32 values: 'a' is no number"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_does_not_fit_is_refused_with_what_would(mistake: str) -> None:
    values, model, sentence = MISTAKES[mistake]

    with pytest.raises(InvalidInput, match=sentence):
        given(values, model)


@pytest.mark.parametrize("values", [pd.DataFrame([[1, 2], [3, 4]]), [{"x": [1, 2]}, {"x": [3, 4]}]])
def test_an_output_without_a_value_for_each_row_cannot_come_back_as_rows(values: Any) -> None:
    with pytest.raises(InvalidInput, match=r"y has shape \[3\], which is not a value for each of 2 rows: give a dict"):
        given(values, ROWS).written({"y": np.zeros(3)})
