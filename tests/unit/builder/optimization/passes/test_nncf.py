"""NNCF on ONNX: calibrated integers in the form that is fast, and a promise about quality."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from modelyard.builder.evaluation.metrics import quality
from modelyard.builder.optimization.pass_api import EvaluationData, ModelArtifact, Precision
from modelyard.builder.optimization.passes import PASSES
from modelyard.errors import UnsupportedModel
from tests.support.artifacts.quantizable import (
    CPU,
    answers,
    attending,
    constants,
    convolving,
    evaluation_of,
    on_disk,
    operators,
    outlying,
)


def judged(
    name: str, proto: Any, evaluation: EvaluationData, folder: Path, **params: Any
) -> tuple[ModelArtifact, float]:
    made = PASSES[name].run(on_disk(proto, folder), folder / "made", params, evaluation)
    return made, quality(evaluation, answers(made, evaluation.inputs))


def test_a_transformer_keeps_its_answers(tmp_path: Path) -> None:
    proto = attending()

    made, cosine = judged("int8-nncf", proto, evaluation_of(proto, rows=32, metric="cosine"), tmp_path)

    assert cosine > 0.99
    assert made.precision is Precision.INT8


def test_activations_are_unsigned_and_tables_are_read_by_rows(tmp_path: Path) -> None:
    proto = attending()
    made, _ = judged("int8-nncf", proto, evaluation_of(proto, rows=32, metric="cosine"), tmp_path)

    model, stored = onnx.load(str(made.path)), constants(made)
    zeros = {stored[node.input[2]].dtype for node in model.graph.node if node.op_type == "QuantizeLinear"}
    assert zeros == {np.dtype(np.uint8)}
    looked_up = {node.input[0] for node in model.graph.node if node.op_type == "Gather"}
    assert np.dtype(np.int8) in {stored[name].dtype for name in looked_up}


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    proto = convolving()
    evaluation = evaluation_of(proto)

    first, second = (judged("int8-nncf", proto, evaluation, tmp_path / place, rows=16)[0] for place in "ab")

    assert {n: a.tobytes() for n, a in constants(first).items()} == {
        n: a.tobytes() for n, a in constants(second).items()
    }


def test_the_widest_ranges_lose_no_outliers(tmp_path: Path) -> None:
    proto = convolving()
    evaluation = evaluation_of(proto)

    mean = judged("int8-nncf", proto, evaluation, tmp_path / "mean")[0]
    widest = judged("int8-nncf", proto, evaluation, tmp_path / "widest", ranges="widest")[0]

    def worst(made: ModelArtifact) -> float:
        return float(np.abs(answers(made, evaluation.inputs)["logits"] - evaluation.outputs["logits"]).max())

    assert worst(widest) < worst(mean)


def half_outlying() -> Any:
    """A layer that int8 ruins, and beside it one that it does not."""
    proto = outlying()
    last = proto.graph.node[-1]
    weight = np.random.default_rng(1).normal(0, 0.3, (4, 4)).astype(np.float32)
    proto.graph.initializer.append(numpy_helper.from_array(weight, "more"))
    proto.graph.node.insert(
        len(proto.graph.node) - 1, onnx.helper.make_node("MatMul", [last.input[0], "more"], ["mixed"], name="mixed")
    )
    proto.graph.node[-1].input[0] = "mixed"
    del proto.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(proto)


def test_accuracy_control_returns_only_guilty_layers_to_floats(tmp_path: Path) -> None:
    proto = half_outlying()
    evaluation = evaluation_of(proto)
    ruined, before = judged("int8-nncf", proto, evaluation, tmp_path / "all", ranges="widest")

    kept, after = judged("int8-nncf-accuracy", proto, evaluation, tmp_path / "some", ranges="widest")

    assert before < 0.9
    assert after >= 0.99
    assert 0 < operators(kept).count("QuantizeLinear") < operators(ruined).count("QuantizeLinear")


def test_accuracy_control_gives_up_when_every_layer_costs_too_much(tmp_path: Path) -> None:
    proto = outlying()

    with pytest.raises(UnsupportedModel, match=r"every layer in int8 costs more than 1\.0% of the quality"):
        judged("int8-nncf-accuracy", proto, evaluation_of(proto), tmp_path)


def test_accuracy_control_needs_outputs_to_judge_by(tmp_path: Path) -> None:
    proto = convolving()
    blind = EvaluationData(evaluation_of(proto).inputs, {}, None, "cosine")
    reason = PASSES["int8-nncf-accuracy"].applies(on_disk(proto, tmp_path), CPU, blind)

    assert reason == "it needs expected outputs to judge by; add output arrays to eval.npz."


def test_nothing_is_reported_to_the_makers(tmp_path: Path) -> None:
    program = (
        "from modelyard.builder.inspection.openvino_library import openvino; openvino().Core()\n"
        "from modelyard.builder.optimization.passes.nncf_library import nncf; nncf(1)\n"
        "from nncf.telemetry import telemetry; print(type(telemetry).__name__)"
    )
    environment = {name: text for name, text in os.environ.items() if name not in ("NNCF_CI", "NNCF_DEV", "CI")}
    command = [sys.executable, "-c", program]

    told = subprocess.run(
        command, capture_output=True, text=True, env=environment | {"HOME": str(tmp_path)}, check=True
    )

    assert told.stdout.strip() == "MagicMock"  # their own stand-in; NNCFTelemetry would send
    assert [*tmp_path.iterdir()] == []  # no client id
