"""Rewrites of structure: the same answers from a smaller or better fused graph."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from modelyard.builder.optimization.pass_api import Precision
from modelyard.builder.optimization.passes import PASSES
from modelyard.errors import InvalidSettings, UnsupportedModel
from tests.support.artifacts import onnx_models
from tests.support.artifacts.quantizable import (
    CPU,
    GPU,
    answers,
    attending,
    constants,
    convolving,
    evaluation_of,
    inputs_for,
    on_disk,
    operators,
    perceptron,
)


@pytest.mark.parametrize("name", ["fold", "fuse", "ort-graph"])
def test_answers_and_names_stay_what_they_were(name: str, tmp_path: Path) -> None:
    proto = attending()
    evaluation = evaluation_of(proto, metric="cosine")

    made = PASSES[name].run(on_disk(proto, tmp_path), tmp_path / "made", {}, None)

    np.testing.assert_allclose(answers(made, evaluation.inputs)["y"], evaluation.outputs["y"], atol=1e-5)
    assert (made.precision, made.kind, made.passes) == (Precision.FP32, "onnx", (name,))
    assert PASSES[name].lossless


@pytest.mark.parametrize("name", ["fold", "fuse", "ort-graph"])
def test_a_pass_writes_only_below_its_folder(name: str, tmp_path: Path) -> None:
    source = on_disk(attending(), tmp_path)
    before = source.path.read_bytes()

    PASSES[name].run(source, tmp_path / "made", {}, None)

    assert source.path.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "source"]


@pytest.mark.parametrize("name", ["fold", "fuse", "ort-graph"])
def test_the_same_model_gives_the_same_file(name: str, tmp_path: Path) -> None:
    source = on_disk(attending(), tmp_path)

    first, second = (PASSES[name].run(source, tmp_path / place, {}, None) for place in ("a", "b"))

    assert first.path.read_bytes() == second.path.read_bytes()


def test_folding_computes_what_depends_on_no_input(tmp_path: Path) -> None:
    source = on_disk(perceptron(), tmp_path)
    assert "Transpose" in operators(source)

    made = PASSES["fold"].run(source, tmp_path / "made", {}, None)

    assert "Transpose" not in operators(made)
    assert (16, 32) in [array.shape for array in constants(made).values()]


def test_folding_keeps_the_precision_it_finds(tmp_path: Path) -> None:
    half = PASSES["fp16"].run(on_disk(perceptron(), tmp_path), tmp_path / "half", {}, None)

    assert PASSES["fold"].run(half, tmp_path / "made", {}, None).precision is Precision.FP16


def test_fusing_makes_attention_one_operator_with_constant_weights(tmp_path: Path) -> None:
    made = PASSES["fuse"].run(on_disk(attending(width=304), tmp_path), tmp_path / "made", {}, None)

    nodes = {node.op_type: node for node in onnx.load(str(made.path)).graph.node}
    assert {"Attention", "SkipLayerNormalization", "BiasGelu"} <= set(nodes)
    assert nodes["Attention"].input[1] in constants(made)
    assert "Softmax" not in nodes


def test_fusing_says_when_there_is_no_attention(tmp_path: Path) -> None:
    reason = PASSES["fuse"].applies(on_disk(convolving(), tmp_path), CPU, None)

    assert reason == "the model has no attention to fuse; onnxruntime fuses convolutions and the like by itself."


def test_fusing_twice_is_not_tried(tmp_path: Path) -> None:
    fused = PASSES["fuse"].run(on_disk(attending(), tmp_path), tmp_path / "fused", {}, None)

    assert PASSES["fuse"].applies(fused, CPU, None) == "the model already holds onnxruntime's fused operators."


def test_a_graph_without_known_patterns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="nothing to fuse"):
        PASSES["fuse"].run(on_disk(onnx_models.doubling(), tmp_path), tmp_path / "made", {}, None)


@pytest.mark.parametrize("level", PASSES["ort-graph"].space["level"])
def test_a_saved_graph_is_for_every_cpu(level: str, tmp_path: Path) -> None:
    proto = convolving()

    made = PASSES["ort-graph"].run(on_disk(proto, tmp_path), tmp_path / "made", {"level": level}, None)

    domains = {node.domain for node in onnx.load(str(made.path)).graph.node}
    assert domains <= {"", "com.microsoft"}  # com.microsoft.nchwc is laid out for one kind of CPU
    assert ("com.microsoft" in domains) == (level == "extended")
    expected = evaluation_of(proto)
    np.testing.assert_allclose(answers(made, expected.inputs)["logits"], expected.outputs["logits"], atol=1e-5)


def test_a_graph_for_cpus_is_not_made_for_a_gpu(tmp_path: Path) -> None:
    reason = PASSES["ort-graph"].applies(on_disk(convolving(), tmp_path), GPU, None)

    assert reason is not None
    assert "for CPUs" in reason


def test_an_unknown_parameter_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"ort-graph has no parameter 'depth'; it has level\."):
        PASSES["ort-graph"].run(on_disk(convolving(), tmp_path), tmp_path / "made", {"depth": 3}, None)


def test_fp16_takes_half_the_space_and_changes_no_port(tmp_path: Path) -> None:
    proto = perceptron(inner=512)
    source, evaluation = on_disk(proto, tmp_path), evaluation_of(proto)

    made = PASSES["fp16"].run(source, tmp_path / "made", {}, None)

    assert made.path.stat().st_size < 0.6 * source.path.stat().st_size
    answer = answers(made, evaluation.inputs)["logits"]
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer, evaluation.outputs["logits"], atol=0.05)
    assert made.precision is Precision.FP16


def test_fp16_also_halves_a_fused_transformer(tmp_path: Path) -> None:
    proto = attending()
    fused = PASSES["fuse"].run(on_disk(proto, tmp_path), tmp_path / "fused", {}, None)

    made = PASSES["fp16"].run(fused, tmp_path / "made", {}, None)

    inputs = inputs_for(proto)
    np.testing.assert_allclose(answers(made, inputs)["y"], answers(fused, inputs)["y"], atol=0.05)
    assert made.passes == ("fuse", "fp16")


def test_bf16_needs_a_gpu(tmp_path: Path) -> None:
    source = on_disk(perceptron(), tmp_path)

    assert PASSES["bf16"].applies(source, GPU, None) is None
    assert PASSES["bf16"].applies(source, CPU, None) == (
        "onnxruntime has no bfloat16 kernels for CPUs, and there is no GPU here."
    )


def test_bf16_computes_products_in_bfloat16_and_the_rest_in_fp32(tmp_path: Path) -> None:
    proto = perceptron()
    source = PASSES["fold"].run(on_disk(proto, tmp_path), tmp_path / "folded", {}, None)

    made = PASSES["bf16"].run(source, tmp_path / "made", {}, None)

    model = onnx.load(str(made.path))
    stored = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    products = [node for node in model.graph.node if node.op_type in ("MatMul", "Gemm")]
    assert products
    assert all(stored[node.input[1]] == onnx.TensorProto.BFLOAT16 for node in products)
    assert onnx.TensorProto.FLOAT in {
        stored[name] for node in model.graph.node if node.op_type == "Add" for name in node.input if name in stored
    }
    onnx.checker.check_model(model, full_check=True)
    expected = evaluation_of(proto)  # onnx's own evaluator knows bfloat16 on CPUs
    found = ReferenceEvaluator(model).run(None, dict(expected.inputs))[0]
    np.testing.assert_allclose(found, expected.outputs["logits"], atol=0.1)
    assert not np.array_equal(found, expected.outputs["logits"])


@pytest.mark.parametrize("name", ["fold", "ort-graph", "fp16", "int8-dynamic", "int4-weights", "openvino"])
def test_weights_in_a_file_beside_the_model_are_found(name: str, tmp_path: Path) -> None:
    proto = perceptron()
    source = on_disk(proto, tmp_path)
    beside = {"save_as_external_data": True, "location": "weights.bin", "size_threshold": 0}
    onnx.save(onnx.load(str(source.path)), str(source.path), **beside)
    assert (source.path.parent / "weights.bin").is_file()

    made = PASSES[name].run(source, tmp_path / "made", {}, None)

    evaluation = evaluation_of(proto)
    (source.path.parent / "weights.bin").unlink()  # the result must not need it
    np.testing.assert_allclose(answers(made, evaluation.inputs)["logits"], evaluation.outputs["logits"], atol=0.6)


@pytest.mark.parametrize("name", ["fold", "int8-dynamic", "int8-weights", "bf16"])
def test_weights_that_only_a_branch_reads_are_kept(name: str, tmp_path: Path) -> None:
    proto = perceptron()
    kept = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["gain"], ["t"])], "then", [], [onnx_models.value("t", (4,))]
    )
    other = onnx.helper.make_graph(
        [onnx.helper.make_node("Neg", ["gain"], ["e"])], "else", [], [onnx_models.value("e", (4,))]
    )
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.ones(4, np.float32), "gain"))
    size = onnx.helper.make_node("Size", ["x"], ["size"])
    many = onnx.helper.make_node("Cast", ["size"], ["many"], to=onnx.TensorProto.BOOL)
    branch = onnx.helper.make_node("If", ["many"], ["gained"], then_branch=kept, else_branch=other)
    proto.graph.node[-1].output[0] = "plain"
    final = onnx.helper.make_node("Mul", ["plain", "gained"], ["logits"])
    proto.graph.node.extend([size, many, branch, final])

    made = PASSES[name].run(on_disk(proto, tmp_path), tmp_path / "made", {}, None)

    found = ReferenceEvaluator(str(made.path)) if name == "bf16" else None
    evaluation = evaluation_of(proto)
    answer = found.run(None, dict(evaluation.inputs))[0] if found else answers(made, evaluation.inputs)["logits"]
    np.testing.assert_allclose(answer, evaluation.outputs["logits"], atol=0.2)
