"""What counts as the same answer."""

import numpy as np
import pytest

from modelyard.builder.conversion import agreement


@pytest.mark.parametrize(("ours", "theirs"), [((2, 3), (2, 2)), ((3, 2), (2, 3))])
def test_answers_of_another_size_agree_nowhere(ours: tuple[int, ...], theirs: tuple[int, ...]) -> None:
    assert not agreement._alike(np.zeros(ours), np.zeros(theirs)).any()


def test_of_two_classes_that_are_equally_likely_either_may_be_said() -> None:
    tied = agreement._tied(np.array([[0.4, 0.2, 0.4], [0.4, 0.2, 0.4 - 1e-5], [0.2, 0.6, 0.2]]))

    assert tied.tolist() == [True, False, False]
    assert not agreement._tied(np.ones((2, 1))).any()
    assert not agreement._tied(np.ones((2, 3, 3))).any()


def test_rows_agree_when_every_output_does_and_none_is_missing() -> None:
    expected = {"y": np.array([1.0, 2.0]), "z": np.array([[1, 2], [3, 4]])}

    assert agreement.agreeing_rows({"y": np.array([1.0, 5.0]), "z": expected["z"]}, expected).tolist() == [True, False]
    assert agreement.agreeing_rows({"y": expected["y"]}, expected).tolist() == [False, False]


def test_a_truth_is_one_and_a_falsehood_zero() -> None:
    assert agreement._alike(np.array([1, 0, 1]), np.array([True, False, False])).tolist() == [True, True, False]
