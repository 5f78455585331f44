"""Candidates that look well and are not: made of version 1 of digits, pushed as entries of their own.

    python -m tests.support.artifacts.bad_models slow MILLISECONDS  prints a version of `digits-slow` that takes so long
    python -m tests.support.artifacts.bad_models patient MILLISECONDS  the same of `digits-patient`, whose author lets
                                                                    requests wait for others far too long
    python -m tests.support.artifacts.bad_models wrong              prints one of `digits-wrong`, with negated logits
    python -m tests.support.artifacts.bad_models renamed            prints one of `digits-renamed`, with another input

Each warms up like the original; all but the last have its names and shapes. The slow one multiplies matrices for every
row before it answers, so that requests answered together take as long as one after the other; how many is measured
here, because the same number takes one machine three times as long as another.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

from modelyard.clients.store import S3Store
from modelyard.registry.bucket import BucketRegistry
from modelyard.settings import Settings

ORIGINAL = Path("model-repo/digits/1")
SIDE = 256
"""One multiplication takes about a millisecond."""
_PICTURE = ["batch", 1, 8, 8]
_PATIENT = "max_batch_size: 16\ndynamic_batching { max_queue_delay_microseconds: 80000 }\n"


def slowed(rounds: int) -> Any:
    """Version 1 behind a loop of so many multiplications a row, which adds nothing but time."""
    proto = onnx.load(str(ORIGINAL / "model.onnx"))
    for node in proto.graph.node:
        node.input[:] = ["delayed" if name == "input" else name for name in node.input]
    matrix = np.random.default_rng(1).random((SIDE, SIDE), dtype=np.float32)
    weights = [
        numpy_helper.from_array(matrix, "matrix"),
        numpy_helper.from_array(np.array(rounds), "rounds"),
        numpy_helper.from_array(np.array(True), "always"),
        numpy_helper.from_array(np.array(0), "first"),
    ]
    proto.graph.initializer.extend(weights)
    delay = [
        helper.make_node("Shape", ["input"], ["dims"]),
        helper.make_node("Gather", ["dims", "first"], ["rows"]),
        helper.make_node("Mul", ["rounds", "rows"], ["trips"]),
        helper.make_node("Loop", ["trips", "always", "input"], ["delayed"], body=_body()),
    ]
    for node in reversed(delay):
        proto.graph.node.insert(0, node)
    return proto


def _body() -> Any:
    """x plus the difference of a product's largest element with itself."""
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["brightest"], keepdims=0),
        helper.make_node("Add", ["matrix", "brightest"], ["shifted"]),
        helper.make_node("MatMul", ["matrix", "shifted"], ["product"]),
        helper.make_node("ReduceMax", ["product"], ["most"], keepdims=0),
        helper.make_node("Sub", ["most", "most"], ["nothing"]),
        helper.make_node("Add", ["x", "nothing"], ["same"]),
        helper.make_node("Identity", ["go"], ["on"]),
    ]
    inputs = [
        helper.make_tensor_value_info("round", TensorProto.INT64, []),
        helper.make_tensor_value_info("go", TensorProto.BOOL, []),
        helper.make_tensor_value_info("x", TensorProto.FLOAT, _PICTURE),
    ]
    outputs = [
        helper.make_tensor_value_info("on", TensorProto.BOOL, []),
        helper.make_tensor_value_info("same", TensorProto.FLOAT, _PICTURE),
    ]
    return helper.make_graph(nodes, "delay", inputs, outputs)


def negated() -> Any:
    """Version 1 that finds the least likely digit."""
    proto = onnx.load(str(ORIGINAL / "model.onnx"))
    for node in proto.graph.node:
        node.output[:] = ["right" if name == "logits" else name for name in node.output]
    proto.graph.node.append(helper.make_node("Neg", ["right"], ["logits"]))
    return proto


def renamed() -> Any:
    """Version 1 whose input has another name than clients send."""
    proto = onnx.load(str(ORIGINAL / "model.onnx"))
    for node in proto.graph.node:
        node.input[:] = ["picture" if name == "input" else name for name in node.input]
    proto.graph.input[0].name = "picture"
    return proto


def rounds_for(milliseconds: float) -> int:
    """How many multiplications take one thread of this machine so long."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    tried = 50
    session = onnxruntime.InferenceSession(slowed(tried).SerializeToString(), options, ["CPUExecutionProvider"])
    picture = {"input": np.zeros((1, 1, 8, 8), dtype=np.float32)}
    took = []
    for _ in range(7):
        started = time.process_time()
        session.run(None, picture)
        took.append(time.process_time() - started)
    return max(1, round(tried * milliseconds / 1000 / min(took)))


def push(name: str, version: str, proto: Any, config: str = "") -> str:
    """An entry with that model, the original's papers but for its input's name, and perhaps a config.pbtxt; gives its
    version."""
    described = {
        "name": name,
        "version": version,
        "framework": "onnx",
        "task": "image-classification",
        "inputs": [{"name": proto.graph.input[0].name, "datatype": "FP32", "shape": [-1, 1, 8, 8]}],
        "outputs": [{"name": "logits", "datatype": "FP32", "shape": [-1, 10]}],
        "labels": [str(digit) for digit in range(10)],
    }
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "modelyard.yaml").write_text(yaml.safe_dump(described))
        Path(folder, "MODEL_CARD.md").write_text(f"# {name}\nA candidate that must not be promoted, for tests.\n")
        onnx.save(proto, str(Path(folder, "model.onnx")))
        if config:
            Path(folder, "config.pbtxt").write_text(config)
        BucketRegistry(S3Store(Settings.read().store)).push(Path(folder))
    return version


def main(kind: str, milliseconds: str = "0") -> None:
    if kind == "wrong":
        print(push("digits-wrong", "1", negated()))
        return
    if kind == "renamed":
        print(push("digits-renamed", "1", renamed()))
        return
    rounds, config = rounds_for(float(milliseconds)), _PATIENT if kind == "patient" else ""
    print(push(f"digits-{kind}", f"{rounds}-rounds", slowed(rounds), config))


if __name__ == "__main__":
    main(*sys.argv[1:])
