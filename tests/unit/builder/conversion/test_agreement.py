"""What counts as the same answer."""

import numpy as np
import pytest

from modelyard.builder.conversion import agreement


@pytest.mark.parametrize(("ours", "theirs"), [((2, 3), (2, 2)), ((3, 2), (2, 3))])
def test_answers_of_another_size_agree_nowhere(ours: tuple[int, ...], theirs: tuple[int, ...]) -> None:
    assert not agreement._alike(np.zeros(ours), np.zeros(theirs)).any()


def test_a_truth_is_one_and_a_falsehood_zero() -> None:
    assert agreement._alike(np.array([1, 0, 1]), np.array([True, False, False])).tolist() == [True, True, False]
