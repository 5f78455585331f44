"""Rewrites of quantized ONNX graphs that change no answer, only how fast onnxruntime gives it.

unsigned_activations   q' = q + 128, zero' = zero + 128: S8 becomes U8, and x86-64 has its fast kernels
rows_before_floats     DequantizeLinear(table) -> Gather   becomes   Gather(table) -> times its row's scale:
                       an embedding table is read row by row instead of made float as a whole at each call
small_tables           float embedding tables to int8 with a scale a row; this one does round
"""

from typing import Any

from modelyard.builder.inspection.onnx_io import names_read, without_unused_weights

_LEAST = 4096
"""Elements below which a table is not worth the operators around it."""


def unsigned_activations(model: Any) -> int:
    """Turns S8 activations into U8 ones, in place; returns how many nodes changed."""
    import numpy as np
    from onnx import numpy_helper

    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    activations = {node.output[0] for node in model.graph.node if node.op_type == "QuantizeLinear"}
    added: dict[str, Any] = {}
    changed = 0
    for node in model.graph.node:
        pair = node.op_type == "QuantizeLinear" or (node.op_type == "DequantizeLinear" and node.input[0] in activations)
        if not pair or len(node.input) < 3 or node.input[2] not in constants:
            continue
        zero = numpy_helper.to_array(constants[node.input[2]])
        if zero.dtype != np.int8:
            continue
        name = f"{node.input[2]}_u8"
        added[name] = numpy_helper.from_array((zero.astype(np.int16) + 128).astype(np.uint8), name)
        node.input[2] = name
        changed += 1
    model.graph.initializer.extend(added.values())
    _forget_types(model, activations)
    without_unused_weights(model)
    return changed


def rows_before_floats(model: Any) -> int:
    """Moves the conversion of int8 tables behind their Gather, in place; returns how many lookups changed."""
    made = {node.output[0]: node for node in model.graph.node if node.op_type == "DequantizeLinear"}
    tables = {name: node for name, node in made.items() if _by_row(model, node)}
    nodes, changed = [], 0
    for node in model.graph.node:
        table = tables.get(node.input[0]) if node.op_type == "Gather" and _attribute(node, "axis", 0) == 0 else None
        nodes += _lookup(node, table.input[0], table.input[1]) if table is not None else [node]
        changed += table is not None
    _replace_nodes(model, nodes)
    return changed


def _by_row(model: Any, node: Any) -> bool:
    """Whether a DequantizeLinear makes a constant table float with one scale a row, around 0."""
    from onnx import numpy_helper

    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    if not all(name in constants for name in node.input) or _attribute(node, "axis", 1) != 0:
        return False
    if len(constants[node.input[0]].dims) != 2 or len(constants[node.input[1]].dims) != 1:
        return False
    return len(node.input) < 3 or not numpy_helper.to_array(constants[node.input[2]]).any()


def small_tables(model: Any) -> int:
    """Stores float tables that are only looked up as int8, in place; returns how many tables changed."""
    import numpy as np
    from onnx import TensorProto, numpy_helper

    lookups = [n for n in model.graph.node if n.op_type == "Gather" and _attribute(n, "axis", 0) == 0]
    read_elsewhere = names_read(node for node in model.graph.node if node not in lookups)
    read_elsewhere |= {node.input[1] for node in lookups} | {value.name for value in model.graph.output}
    only = {node.input[0] for node in lookups} - read_elsewhere
    floats = [tensor for tensor in model.graph.initializer if tensor.data_type == TensorProto.FLOAT]
    tables = {t.name: t for t in floats if t.name in only and len(t.dims) == 2 and np.prod(t.dims) >= _LEAST}
    for name, tensor in tables.items():
        rows = numpy_helper.to_array(tensor)
        scale = np.maximum(np.abs(rows).max(axis=1), 1e-12) / 127
        whole = np.clip(np.rint(rows / scale[:, None]), -127, 127).astype(np.int8)
        model.graph.initializer.append(numpy_helper.from_array(whole, f"{name}_int8"))
        model.graph.initializer.append(numpy_helper.from_array(scale.astype(np.float32), f"{name}_scale"))
    nodes = []
    for node in model.graph.node:
        is_lookup = node.op_type == "Gather" and node.input[0] in tables
        nodes += _lookup(node, f"{node.input[0]}_int8", f"{node.input[0]}_scale") if is_lookup else [node]
    _replace_nodes(model, nodes)
    return len(tables)


def _lookup(node: Any, table: str, scale: str) -> list[Any]:
    """Nodes that give what `node`, a Gather, gave: int8 rows as floats, times the scale of each row."""
    from onnx import TensorProto, helper

    out, ids = node.output[0], node.input[1]
    return [
        helper.make_node("Gather", [table, ids], [f"{out}_int8"], axis=0),
        helper.make_node("Gather", [scale, ids], [f"{out}_scale"], axis=0),
        helper.make_node("Cast", [f"{out}_int8"], [f"{out}_float"], to=TensorProto.FLOAT),
        helper.make_node("Constant", [], [f"{out}_last"], value_ints=[-1]),
        helper.make_node("Unsqueeze", [f"{out}_scale", f"{out}_last"], [f"{out}_scales"]),
        helper.make_node("Mul", [f"{out}_float", f"{out}_scales"], [out]),
    ]


def _replace_nodes(model: Any, nodes: list[Any]) -> None:
    del model.graph.node[:]
    used = names_read(nodes) | {value.name for value in model.graph.output}
    model.graph.node.extend(node for node in nodes if node.op_type != "DequantizeLinear" or node.output[0] in used)
    without_unused_weights(model)


def _forget_types(model: Any, names: set[str]) -> None:
    kept = [value for value in model.graph.value_info if value.name not in names]
    del model.graph.value_info[:]
    model.graph.value_info.extend(kept)


def _attribute(node: Any, name: str, otherwise: int) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == name), otherwise)
