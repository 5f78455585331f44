"""Sizes of inputs that a file declares open although its weights take only one: a width of 13 of a 13 x 1 matrix.

An input is followed through operators that keep its dimensions until one meets constants:

    MatMul, Gemm, Conv, LSTM, GRU, RNN, LinearRegressor, LinearClassifier     only that size runs: `exact`
    Add and its like, normalizations, Scaler, Imputer, SVM*, TreeEnsemble*    the size it was trained with: `likely`

The model is not run and its external data is not read: a constant's declared dimensions are enough.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Sizes = dict[str, dict[int, int]]
"""Of each input by name, sizes by axis."""

_KEEPING = frozenset({
    "Identity", "Cast", "CastLike", "Dropout", "Relu", "LeakyRelu", "Sigmoid", "Tanh", "Neg", "Abs", "Exp", "Log",
    "Sqrt", "Clip", "Round", "Floor", "Softmax", "Normalizer", "Scaler", "Imputer", "QuantizeLinear",
    "DequantizeLinear", "LayerNormalization", "Add", "Sub", "Mul", "Div", "Pow", "Where", "IsNaN", "Binarizer",
})  # fmt: skip
_PAIRED = frozenset({"Add", "Sub", "Mul", "Div", "LayerNormalization"})
_COPYING = frozenset({"Identity", "Cast", "DequantizeLinear"})


@dataclass
class ImpliedSizes:
    """`exact`: no other size runs. `likely`: what the model was made for, although others may run."""

    exact: Sizes = field(default_factory=dict)
    likely: Sizes = field(default_factory=dict)


def implied_sizes(model: Any) -> ImpliedSizes:
    """What the main graph of an onnx.ModelProto implies for its inputs, without sizes that contradict each other."""
    constants = _constants(model.graph)
    origin = {
        value.name: (value.name, len(value.type.tensor_type.shape.dim))
        for value in model.graph.input
        if value.name not in constants
    }
    exact: dict[tuple[str, int], set[int]] = {}
    likely: dict[tuple[str, int], set[int]] = {}
    for node in model.graph.node:
        source = next((name for name in node.input if name in origin), None)
        if source is None:
            continue
        name, rank = origin[source]
        known = [constants[other] for other in node.input if other in constants]
        for found, table in ((exact, _EXACT), (likely, _LIKELY)):
            rule = table.get(node.op_type)
            for axis, size in rule(node, known, rank) if rule and rank else ():
                if 0 <= axis < rank and size > 0 and node.input[0] == source:
                    found.setdefault((name, axis), set()).add(size)
        if node.op_type in _KEEPING and node.output and all(len(dims) <= rank for dims in known):
            origin[node.output[0]] = (name, rank)
    return ImpliedSizes(_settled(exact), _settled(likely))


def _settled(found: dict[tuple[str, int], set[int]]) -> Sizes:
    sizes: Sizes = {}
    for (name, axis), values in found.items():
        if len(values) == 1:
            sizes.setdefault(name, {})[axis] = next(iter(values))
    return sizes


def _constants(graph: Any) -> dict[str, tuple[int, ...]]:
    """Dimensions of every constant, weights that are cast, transposed or dequantized included."""
    dims = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for node in (node for node in graph.node if node.output):
        if node.op_type == "Constant":
            tensor = next((item.t for item in node.attribute if item.name == "value"), None)
            dims[node.output[0]] = tuple(tensor.dims) if tensor is not None else ()
        elif node.op_type in _COPYING and node.input and node.input[0] in dims:
            dims[node.output[0]] = dims[node.input[0]]
        elif node.op_type == "Transpose" and node.input and node.input[0] in dims:
            before = dims[node.input[0]]
            order = next((item.ints for item in node.attribute if item.name == "perm"), range(len(before))[::-1])
            dims[node.output[0]] = tuple(before[axis] for axis in order if 0 <= axis < len(before))
    return dims


Rule = Callable[[Any, list[tuple[int, ...]], int], Iterable[tuple[int, int]]]
"""From a node, the dimensions of its constants and the input's rank to pairs of axis and size."""


def _product(node: Any, known: list[tuple[int, ...]], rank: int) -> Iterable[tuple[int, int]]:
    for dims in known[:1]:
        if dims:
            yield rank - 1, dims[max(-2, -len(dims))]


def _gemm(node: Any, known: list[tuple[int, ...]], rank: int) -> Iterable[tuple[int, int]]:
    if known and len(known[0]) == 2 and not _int(node, "transA"):
        yield 1, known[0][1 if _int(node, "transB") else 0]


def _convolution(node: Any, known: list[tuple[int, ...]], rank: int) -> Iterable[tuple[int, int]]:
    if known and len(known[0]) == rank:
        yield 1, known[0][1] * (_int(node, "group") or 1)


def _recurrent(node: Any, known: list[tuple[int, ...]], rank: int) -> Iterable[tuple[int, int]]:
    if known and len(known[0]) == 3:
        yield rank - 1, known[0][2]


def _coefficients(node: Any, known: list[tuple[int, ...]], rank: int) -> Iterable[tuple[int, int]]:
    outputs = _int(node, "targets") or len(_attribute(node, "intercepts")) or 1
    yield rank - 1, len(_attribute(node, "coefficients")) // outputs


def _beside(node: Any, known: list[tuple[int, ...]], rank: int) -> Iterable[tuple[int, int]]:
    yield from ((rank - 1, dims[-1]) for dims in known[:1] if dims and dims[-1] > 1)


def _channels(node: Any, known: list[tuple[int, ...]], rank: int) -> Iterable[tuple[int, int]]:
    yield from ((1, dims[0]) for dims in known[:1] if dims)


def _columns(*names: str) -> Rule:
    """One number a column in one of the attributes `names`; a single number is for all columns."""

    def rule(node: Any, known: list[tuple[int, ...]], rank: int) -> Iterable[tuple[int, int]]:
        yield from ((rank - 1, len(_attribute(node, name))) for name in names if len(_attribute(node, name)) > 1)

    return rule


def _vectors(node: Any, known: list[tuple[int, ...]], rank: int) -> Iterable[tuple[int, int]]:
    count = _int(node, "n_supports") or sum(_attribute(node, "vectors_per_class"))
    if count:
        yield rank - 1, len(_attribute(node, "support_vectors")) // count


def _features(node: Any, known: list[tuple[int, ...]], rank: int) -> Iterable[tuple[int, int]]:
    used = _attribute(node, "nodes_featureids")
    if used:
        yield rank - 1, max(used) + 1


def _attribute(node: Any, name: str) -> Any:
    return next((item.ints or item.floats for item in node.attribute if item.name == name), ())


def _int(node: Any, name: str) -> int:
    return next((item.i for item in node.attribute if item.name == name), 0)


_EXACT: dict[str, Rule] = {
    "MatMul": _product, "MatMulInteger": _product, "Gemm": _gemm, "Conv": _convolution, "LSTM": _recurrent,
    "GRU": _recurrent, "RNN": _recurrent, "LinearRegressor": _coefficients, "LinearClassifier": _coefficients,
}  # fmt: skip
_LIKELY: dict[str, Rule] = {
    **dict.fromkeys(_PAIRED, _beside), "BatchNormalization": _channels, "InstanceNormalization": _channels,
    "Scaler": _columns("offset", "scale"), "Imputer": _columns("imputed_value_floats", "imputed_value_int64s"),
    "SVMClassifier": _vectors, "SVMRegressor": _vectors, "TreeEnsembleClassifier": _features,
    "TreeEnsembleRegressor": _features,
}  # fmt: skip
