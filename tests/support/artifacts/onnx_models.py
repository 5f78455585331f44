"""Tiny ONNX models with the shapes that occur in the wild, made on the spot."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, STRING, INT64, HALF = (
    TensorProto.FLOAT,
    TensorProto.STRING,
    TensorProto.INT64,
    TensorProto.FLOAT16,
)
Dims = Sequence[int | str | None] | None


def value(name: str, dims: Dims, kind: int = FLOAT) -> Any:
    """An input or output; dims None declares no shape."""
    return helper.make_tensor_value_info(name, kind, dims)


def model(
    nodes: Sequence[Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    weights: Sequence[Any] = (),
) -> Any:
    """A ModelProto that every runtime here reads."""
    graph = helper.make_graph(list(nodes), "graph", list(inputs), list(outputs), list(weights))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def saved(proto: Any, path: Path) -> Path:
    """Writes a model to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(proto, str(path))
    return path


def doubling(dims: Dims = ("batch", 3), kind: int = FLOAT) -> Any:
    """y = x + x."""
    return model(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        [value("x", dims, kind)],
        [value("y", dims, kind)],
    )


def logarithm() -> Any:
    """y = log x, which is NaN below zero and minus infinity at zero."""
    return model([helper.make_node("Log", ["x"], ["y"])], [value("x", ("batch", 2))], [value("y", ("batch", 2))])


def summing() -> Any:
    """Rows of three to their sum: an output that is nothing but its batch."""
    nodes = [helper.make_node("ReduceSum", ["x", "axes"], ["total"], keepdims=0)]
    axes = numpy_helper.from_array(np.array([1]), "axes")
    return model(nodes, [value("x", ("batch", 3))], [value("total", ("batch",))], [axes])


def declaring_one() -> Any:
    """The same, declared as [1] whatever the batch: so converters of boosted trees declare their labels."""
    proto = summing()
    proto.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 1
    return proto


def with_a_constant_output() -> Any:
    """y = x + x, and 7: a version that the exporter wrote down, which no node makes."""
    proto = doubling()
    proto.graph.initializer.append(numpy_helper.from_array(np.float32(7), "version"))
    proto.graph.output.append(value("version", ()))
    return proto


def centring() -> Any:
    """x minus the mean over the batch: declares a batch dimension and yet mixes its rows."""
    nodes = [
        helper.make_node("ReduceMean", ["x", "axes"], ["mean"], keepdims=1),
        helper.make_node("Sub", ["x", "mean"], ["y"]),
    ]
    axes = numpy_helper.from_array(np.array([0]), "axes")
    return model(nodes, [value("x", ("batch", 3))], [value("y", ("batch", 3))], [axes])


def remembering() -> Any:
    """A step of a recurrent model: the state has the batch in dimension 1."""
    nodes = [
        helper.make_node("ReduceSum", ["state", "axes"], ["seen"], keepdims=0),
        helper.make_node("Add", ["x", "seen"], ["y"]),
        helper.make_node("Add", ["state", "x"], ["next"]),
    ]
    axes = numpy_helper.from_array(np.array([0]), "axes")
    ins = [value("x", ("batch", 4)), value("state", (2, "batch", 4))]
    return model(nodes, ins, [value("y", ("batch", 4)), value("next", (2, "batch", 4))], [axes])


def scaled_by_scalar() -> Any:
    """y = x * rate, where rate is a scalar, and the largest element, a scalar too."""
    nodes = [
        helper.make_node("Mul", ["x", "rate"], ["y"]),
        helper.make_node("ReduceMax", ["y"], ["top"], keepdims=0),
    ]
    return model(
        nodes,
        [value("x", (1, 3)), value("rate", ())],
        [value("y", (1, 3)), value("top", ())],
    )


def choosing() -> Any:
    """A scalar that is used only inside the branches of an If."""
    then = helper.make_graph([helper.make_node("Neg", ["gain"], ["t"])], "then", [], [value("t", ())])
    other = helper.make_graph([helper.make_node("Abs", ["gain"], ["e"])], "else", [], [value("e", ())])
    nodes = [
        helper.make_node("Cast", ["flip"], ["condition"], to=TensorProto.BOOL),
        helper.make_node("If", ["condition"], ["y"], then_branch=then, else_branch=other),
    ]
    return model(nodes, [value("flip", ()), value("gain", ())], [value("y", ())])


def several_dynamic() -> Any:
    """Image-like: batch, height and width are dynamic, channels are not."""
    dims = ("batch", 3, "height", "width")
    return model([helper.make_node("Relu", ["x"], ["y"])], [value("x", dims)], [value("y", dims)])


def echoing() -> Any:
    """Strings in, strings out."""
    dims = ("batch", 1)
    nodes = [helper.make_node("Identity", ["text"], ["same"])]
    return model(nodes, [value("text", dims, STRING)], [value("same", dims, STRING)])


def looking_up(shift: int = 0) -> Any:
    """Rows of a table of four: an index outside fails, like a token outside the vocabulary; `shift` is added to it."""
    table = numpy_helper.from_array(np.arange(8, dtype=np.float32).reshape(4, 2), "table")
    nodes = [helper.make_node("Gather", ["table", "ids"], ["y"])]
    if shift:
        constants = [table, numpy_helper.from_array(np.array(shift, dtype=np.int64), "shift")]
        nodes = [helper.make_node("Add", ["ids", "shift"], ["row"])]
        nodes += [helper.make_node("Gather", ["table", "row"], ["y"])]
    else:
        constants = [table]
    return model(
        nodes,
        [value("ids", ("batch", "length"), INT64)],
        [value("y", ("batch", "length", 2))],
        constants,
    )


def counting() -> Any:
    """A run as long as the caller wants, of so many rounds as the largest of the rows `times`, which comes back.

    `drawn` is the next number of one series for every row of every run: it tells how many were computed before.
    """
    body = helper.make_graph(
        [
            helper.make_node("Add", ["count", "one"], ["next"]),
            helper.make_node("Identity", ["condition"], ["goes_on"]),
        ],
        "round",
        [value("number", (), INT64), value("condition", (), TensorProto.BOOL), value("count", (), INT64)],
        [value("goes_on", (), TensorProto.BOOL), value("next", (), INT64)],
        [numpy_helper.from_array(np.array(1, np.int64), "one")],
    )
    nodes = [
        helper.make_node("ReduceMax", ["times"], ["most"], keepdims=0),
        helper.make_node("Loop", ["most", "", "zero"], ["counted"], body=body),
        helper.make_node("Min", ["times", "counted"], ["counted_to"]),
        helper.make_node("RandomUniformLike", ["times"], ["drawn"], dtype=FLOAT, seed=7.0),
    ]
    dims, zero = ("batch", 1), numpy_helper.from_array(np.array(0, np.int64), "zero")
    outputs = [value("counted_to", dims, INT64), value("drawn", dims)]
    return model(nodes, [value("times", dims, INT64)], outputs, [zero])


def with_unknown_operator() -> Any:
    """Uses an operator no runtime has."""
    nodes = [helper.make_node("Frobnicate", ["x"], ["y"], domain="com.example")]
    proto = model(nodes, [value("x", (1, 2))], [value("y", (1, 2))])
    proto.opset_import.append(helper.make_opsetid("com.example", 1))
    return proto


def with_external_weights(location: str, length: int = 12) -> Any:
    """y = x + w, the three floats of w in a file at `location`."""
    weight = TensorProto(name="w", data_type=FLOAT, dims=[3], data_location=TensorProto.EXTERNAL)
    for key, text in (("location", location), ("offset", "0"), ("length", str(length))):
        weight.external_data.add(key=key, value=text)
    nodes = [helper.make_node("Add", ["x", "w"], ["y"])]
    return model(nodes, [value("x", ("batch", 3))], [value("y", ("batch", 3))], [weight])


def with_map_output() -> Any:
    """What skl2onnx exports by default: probabilities as a sequence of maps."""
    proto = doubling()
    entry = helper.make_map_type_proto(INT64, helper.make_tensor_type_proto(FLOAT, []))
    proto.graph.output.append(helper.make_value_info("probabilities", helper.make_sequence_type_proto(entry)))
    return proto
