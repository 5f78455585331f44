"""Two answers agree when every output does, and a disagreement is said in words."""

from typing import Any

import numpy as np
import pytest

from modelyard.api.rollout import Tolerance
from modelyard.clients.inference.agreement import differences

TOLERANCE = Tolerance(absolute=0.01, relative=0.1)


def of(stable: Any, candidate: Any, dtype: str = "float32") -> Any:
    """The difference of one output `y`."""
    pair = {"y": np.array(stable, dtype)}, {"y": np.array(candidate, dtype)}
    return differences(*pair, TOLERANCE)["y"]


@pytest.mark.parametrize(
    ("stable", "candidate", "agree"),
    [(1.0, 1.109, True), (1.0, 1.112, False), (0.0, 0.009, True), (0.0, 0.011, False), (-10.0, -10.9, True)],
)
def test_numbers_may_lie_apart_by_the_absolute_and_the_relative_part(
    stable: float, candidate: float, agree: bool
) -> None:
    assert (of([[stable]], [[candidate]]).why == "") is agree


def test_the_largest_differences_are_those_of_the_worst_values() -> None:
    found = of([[10.0, 0.0, 2.0]], [[11.0, 0.5, 2.0]])

    assert (found.absolute, found.relative) == (pytest.approx(1.0), pytest.approx(0.1))
    assert found.why == "y differs by up to 1"


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_agrees_with_its_like_alone(odd: float) -> None:
    assert of([[odd, 1.0]], [[odd, 1.0]]).why == ""
    assert of([[2.0, 1.0]], [[odd, 1.0]]).why == "1 of 2 values of y are NaN or infinite in one answer alone"
    assert of([[odd, 1.0]], [[2.0, 1.0]]).why != ""


def test_another_shape_or_datatype_is_a_disagreement() -> None:
    assert of([1.0, 2.0], [[1.0, 2.0]]).why == "y has shape [1, 2] instead of [2]"
    pair = {"y": np.ones(2, "float32")}, {"y": np.ones(2, "float64")}
    assert differences(*pair, TOLERANCE)["y"].why == "y holds float64 instead of float32"


@pytest.mark.parametrize(("dtype", "values"), [("int64", [1, 2, 3]), ("object", ["a", "b", "c"]), ("bool", [1, 0, 1])])
def test_anything_but_floats_agrees_when_it_is_equal(dtype: str, values: list[Any]) -> None:
    assert of(values, values, dtype).why == ""
    assert of(values, values[::-1][1:] + values[:1], dtype).why.endswith("of 3 values of y are not equal")


def test_an_output_of_one_answer_alone_is_a_disagreement() -> None:
    one, two = {"y": np.ones(1)}, {"z": np.ones(1)}

    found = differences(one, two, TOLERANCE)

    assert found["y"].why == "y is missing in the candidate's answer"
    assert found["z"].why == "z is in the candidate's answer alone"


def test_scores_of_classes_are_compared_by_the_largest() -> None:
    found = of([[0.1, 0.9], [0.6, 0.4]], [[0.2, 0.8], [0.3, 0.7]])

    assert (found.scored, found.same_top) == (2, 1)


@pytest.mark.parametrize("values", [[[0.5]], 0.5, [[0.0] * 1001]])
def test_what_does_not_look_like_scores_has_no_largest(values: Any) -> None:
    assert of(values, values).scored == 0
