"""An output of chance is proved by its kind: values say nothing."""

from typing import Any

import numpy as np
import pytest

from modelyard.builder.triton.smoke_test import require_plausible
from modelyard.errors import UnsupportedModel

LIKE = np.ones((1, 3), np.float32)


@pytest.mark.parametrize("answer", [LIKE * 7, np.ones((4, 9), np.float32)], ids=["other values", "another length"])
def test_another_draw_is_as_good(answer: Any) -> None:
    require_plausible("y", answer, LIKE)


def test_what_was_infinite_before_may_be_so_again() -> None:
    require_plausible("y", LIKE * np.nan, LIKE * np.inf)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (LIKE[0], "has 1 dimensions of float32"),
        (LIKE.astype(np.int64), "has 2 dimensions of int64"),
        (LIKE * np.nan, "is not finite"),
    ],
)
def test_another_kind_of_answer_is_refused(answer: Any, sentence: str) -> None:
    with pytest.raises(UnsupportedModel, match=f"Triton's output 'y' {sentence}, another than before; export"):
        require_plausible("y", answer, LIKE)
