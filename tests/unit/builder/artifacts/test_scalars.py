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


@pytest.mark.parametrize("listed", [False, True], ids=["a weight", "a weight that is listed as an input too"])
def test_a_constant_may_be_an_output(tmp_path: Path, listed: bool) -> None:
    """A version that the exporter wrote down, which other nodes may read as well."""
    proto = models.with_a_constant_output()
    proto.graph.node.append(models.helper.make_node("Mul", ["x", "version"], ["z"]))
    proto.graph.output.append(models.value("z", ("batch", 3)))
    if listed:
        proto.graph.input.append(models.value("version", ()))

    assert without_scalars(proto) == ["version"]

    y, version, z = answers(proto, tmp_path / "m.onnx", {"x": np.ones((1, 3), np.float32)})
    assert (y.tolist(), version.tolist(), z.tolist()) == ([[2, 2, 2]], [7], [[7, 7, 7]])


def test_a_scalar_output_that_declares_no_shape_is_known_by_its_name(tmp_path: Path) -> None:
    proto = models.scaled_by_scalar()
    proto.graph.output[1].type.tensor_type.ClearField("shape")

    assert without_scalars(proto, ["top"]) == ["rate", "top"]

    feed = {"x": np.ones((1, 3), np.float32), "rate": np.array([2], np.float32)}
    assert answers(proto, tmp_path / "m.onnx", feed)[1].tolist() == [2]
