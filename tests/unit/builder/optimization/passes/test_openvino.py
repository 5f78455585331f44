"""OpenVINO IR: the same answers from another runtime, and its own int8."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelyard.builder.evaluation.metrics import quality
from modelyard.builder.inspection.openvino_library import openvino
from modelyard.builder.optimization.pass_api import Precision
from modelyard.builder.optimization.passes import PASSES
from modelyard.errors import UnsupportedModel
from tests.support.artifacts import onnx_models
from tests.support.artifacts.quantizable import (
    CPU,
    GPU,
    answers,
    attending,
    convolving,
    evaluation_of,
    on_disk,
    perceptron,
)

NETWORKS = {"perceptron": perceptron, "convolving": convolving, "attending": attending}


@pytest.mark.parametrize("network", NETWORKS)
def test_ir_answers_as_the_model_did(network: str, tmp_path: Path) -> None:
    proto = NETWORKS[network]()
    evaluation = evaluation_of(proto)

    made = PASSES["openvino"].run(on_disk(proto, tmp_path), tmp_path / "made", {}, None)

    assert (made.kind, made.path.name, made.precision) == ("openvino", "model.xml", Precision.FP32)
    assert sorted(file.name for file in made.path.parent.iterdir()) == ["model.bin", "model.xml"]
    found = answers(made, evaluation.inputs)
    for name, expected in evaluation.outputs.items():
        np.testing.assert_allclose(found[name], expected, atol=1e-4)


def test_half_precision_halves_the_weights(tmp_path: Path) -> None:
    source = on_disk(perceptron(inner=512), tmp_path)

    full = PASSES["openvino"].run(source, tmp_path / "full", {}, None)
    half = PASSES["openvino-fp16"].run(source, tmp_path / "half", {}, None)

    def weights(made: Any) -> int:
        return made.path.with_suffix(".bin").stat().st_size

    assert weights(half) < 0.55 * weights(full)
    assert half.precision is Precision.FP16


def test_int8_keeps_the_classes(tmp_path: Path) -> None:
    proto = convolving()
    evaluation = evaluation_of(proto)

    made = PASSES["openvino-int8"].run(on_disk(proto, tmp_path), tmp_path / "made", {"ranges": "widest"}, evaluation)

    assert quality(evaluation, answers(made, evaluation.inputs)) >= 0.95
    graph = openvino().Core().read_model(str(made.path))
    assert "FakeQuantize" in {node.get_type_name() for node in graph.get_ops()}
    assert (made.kind, made.precision) == ("openvino", Precision.INT8)


def test_a_model_it_cannot_read_is_refused_in_one_line(tmp_path: Path) -> None:
    source = on_disk(onnx_models.with_unknown_operator(), tmp_path)

    with pytest.raises(UnsupportedModel, match="OpenVINO cannot read this model") as refused:
        PASSES["openvino"].run(source, tmp_path / "made", {}, None)

    assert "\n" not in str(refused.value)
    assert "Frobnicate" in str(refused.value)


@pytest.mark.parametrize("name", ["openvino", "openvino-fp16", "openvino-int8"])
def test_it_is_not_tried_for_a_gpu(name: str, tmp_path: Path) -> None:
    source, evaluation = on_disk(perceptron(), tmp_path), evaluation_of(perceptron())

    assert PASSES[name].applies(source, CPU, evaluation) is None
    assert PASSES[name].applies(source, GPU, evaluation) == (
        "OpenVINO is tried for CPUs only, and this model is for an NVIDIA GPU."
    )
