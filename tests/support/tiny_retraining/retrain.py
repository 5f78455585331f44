"""A recipe as an author writes one, for a model of two numbers a row and two classes: least squares, old rows and new.

What was learnt from before lies beside it as old.npz (`x` [rows, 2], `y` [rows]). It needs numpy and onnx.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OLD_WEIGHT = 0.05


def retrain(rows, out):
    """Fits both and leaves model.onnx."""
    with np.load(Path(__file__).with_name("old.npz")) as old:
        x, y, weight = old["x"], old["y"], np.full(len(old["y"]), OLD_WEIGHT)
    x = np.concatenate([x, rows["input:x"]])
    y = np.concatenate([y, rows["truth"]])
    weight = np.concatenate([weight, rows["weight"].astype(float)])
    save(fitted(x, y, weight), out / "model.onnx")


def same(rows, out):
    """Learns nothing: only what there was before."""
    with np.load(Path(__file__).with_name("old.npz")) as old:
        save(fitted(old["x"], old["y"], np.ones(len(old["y"]))), out / "model.onnx")


def of_three(rows, out):
    """Makes a model of another kind."""
    save(np.eye(3, 2, dtype=np.float32), out / "model.onnx", 3)


def nothing(rows, out):
    """Leaves no model."""
    (out / "notes.txt").write_text("no model today")


def too_much(rows, out):
    """Writes what is not its to write."""
    retrain(rows, out)
    (out / "modelyard.yaml").write_text("name: other")


def failing(rows, out):
    """Breaks."""
    raise ArithmeticError("the matrix is singular")


def fitted(x, y, weight):
    """Weights [2, 2] of scores that say which class a row is of."""
    signs = np.where(np.asarray(y) == 1, 1.0, -1.0)
    root = np.sqrt(weight)[:, None]
    found, *_ = np.linalg.lstsq(np.asarray(x, float) * root, signs[:, None] * root, rcond=None)
    return np.concatenate([-found, found], axis=1).astype(np.float32)


def save(weights, path, width=2):
    """p = softmax(x W), a row each."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["s"]), helper.make_node("Softmax", ["s"], ["p"], axis=-1)]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", width])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["batch", 2])],
        [numpy_helper.from_array(weights, "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), str(path))
