"""Scalars: Triton serves no rank-0 tensors, so the graph is given one-element tensors instead.

A scalar input `x` becomes a tensor of shape [1] with the same name, reshaped to a scalar inside; a scalar
output likewise the other way round. Everything else in the graph stays as it is.
"""

from collections.abc import Collection, Iterable
from typing import Any

_SHAPE = "modelyard/shape_of_scalar"
_ONE = "modelyard/shape_of_one"


def without_scalars(model: Any, undeclared: Collection[str] = ()) -> list[str]:
    """Rewrites an onnx.ModelProto in place; returns the names of the inputs and outputs that were scalars.

    Outputs in `undeclared` are scalars too, whatever the model declares.
    """
    from onnx import TensorProto, helper

    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights and _is_scalar(value)]
    outputs = [value for value in graph.output if _is_scalar(value) or value.name in undeclared]
    if not inputs and not outputs:
        return []
    names = {value.name: _inner(value.name) for value in (*inputs, *outputs)}
    _rename(graph.node, names)
    _rename_weights(graph, names)
    before = [helper.make_node("Reshape", [v.name, _SHAPE], [_inner(v.name)]) for v in inputs]
    after = [helper.make_node("Reshape", [_inner(v.name), _ONE], [v.name]) for v in outputs]
    nodes = [*before, *graph.node, *after]
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.append(helper.make_tensor(_SHAPE, TensorProto.INT64, [0], []))
    graph.initializer.append(helper.make_tensor(_ONE, TensorProto.INT64, [1], [1]))
    for value in (*inputs, *outputs):
        del value.type.tensor_type.shape.dim[:]
        value.type.tensor_type.shape.dim.add().dim_value = 1
    stale = {value.name for value in (*inputs, *outputs)}
    kept = [value for value in graph.value_info if value.name not in stale]
    del graph.value_info[:]
    graph.value_info.extend(kept)
    return [value.name for value in (*inputs, *outputs)]


def _rename_weights(graph: Any, names: dict[str, str]) -> None:
    """Renames weights that are outputs themselves, such as a version that the exporter wrote down."""
    sparse = [tensor.values for tensor in graph.sparse_initializer]
    weights = [tensor for tensor in (*graph.initializer, *sparse) if tensor.name in names]
    renamed = {tensor.name for tensor in weights}
    for item in (*weights, *(value for value in graph.input if value.name in renamed)):
        item.name = names[item.name]


def _is_scalar(value: Any) -> bool:
    tensor = value.type.tensor_type
    return value.type.WhichOneof("value") == "tensor_type" and tensor.HasField("shape") and not tensor.shape.dim


def _inner(name: str) -> str:
    return f"modelyard/scalar/{name}"


def _rename(nodes: Iterable[Any], names: dict[str, str]) -> None:
    """Renames every use, also in the branches of If and the bodies of Loop, which see the outer names."""
    for node in nodes:
        for ends in (node.input, node.output):
            for index, name in enumerate(ends):
                ends[index] = names.get(name, name)
        for attribute in node.attribute:
            for graph in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                _rename(graph.node, names)
                for value in graph.output:
                    value.name = names.get(value.name, value.name)
