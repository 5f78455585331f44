"""Calibration data: what is refused and with which words, and which samples are drawn."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelyard.builder.optimization.pass_api import EvaluationData
from modelyard.builder.optimization.passes import PASSES
from modelyard.builder.optimization.passes.calibration import feeds
from modelyard.errors import InvalidInput
from tests.support.artifacts.quantizable import convolving, evaluation_of, on_disk, perceptron

DEFAULTS: dict[str, Any] = {"rows": 128, "seed": 1, "calibration": None}
PATH = Path("model.onnx")


def given(**inputs: Any) -> EvaluationData:
    return EvaluationData(inputs, {}, None, "cosine")


def spoilt(row: int, value: float) -> np.ndarray:
    array = np.ones((4, 16), np.float32)
    array[row, 3] = value
    return array


@pytest.mark.parametrize(
    ("evaluation", "sentence"),
    [
        (given(x=np.ones((4, 3), np.float32)), "gives the input 'x' the shape [4, 3], the model takes [-1, 16]; give"),
        (given(x=np.ones((4, 16, 1), np.float32)), "the shape [4, 16, 1], the model takes [-1, 16]; give samples"),
        (
            given(x=spoilt(2, np.nan)),
            "has NaN or infinite numbers for the input 'x', first in row 2; remove or mend this",
        ),
        (given(x=spoilt(0, np.inf)), "first in row 0; remove or mend this row."),
        (given(x=np.full((4, 16), np.nan)), "remove or mend these 4 rows."),
        (given(z=np.ones((4, 16))), "has no array for the input 'x'; add input:x to it."),
        (given(x=np.ones((0, 16))), "has no samples for the input 'x'; add some rows."),
        (None, "nothing to calibrate with; add an eval.npz or name a calibration set."),
    ],
)
def test_data_that_cannot_calibrate_is_refused_with_what_to_do(
    evaluation: EvaluationData | None, sentence: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        feeds(perceptron(), PATH, evaluation, DEFAULTS)

    assert sentence in str(refused.value)


def test_a_calibration_set_of_its_own_is_named_in_the_refusal(tmp_path: Path) -> None:
    np.savez(tmp_path / "weekday.npz", **{"input:x": spoilt(1, np.nan)})

    with pytest.raises(InvalidInput, match=r"^weekday\.npz has NaN"):
        feeds(perceptron(), PATH, evaluation_of(perceptron()), DEFAULTS | {"calibration": tmp_path / "weekday.npz"})


def test_a_calibration_set_of_its_own_replaces_the_evaluation_set(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", **{"input:x": np.full((2, 16), 7, np.float32)})

    drawn = feeds(perceptron(), PATH, evaluation_of(perceptron()), DEFAULTS | {"calibration": tmp_path / "own.npz"})

    assert [feed["x"].tolist() for feed in drawn] == [[[7.0] * 16]] * 2


def test_one_sample_is_fed_at_a_time() -> None:
    drawn = feeds(perceptron(), PATH, evaluation_of(perceptron(), rows=5), DEFAULTS)

    assert [feed["x"].shape for feed in drawn] == [(1, 16)] * 5


def test_a_model_with_a_fixed_batch_is_fed_whole_batches() -> None:
    evaluation = evaluation_of(convolving(), rows=10)

    drawn = feeds(convolving(batch=4), PATH, evaluation, DEFAULTS)

    assert [feed["x"].shape for feed in drawn] == [(4, 1, 8, 8)] * 2


def test_fewer_rows_than_a_fixed_batch_are_refused() -> None:
    with pytest.raises(InvalidInput, match="has 3 rows and the model takes 4 at a time; give at least 4"):
        feeds(convolving(batch=4), PATH, evaluation_of(convolving(), rows=3), DEFAULTS)


def test_a_seed_draws_the_same_samples_again_and_another_draws_others() -> None:
    evaluation = evaluation_of(perceptron(), rows=64)

    def drawn(seed: int) -> list[bytes]:
        return [
            feed["x"].tobytes() for feed in feeds(perceptron(), PATH, evaluation, DEFAULTS | {"rows": 8, "seed": seed})
        ]

    assert len(drawn(1)) == 8
    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_numbers_take_the_type_of_the_model() -> None:
    drawn = feeds(perceptron(), PATH, given(x=np.ones((2, 16), np.float64)), DEFAULTS)

    assert drawn[0]["x"].dtype == np.float32


@pytest.mark.parametrize("name", [name for name, one in PASSES.items() if one.needs_data and "tensorrt" not in name])
def test_every_pass_that_calibrates_refuses_nan(name: str, tmp_path: Path) -> None:
    evaluation = replace(evaluation_of(perceptron()), inputs={"x": spoilt(1, np.nan)})

    with pytest.raises(InvalidInput, match="row 1"):
        PASSES[name].run(on_disk(perceptron(), tmp_path), tmp_path / "made", {}, evaluation)
