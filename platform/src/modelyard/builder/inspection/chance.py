"""Outputs that depend on chance: noise drawn in the graph, as speech synthesis, diffusion and samplers do.

Whether two runs gave the same says little (a draw between two classes agrees half of the time), so the graph is
asked: what can be reached from an operator that draws is not the same twice.
"""

from collections.abc import Iterable, Iterator
from typing import Any

_DRAWING = frozenset({
    "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli",
})  # fmt: skip
_BOOL = 9


def outputs_of_chance(model: Any) -> frozenset[str]:
    """Names of the graph's outputs that an onnx.ModelProto draws, wholly or in part."""
    drawing: set[tuple[str, str]] = set()
    for _ in model.functions:  # a function may call one that is listed after it
        drawing |= {(f.domain, f.name) for f in model.functions if _draws_any(f.node, drawing)}
    drawn: set[str] = set()
    _follow(model.graph, drawing, drawn)
    return frozenset(value.name for value in model.graph.output if value.name in drawn)


def _follow(graph: Any, drawing: set[tuple[str, str]], drawn: set[str]) -> bool:
    """Adds what `graph` draws to `drawn`; whether there is anything in it."""
    never = {tensor.name for tensor in graph.initializer if _is_false(tensor)} | _constants_of_false(graph.node)
    any_drawn = False
    for node in graph.node:
        inner = [_follow(branch, drawing, drawn) for branch in _branches(node)]
        if any(inner) or _draws(node, drawing, never) or not drawn.isdisjoint(node.input):
            drawn.update(name for name in node.output if name)
            any_drawn = True
    return any_drawn


def _draws(node: Any, drawing: set[tuple[str, str]], never: Iterable[str] = ()) -> bool:
    training = node.op_type == "Dropout" and len(node.input) > 2 and node.input[2] and node.input[2] not in never
    return bool(training) or node.op_type in _DRAWING or (node.domain, node.op_type) in drawing


def _constants_of_false(nodes: Iterable[Any]) -> set[str]:
    found = ((node, item.t) for node in nodes if node.op_type == "Constant" and node.output for item in node.attribute)
    return {node.output[0] for node, tensor in found if _is_false(tensor)}


def _is_false(tensor: Any) -> bool:
    return tensor.data_type == _BOOL and not any(tensor.raw_data) and not any(tensor.int32_data)


def _draws_any(nodes: Iterable[Any], drawing: set[tuple[str, str]]) -> bool:
    never = _constants_of_false(nodes)
    return any(
        _draws(node, drawing, never) or any(_draws_any(branch.node, drawing) for branch in _branches(node))
        for node in nodes
    )


def _branches(node: Any) -> Iterator[Any]:
    for attribute in node.attribute:
        yield from attribute.graphs
        if attribute.HasField("g"):
            yield attribute.g
