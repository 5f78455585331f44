"""TensorRT: what can be said without a GPU. Shapes, facts, the lowered graph, and the refusal where there is none."""

import ctypes
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from modelyard.builder.inference.tensorrt_plan import PlanFacts, against_here, facts_from, profiles
from modelyard.builder.inspection.graph import Port
from modelyard.builder.optimization.pass_api import EvaluationData, ModelArtifact
from modelyard.builder.optimization.passes import PASSES, tensorrt_builder
from modelyard.builder.optimization.passes.tensorrt_engine import compiled
from modelyard.errors import UnsupportedModel
from tests.support.artifacts.quantizable import (
    CPU,
    GPU,
    answers,
    constants,
    convolving,
    evaluation_of,
    on_disk,
    perceptron,
)


def driver_is_here() -> bool:
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


without_driver = pytest.mark.skipif(driver_is_here(), reason="this machine has an NVIDIA driver")
FACTS = PlanFacts(tensorrt="10.15.1", gpu="NVIDIA H100", capability="9.0", precision="fp16", profiles={})


def seen(**inputs: Any) -> EvaluationData:
    return EvaluationData(inputs, {}, None, "cosine")


def test_without_a_gpu_it_does_not_apply(tmp_path: Path) -> None:
    source, evaluation = on_disk(perceptron(), tmp_path), evaluation_of(perceptron())

    for name in ("tensorrt", "tensorrt-int8"):
        assert PASSES[name].applies(source, GPU, evaluation) is None
        assert PASSES[name].applies(source, CPU, evaluation) == (
            "TensorRT plans are built on the GPU they run on, and there is no GPU here."
        )


def test_int8_needs_data_and_fp16_does_not(tmp_path: Path) -> None:
    source = on_disk(perceptron(), tmp_path)

    assert PASSES["tensorrt"].applies(source, GPU, None) is None
    assert "add an eval.npz" in str(PASSES["tensorrt-int8"].applies(source, GPU, None))


@without_driver
@pytest.mark.parametrize("name", ["tensorrt", "tensorrt-int8"])
def test_building_without_a_driver_ends_in_a_sentence(name: str, tmp_path: Path) -> None:
    source = on_disk(convolving(), tmp_path)

    with pytest.raises(UnsupportedModel) as refused:
        PASSES[name].run(source, tmp_path / "made", {}, evaluation_of(convolving()))

    assert str(refused.value) == (
        "there is no NVIDIA driver here (libcuda.so.1 is missing); "
        "TensorRT plans are built on the GPU they will run on."
    )


@without_driver
def test_the_order_says_everything_the_builder_needs(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel):
        PASSES["tensorrt"].run(
            on_disk(convolving(), tmp_path),
            tmp_path / "made",
            {"batches": (1, 4, 16), "timing_cache": "old.cache"},
            None,
        )

    order = json.loads((tmp_path / "made" / "job.json").read_text())
    assert order["profiles"] == {"x": [[1, 1, 8, 8], [4, 1, 8, 8], [16, 1, 8, 8]]}
    assert (order["precision"], order["timing_cache"]) == ("fp16", "old.cache")


@without_driver
def test_the_driver_is_asked_before_tensorrt_is_imported() -> None:
    with pytest.raises(tensorrt_builder.NoGpu, match="no NVIDIA driver"):
        tensorrt_builder.build({})


def test_a_builder_that_crashes_ends_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "result.json").mkdir()  # it cannot write its result

    with pytest.raises(UnsupportedModel, match="TensorRT ended with code 1"):
        compiled({}, tmp_path)


def lowered(name: str, tmp_path: Path, proto: Any) -> ModelArtifact:
    """The ONNX file a plan is compiled from; the compilation itself fails here."""
    source = on_disk(proto, tmp_path)
    with pytest.raises(UnsupportedModel):
        PASSES[name].run(source, tmp_path / "made", {}, evaluation_of(proto))
    return ModelArtifact(tmp_path / "made" / "lowered" / "model.onnx", "onnx", PASSES[name].precision)


@without_driver
def test_int8_is_lowered_as_tensorrt_reads_it(tmp_path: Path) -> None:
    proto = convolving()

    made = lowered("tensorrt-int8", tmp_path, proto)

    stored = constants(made)
    pairs = [n for n in onnx.load(str(made.path)).graph.node if n.op_type in ("QuantizeLinear", "DequantizeLinear")]
    assert pairs
    assert {stored[node.input[2]].dtype for node in pairs} == {np.dtype(np.int8)}  # no int32 biases
    assert not any(stored[node.input[2]].any() for node in pairs)  # symmetric: around 0
    evaluation = evaluation_of(proto)
    classes = answers(made, evaluation.inputs)["logits"].argmax(axis=-1)
    assert (classes == evaluation.labels).mean() >= 0.95


@without_driver
def test_fp16_is_lowered_before_tensorrt_sees_it(tmp_path: Path) -> None:
    made = lowered("tensorrt", tmp_path, convolving())

    assert {array.dtype for array in constants(made).values() if array.dtype.kind == "f"} == {np.dtype(np.float16)}


def test_a_profile_takes_batches_from_the_order_and_other_sizes_from_the_data() -> None:
    port = Port("ids", "INT64", ("batch", "length"))

    found = profiles([port], seen(ids=np.zeros((24, 16))), (1, 8, 64))

    assert found == {"ids": ((1, 1), (8, 16), (64, 16))}


def test_fixed_shapes_need_no_profile() -> None:
    assert profiles([Port("x", "FP32", (1, 3, 224, 224))], None, (1, 8, 64)) == {}


def test_a_dynamic_size_that_nobody_has_seen_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match=r"dimension 1 of the input 'ids' is dynamic.*add an eval\.npz"):
        profiles([Port("ids", "INT64", (None, None))], None, (1, 8, 64))


@pytest.mark.parametrize(
    ("here", "sentence"),
    [
        (("10.15.1", "NVIDIA H100", "9.0"), None),
        (("10.15.1", "NVIDIA L4", "8.9"), "built for NVIDIA H100 (compute capability 9.0) and this is NVIDIA L4 (8.9)"),
        (("10.16.0", "NVIDIA H100", "9.0"), "built with TensorRT 10.15.1 and this is 10.16.0; build it again."),
    ],
)
def test_a_plan_is_refused_elsewhere(here: tuple[str, str, str], sentence: str | None) -> None:
    reason = against_here(FACTS, *here)

    assert (reason is None) if sentence is None else (reason is not None and sentence in reason)


def test_facts_are_read_back_as_written() -> None:
    facts = FACTS.model_copy(update={"profiles": {"x": ((1, 4), (8, 4), (64, 4))}})

    assert facts_from(facts.model_dump_json()) == facts
