"""Why a pass does not apply: each reason as a sentence that says what is, and what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from modelyard.builder.optimization.pass_api import ModelArtifact, Precision
from modelyard.builder.optimization.passes import PASSES
from tests.support.artifacts import onnx_models
from tests.support.artifacts.quantizable import CPU, convolving, evaluation_of, on_disk, perceptron

CALIBRATED = [name for name, one in PASSES.items() if one.needs_data and "tensorrt" not in name]
LOWERING = [name for name, one in PASSES.items() if one.precision is not Precision.FP32 and one.name not in ("bf16",)]
ON_CPUS = [name for name in PASSES if "tensorrt" not in name and name != "bf16"]


def aged(opset: int) -> Any:
    proto = perceptron()
    proto.opset_import[0].version = opset
    return proto


def classic() -> Any:
    proto = onnx_models.doubling()
    proto.graph.node[0].op_type, proto.graph.node[0].domain = "Scaler", "ai.onnx.ml"
    return proto


@pytest.mark.parametrize("name", CALIBRATED)
def test_calibration_needs_data(name: str, tmp_path: Path) -> None:
    reason = PASSES[name].applies(on_disk(perceptron(), tmp_path), CPU, None)

    assert reason == "it needs real inputs to calibrate with; add an eval.npz beside the model."


@pytest.mark.parametrize(
    ("name", "proto", "sentence"),
    [
        ("int8-static", onnx_models.doubling, "the model has no MatMul, Gemm or Conv with constant weights"),
        ("int8-nncf", onnx_models.doubling, "the model has no MatMul, Gemm or Conv with constant weights"),
        ("int8-dynamic", convolving, None),
        ("int8-dynamic", onnx_models.looking_up, "the model has no MatMul or Gemm with constant weights"),
        ("int4-weights", onnx_models.doubling, "the model has no MatMul or Gemm with constant weights"),
        ("fp16", onnx_models.doubling, "with constant weights, so there is nothing to gain."),
        ("int8-static", lambda: aged(11), "the model has opset 11, and it needs 13; export it again."),
        ("int8-dynamic", lambda: aged(12), "the model has opset 12, and it needs 13; export it again."),
        ("int8-weights", lambda: aged(9), "the model has opset 9, and it needs 13; export it again."),
        ("openvino", classic, "OpenVINO has no Scaler; it reads neural networks, not classic models."),
    ],
)
def test_a_model_it_is_not_for(name: str, proto: Callable[[], Any], sentence: str | None, tmp_path: Path) -> None:
    evaluation = evaluation_of(perceptron())

    reason = PASSES[name].applies(on_disk(proto(), tmp_path), CPU, evaluation)

    assert (reason is None) if sentence is None else (reason is not None and sentence in reason)


@pytest.mark.parametrize("name", [name for name in LOWERING if name in ON_CPUS and not name.startswith("openvino-fp")])
def test_a_precision_is_not_lowered_twice(name: str, tmp_path: Path) -> None:
    half = PASSES["fp16"].run(on_disk(perceptron(), tmp_path), tmp_path / "half", {}, None)

    reason = PASSES[name].applies(half, CPU, evaluation_of(perceptron()))

    assert reason == "the model is in fp16 already; it needs the original in fp32."


@pytest.mark.parametrize("name", ["int8-static", "int8-nncf", "int8-dynamic", "int4-weights", "fp16"])
def test_a_graph_that_somebody_quantized_is_left_alone(name: str, tmp_path: Path) -> None:
    evaluation = evaluation_of(perceptron())
    made = PASSES["int8-static"].run(on_disk(perceptron(), tmp_path), tmp_path / "made", {}, evaluation)
    found = on_disk(onnx.load(str(made.path)), tmp_path / "found")

    reason = PASSES[name].applies(found, CPU, evaluation)

    assert reason is not None
    assert "it is quantized already; start from the float model." in reason


@pytest.mark.parametrize("name", ON_CPUS)
def test_openvino_ir_is_the_end_of_a_chain(name: str, tmp_path: Path) -> None:
    ir = ModelArtifact(tmp_path / "model.xml", "openvino", Precision.FP32)

    assert PASSES[name].applies(ir, CPU, evaluation_of(perceptron())) == (
        "it rewrites ONNX graphs, and this model is OpenVINO IR by now."
    )


@pytest.mark.parametrize("name", [name for name in ON_CPUS if name != "fuse"])
def test_an_ordinary_network_is_welcome(name: str, tmp_path: Path) -> None:
    assert PASSES[name].applies(on_disk(perceptron(), tmp_path), CPU, evaluation_of(perceptron())) is None
