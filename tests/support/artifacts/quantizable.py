"""Tiny networks worth optimizing, with evaluation sets made of their own answers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper

from modelyard.builder.inference.sessions import open_model
from modelyard.builder.optimization.pass_api import EvaluationData, Hardware, ModelArtifact, Precision
from tests.support.artifacts.onnx_models import INT64, model, saved, value

CPU = Hardware(cores=2, flags=frozenset({"avx2", "avx512_vnni"}))
GPU = Hardware(cores=2, flags=frozenset({"avx2"}), gpu="NVIDIA H100 80GB HBM3")
Arrays = dict[str, np.ndarray]


class Sketch:
    """A graph in the making: every operator gives the name of its output."""

    def __init__(self, seed: int) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.random = np.random.default_rng(seed)

    def weight(self, *shape: int, scale: float = 0.3) -> str:
        return self.constant(self.random.normal(0, scale, shape).astype(np.float32))

    def constant(self, array: Any) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def apply(self, operator: str, *inputs: str, **attributes: Any) -> str:
        name = f"{operator.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=f"n_{name}", **attributes))
        return name

    def dense(self, x: str, size: int, width: int) -> str:
        return self.apply("Add", self.apply("MatMul", x, self.weight(size, width)), self.weight(width))

    def done(self, y: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
        self.nodes.append(helper.make_node("Identity", [y], [outputs[0].name]))
        return onnx.shape_inference.infer_shapes(model(self.nodes, inputs, outputs, self.weights))


def perceptron(inner: int = 32) -> Any:
    """x [n, 16] to logits [n, 4]: a MatMul whose weights are transposed in the graph, and a Gemm as torch writes it."""
    sketch = Sketch(1)
    transposed = sketch.apply("Transpose", sketch.weight(inner, 16), perm=[1, 0])
    hidden = sketch.apply("Relu", sketch.apply("Add", sketch.apply("MatMul", "x", transposed), sketch.weight(inner)))
    logits = sketch.apply("Gemm", hidden, sketch.weight(4, inner), sketch.weight(4), transB=1)
    proto = sketch.done(logits, [value("x", ("batch", 16))], [value("logits", ("batch", 4))])
    proto.graph.value_info.extend(value(tensor.name, tensor.dims) for tensor in sketch.weights)  # as dynamo does
    return proto


def convolving(batch: str | int = "batch") -> Any:
    """x [n, 1, 8, 8] to logits [n, 4]: convolution, pooling, a matrix."""
    sketch = Sketch(2)
    seen = sketch.apply("Relu", sketch.apply("Conv", "x", sketch.weight(8, 1, 3, 3), sketch.weight(8), pads=[1] * 4))
    pooled = sketch.apply("MaxPool", seen, kernel_shape=[2, 2], strides=[2, 2])
    flat = sketch.apply("Reshape", pooled, sketch.constant(np.array([0, 128])))
    logits = sketch.apply("Gemm", flat, sketch.weight(4, 128), sketch.weight(4), transB=1)
    return sketch.done(logits, [value("x", (batch, 1, 8, 8))], [value("logits", (batch, 4))])


def attending(words: int = 300, width: int = 32, heads: int = 4) -> Any:
    """ids [n, 6] to y [n, 6, 32]: an embedding and a block of a transformer, in the operators torch exports."""
    sketch, length = Sketch(3), 6
    split = sketch.constant(np.array([0, length, heads, width // heads]))
    joined = sketch.constant(np.array([0, length, width]))
    looked = sketch.apply("Gather", sketch.weight(words, width, scale=1.0), "ids")
    x = _normalised(sketch, looked, width)
    parts = [sketch.apply("Reshape", sketch.dense(x, width, width), split) for _ in range(3)]
    q, v = (sketch.apply("Transpose", parts[place], perm=[0, 2, 1, 3]) for place in (0, 2))
    k = sketch.apply("Transpose", parts[1], perm=[0, 2, 3, 1])
    scale = sketch.constant(np.float32((width // heads) ** -0.5))
    scores = sketch.apply("Softmax", sketch.apply("Mul", sketch.apply("MatMul", q, k), scale), axis=-1)
    mixed = sketch.apply("Transpose", sketch.apply("MatMul", scores, v), perm=[0, 2, 1, 3])
    attended = sketch.dense(sketch.apply("Reshape", mixed, joined), width, width)
    x = _normalised(sketch, sketch.apply("Add", attended, x), width)
    y = sketch.dense(_gelu(sketch, sketch.dense(x, width, 64)), 64, width)
    y = _normalised(sketch, sketch.apply("Add", y, x), width)
    return sketch.done(y, [value("ids", ("batch", length), INT64)], [value("y", ("batch", length, width))])


def _normalised(sketch: Sketch, x: str, width: int) -> str:
    gain = sketch.constant(np.ones(width, np.float32))
    return sketch.apply("LayerNormalization", x, gain, sketch.weight(width), axis=-1, epsilon=1e-5)


def _gelu(sketch: Sketch, x: str) -> str:
    erf = sketch.apply("Erf", sketch.apply("Div", x, sketch.constant(np.float32(2**0.5))))
    half = sketch.apply(
        "Mul", sketch.constant(np.float32(0.5)), sketch.apply("Add", erf, sketch.constant(np.float32(1)))
    )
    return sketch.apply("Mul", x, half)


def outlying() -> Any:
    """x [n, 16] to logits [n, 4]: one hidden number is a thousand times the others, and int8 loses those."""
    sketch = Sketch(4)
    first = sketch.random.normal(0, 0.3, (16, 32)).astype(np.float32)
    first[:, 0] *= 3000
    last = sketch.random.normal(0, 0.3, (32, 4)).astype(np.float32)
    last[0] = 0
    hidden = sketch.apply("MatMul", "x", sketch.constant(first))
    logits = sketch.apply("MatMul", sketch.apply("Relu", hidden), sketch.constant(last))
    return sketch.done(logits, [value("x", ("batch", 16))], [value("logits", ("batch", 4))])


def on_disk(proto: Any, folder: Path) -> ModelArtifact:
    """The model as the first pass finds it."""
    return ModelArtifact(saved(proto, folder / "source" / "model.onnx"), "onnx", Precision.FP32)


def inputs_for(proto: Any, rows: int = 64, seed: int = 5) -> Arrays:
    """Inputs a network takes, `rows` samples."""
    random, port = np.random.default_rng(seed), proto.graph.input[0]
    dims = tuple(dim.dim_value for dim in port.type.tensor_type.shape.dim)[1:]
    whole = port.type.tensor_type.elem_type == INT64
    array = random.integers(0, 300, (rows, *dims)) if whole else random.normal(size=(rows, *dims)).astype(np.float32)
    return {port.name: array}


def evaluation_of(proto: Any, rows: int = 64, metric: str = "accuracy") -> EvaluationData:
    """Inputs with the network's own answers; labels are its classes when the metric is one of classes."""
    inputs = inputs_for(proto, rows)
    session = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    outputs = {proto.graph.output[0].name: np.asarray(session.run(None, inputs)[0])}
    labels = next(iter(outputs.values())).argmax(axis=-1) if metric == "accuracy" else None
    return EvaluationData(inputs, outputs, labels, metric)


def answers(artifact: ModelArtifact, inputs: Mapping[str, np.ndarray]) -> Arrays:
    """What a model on disk answers, in the runtime it is for."""
    return open_model(artifact.path, 1)(dict(inputs))


def operators(artifact: ModelArtifact) -> list[str]:
    """Types of its nodes, in order."""
    return [node.op_type for node in onnx.load(str(artifact.path)).graph.node]


def constants(artifact: ModelArtifact) -> dict[str, np.ndarray]:
    """Its weights by name."""
    return {t.name: numpy_helper.to_array(t) for t in onnx.load(str(artifact.path)).graph.initializer}


def size(artifact: ModelArtifact) -> int:
    """Bytes of everything in its folder."""
    return sum(file.stat().st_size for file in artifact.path.parent.iterdir() if file.is_file())
