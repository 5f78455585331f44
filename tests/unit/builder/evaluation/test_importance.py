"""How much each input moves the outputs."""

from itertools import count
from typing import Any

import numpy as np
import pytest

from modelyard.builder.evaluation.importance import FEWEST, importances

CHANCE = np.random.default_rng(1)
ROWS = CHANCE.normal(size=(200, 3)).astype(np.float32)


def linear(feed: dict[str, Any]) -> dict[str, Any]:
    """Three times the first, once the second, the third not at all."""
    x = feed["x"]
    return {"y": 3.0 * x[:, 0] + x[:, 1], "label": (x[:, 0] > 0).astype(np.int64)}


def test_what_moves_the_outputs_more_weighs_more_and_all_together_one() -> None:
    found = importances({"x": ROWS}, linear)
    assert list(found) == ["x[0]", "x[1]", "x[2]"]
    assert found["x[0]"] > 3 * found["x[1]"] > 0.0 == found["x[2]"]
    assert sum(found.values()) == pytest.approx(1.0, abs=0.001)
    assert importances({"x": ROWS}, linear) == found


def test_a_wide_tensor_is_one_question_for_all_its_columns() -> None:
    wide = CHANCE.normal(size=(50, 100)).astype(np.float32)
    found = importances({"image": wide, "x": ROWS[:50]}, lambda feed: {"y": feed["image"].mean(1) + feed["x"][:, 0]})
    assert found["image.norm"] == found["image.brightness"] > 0.0
    assert found["x[1]"] == 0.0


@pytest.mark.parametrize(
    ("rows", "run"),
    [
        (ROWS[: FEWEST - 1], linear),
        (ROWS, lambda feed: {"y": np.zeros(len(feed["x"]), np.float32)}),
        (ROWS, lambda feed: {"y": np.zeros((len(feed["x"]), 0), np.float32), "n": np.zeros(0, np.int64)}),
    ],
)
def test_where_nothing_is_to_be_told_nothing_is(rows: Any, run: Any) -> None:
    assert importances({"x": rows}, run) == {}


def test_a_model_that_is_too_slow_is_not_asked() -> None:
    ticks, asked = count(), []

    def slow(feed: dict[str, Any]) -> dict[str, Any]:
        asked.append(len(feed["x"]))
        return linear(feed)

    assert importances({"x": ROWS}, slow, seconds=1.0, clock=lambda: float(next(ticks))) == {}
    assert asked == [FEWEST]
