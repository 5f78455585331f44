"""Scalars become one-element tensors, and the answers stay what they were."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from modelyard.builder.artifacts.scalars import without_scalars
from tests.support.artifacts import onnx_models as models


def answers(proto: Any, path: Path, feed: dict[str, Any]) -> list[Any]:
    models.saved(proto, path)
    return ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, feed)


def test_scalar_inputs_and_outputs_are_served_with_one_element(tmp_path: Path) -> None:
    proto, x = models.scaled_by_scalar(), np.array([[1, 2, 3]], np.float32)
    before = answers(proto, tmp_path / "before.onnx", {"x": x, "rate": np.array(2, np.float32)})

    assert without_scalars(proto) == ["rate", "top"]

    onnx.checker.check_model(proto, full_check=True)
    after = answers(proto, tmp_path / "after.onnx", {"x": x, "rate": np.array([2], np.float32)})
    assert np.array_equal(after[0], before[0])
    assert after[1].shape == (1,)
    assert after[1][0] == before[1]


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_scalars_used_inside_branches_are_found(tmp_path: Path, flip: float) -> None:
    proto = models.choosing()
    before = answers(
        proto, tmp_path / "before.onnx", {"flip": np.array(flip, np.float32), "gain": np.array(-3, np.float32)}
    )

    without_scalars(proto)

    one = {"flip": np.array([flip], np.float32), "gain": np.array([-3], np.float32)}
    assert answers(proto, tmp_path / "after.onnx", one)[0].tolist() == [before[0]]


def test_a_model_without_scalars_is_left_alone() -> None:
    proto = models.summing()
    before = proto.SerializeToString()

    assert without_scalars(proto) == []
    assert proto.SerializeToString() == before
