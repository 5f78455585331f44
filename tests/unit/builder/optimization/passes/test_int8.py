"""Integers with onnxruntime: static, dynamic, and weights alone."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from modelyard.builder.optimization.pass_api import ModelArtifact, Precision
from modelyard.builder.optimization.passes import PASSES
from tests.support.artifacts.quantizable import (
    answers,
    attending,
    constants,
    convolving,
    evaluation_of,
    on_disk,
    operators,
    perceptron,
    size,
)

NETWORKS = {"perceptron": perceptron, "convolving": convolving}


def made_by(name: str, proto: Any, folder: Path, **params: Any) -> ModelArtifact:
    metric = "cosine" if proto.graph.input[0].name == "ids" else "accuracy"
    return PASSES[name].run(on_disk(proto, folder), folder / "made", params, evaluation_of(proto, metric=metric))


def agreement(made: ModelArtifact, proto: Any) -> float:
    """Share of rows whose class is the original's."""
    evaluation = evaluation_of(proto)
    found = answers(made, evaluation.inputs)[next(iter(evaluation.outputs))]
    return float((found.argmax(axis=-1) == evaluation.labels).mean())


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("method", PASSES["int8-static"].space["method"])
def test_static_quantization_keeps_the_classes(network: str, method: str, tmp_path: Path) -> None:
    proto = NETWORKS[network]()

    made = made_by("int8-static", proto, tmp_path, method=method)

    assert agreement(made, proto) >= 0.95
    assert (made.precision, made.passes) == (Precision.INT8, ("int8-static",))


def test_static_quantization_has_unsigned_activations_and_signed_weights_per_channel(tmp_path: Path) -> None:
    made = made_by("int8-static", convolving(), tmp_path)

    model, stored = onnx.load(str(made.path)), constants(made)
    activations = [node for node in model.graph.node if node.op_type == "QuantizeLinear"]
    weights = [node for node in model.graph.node if node.op_type == "DequantizeLinear" and node.input[0] in stored]
    assert {stored[node.input[2]].dtype for node in activations} == {np.dtype(np.uint8)}
    kernel = next(node for node in weights if stored[node.input[0]].ndim == 4)
    assert stored[kernel.input[0]].dtype == np.int8
    assert stored[kernel.input[1]].shape == (8,)  # a scale for every output channel


def test_the_full_eight_bits_are_used(tmp_path: Path) -> None:
    made = made_by("int8-static", convolving(), tmp_path)

    kernel = next(array for array in constants(made).values() if array.dtype == np.int8 and array.ndim == 4)
    assert np.abs(kernel.astype(int)).max(axis=(1, 2, 3)).tolist() == [127] * 8


def test_calibration_methods_find_different_ranges(tmp_path: Path) -> None:
    found = {m: made_by("int8-static", convolving(), tmp_path / m, method=m) for m in ("MinMax", "Percentile")}

    scales = {
        method: [a for a in constants(one).values() if a.ndim == 0 and a.dtype == np.float32]
        for method, one in found.items()
    }
    assert scales["MinMax"] != scales["Percentile"]


def test_products_alone_are_quantized_when_asked(tmp_path: Path) -> None:
    everything = made_by("int8-static", attending(), tmp_path / "all")
    products = made_by("int8-static", attending(), tmp_path / "some", operators="products")

    assert operators(products).count("QuantizeLinear") < operators(everything).count("QuantizeLinear")


@pytest.mark.parametrize("name", ["int8-static", "int8-dynamic", "int8-weights", "int4-weights"])
def test_the_same_seed_gives_the_same_answers(name: str, tmp_path: Path) -> None:
    proto = perceptron()

    first, second = (made_by(name, proto, tmp_path / place) for place in ("a", "b"))

    inputs = evaluation_of(proto).inputs
    assert np.array_equal(answers(first, inputs)["logits"], answers(second, inputs)["logits"])


def test_a_pass_leaves_only_the_model_in_its_folder(tmp_path: Path) -> None:
    made = made_by("int8-static", convolving(), tmp_path)

    assert [file.name for file in made.path.parent.iterdir()] == ["model.onnx"]


def test_dynamic_quantization_needs_no_data(tmp_path: Path) -> None:
    proto = perceptron(inner=256)
    source = on_disk(proto, tmp_path)

    made = PASSES["int8-dynamic"].run(source, tmp_path / "made", {}, None)

    assert agreement(made, proto) >= 0.95
    assert "MatMulInteger" in operators(made)


def test_dynamic_quantization_leaves_convolutions_in_floats(tmp_path: Path) -> None:
    made = made_by("int8-dynamic", convolving(), tmp_path)

    assert "Conv" in operators(made)
    assert "ConvInteger" not in operators(made)


def test_dynamic_weights_have_a_scale_for_every_channel(tmp_path: Path) -> None:
    made = made_by("int8-dynamic", convolving(), tmp_path)

    scales = [array for name, array in constants(made).items() if name.endswith("_scale") and array.dtype == np.float32]
    assert (4,) in [array.shape for array in scales]


def test_fused_attention_is_quantized_only_when_asked(tmp_path: Path) -> None:
    proto = attending()
    fused = PASSES["fuse"].run(on_disk(proto, tmp_path), tmp_path / "fused", {}, None)

    plain = PASSES["int8-dynamic"].run(fused, tmp_path / "plain", {}, None)
    deep = PASSES["int8-dynamic"].run(fused, tmp_path / "deep", {"attention": True}, None)

    assert "Attention" in operators(plain)
    assert "QAttention" in operators(deep)
    assert size(deep) < size(plain)
    inputs = evaluation_of(proto, metric="cosine").inputs
    np.testing.assert_allclose(answers(deep, inputs)["y"], answers(fused, inputs)["y"], atol=0.3)


@pytest.mark.parametrize(("name", "share", "bound"), [("int8-weights", 0.4, 0.3), ("int4-weights", 0.35, 1.5)])
def test_weights_in_few_bits_save_space(name: str, share: float, bound: float, tmp_path: Path) -> None:
    proto = attending(words=2000)
    source, evaluation = on_disk(proto, tmp_path), evaluation_of(proto, metric="cosine")

    made = PASSES[name].run(source, tmp_path / "made", {}, None)

    assert size(made) < share * size(source)
    np.testing.assert_allclose(answers(made, evaluation.inputs)["y"], evaluation.outputs["y"], atol=bound)


@pytest.mark.parametrize(("name", "bits"), [("int8-weights", 8), ("int4-weights", 4)])
def test_weights_of_every_product_are_packed(name: str, bits: int, tmp_path: Path) -> None:
    proto = perceptron()
    source = PASSES["fold"].run(on_disk(proto, tmp_path), tmp_path / "folded", {}, None)

    made = PASSES[name].run(source, tmp_path / "made", {}, None)

    packed = [node for node in onnx.load(str(made.path)).graph.node if node.op_type == "MatMulNBits"]
    assert [next(a.i for a in node.attribute if a.name == "bits") for node in packed] == [bits, bits]
    assert "Gemm" not in operators(made)
    assert agreement(made, proto) >= 0.8


def test_packing_declares_no_newer_opset_than_the_model_had(tmp_path: Path) -> None:
    made = made_by("int4-weights", attending(), tmp_path)

    assert {o.domain: o.version for o in onnx.load(str(made.path)).opset_import} == {"": 18, "com.microsoft": 1}
