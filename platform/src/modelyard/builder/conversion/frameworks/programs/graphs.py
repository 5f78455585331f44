"""A graph of our own: one input of numbers, a model of boosted trees behind it, its answers under their usual names."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .trees import Boosted, answers

OPSET, ML_OPSET, IR_VERSION = 18, 3, 10
INPUT = "input"


class OwnGraph:
    """Nodes and initializers as they come."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def node(self, kind: str, inputs: Sequence[str], domain: str = "", **attributes: Any) -> str:
        """See `trees.GrowingGraph`."""
        made = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [made], name=f"n_{made}", domain=domain, **attributes))
        return made

    def constant(self, values: Any) -> str:
        """See `trees.GrowingGraph`."""
        made = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, made))
        return made


def model_of(boosted: Boosted, width: int, double: bool) -> onnx.ModelProto:
    """The model [rows, width] -> label and probabilities, or variable; float64 goes in when `double`."""
    graph = OwnGraph()
    made = answers(graph, boosted, INPUT, double)
    names = ("label", "probabilities") if boosted.classes else ("variable",)
    for name, value in zip(names, made, strict=True):
        graph.nodes.append(helper.make_node("Identity", [value], [name], name=f"n_{name}"))
    columns = boosted.classes or boosted.targets
    shapes = {"label": (TensorProto.INT64, [None]), "probabilities": (TensorProto.FLOAT, [None, columns])}
    outputs = [
        helper.make_tensor_value_info(name, *shapes.get(name, (TensorProto.FLOAT, [None, columns]))) for name in names
    ]
    kind = TensorProto.DOUBLE if double else TensorProto.FLOAT
    given = helper.make_tensor_value_info(INPUT, kind, [None, width])
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    body = helper.make_graph(graph.nodes, "boosted", [given], outputs, graph.constants)
    return helper.make_model(body, opset_imports=opsets, ir_version=IR_VERSION, producer_name="modelyard")


def write_both(boosted: Boosted, width: int, folder: Path) -> None:
    """Writes the model for float32 and for float64 as single.onnx and double.onnx."""
    for name, double in (("single", False), ("double", True)):
        (folder / f"{name}.onnx").write_bytes(model_of(boosted, width, double).SerializeToString())


def answers_of(values: Any, classes: int) -> dict[str, Any]:
    """What the framework said as arrays by the name of the output that has to say the same.

    `values` are numbers [rows] or [rows, targets]; with `classes` probabilities, of the second class where there are 2.
    """
    given = np.asarray(values)
    if not classes:
        return {"predict": given}
    probabilities = np.column_stack([1 - given, given]) if given.ndim == 1 else given
    return {"predict": probabilities.argmax(axis=1), "predict_proba": probabilities}
