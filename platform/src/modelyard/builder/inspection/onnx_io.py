"""ONNX files as passes read and write them.

A model that would not fit protobuf's 2 GiB is written with its weights beside it, in model.onnx.data. The default
operator set comes first in what is read: NNCF looks at the first alone.
"""

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from .node_names import node_lists, uniquely_named

MODEL = "model.onnx"
WEIGHT_INPUT: Mapping[str, int] = {"MatMul": 1, "Gemm": 1, "Conv": 1, "ConvTranspose": 1}
"""Operators whose arithmetic is worth another precision, and which of their inputs holds the weights."""
_FLOATS: Mapping[str, int] = {
    "Scaler": 0, "Normalizer": 0, "FeatureVectorizer": 0, "LinearRegressor": 0, "SVMRegressor": 0,
    "TreeEnsembleRegressor": 0, "LinearClassifier": 1, "SVMClassifier": 1, "TreeEnsembleClassifier": 1,
}  # fmt: skip
"""Operators of ai.onnx.ml whose output at this place is float32 whatever they read."""
_WEIGHTS_ARE_INPUTS = 3
"""The last IR version in which every weight has to be an input as well."""
_INLINE = 1_800_000_000


def read(path: Path) -> Any:
    """The ModelProto with its weights; shapes are as the file declares them, nodes are named uniquely.

    Constants of the main graph are weights, whether the exporter made nodes of them or not. What ai.onnx.ml gives has
    a type: ONNX infers none, and whatever comes after would be taken for untyped too.
    """
    import onnx

    model = onnx.load(str(path))
    imports = sorted(model.opset_import, key=lambda imported: imported.domain not in ("", "ai.onnx"))
    copies = [onnx.helper.make_opsetid(imported.domain, imported.version) for imported in imports]
    del model.opset_import[:]
    model.opset_import.extend(copies)
    _add_types(model.graph)
    return uniquely_named(constants_as_weights(model))


def constants_as_weights(model: Any) -> Any:
    """The same model with tensors among its weights that were Constant nodes of the main graph."""
    outputs = {value.name for value in model.graph.output}
    kept = []
    for node in model.graph.node if model.ir_version > _WEIGHTS_ARE_INPUTS else ():
        tensor = next((item.t for item in node.attribute if item.name == "value"), None)
        if node.op_type != "Constant" or tensor is None or node.output[0] in outputs:
            kept.append(node)
            continue
        weight = model.graph.initializer.add()
        weight.CopyFrom(tensor)
        weight.name = node.output[0]
    if kept and len(kept) < len(model.graph.node):
        nodes = [type(node).FromString(node.SerializeToString()) for node in kept]
        del model.graph.node[:]
        model.graph.node.extend(nodes)
    return model


def _add_types(graph: Any) -> None:
    import onnx

    typed = {value.name for value in (*graph.value_info, *graph.output)}
    for node in graph.node:
        place = _FLOATS.get(node.op_type, len(node.output)) if node.domain == "ai.onnx.ml" else len(node.output)
        for name in node.output[place : place + 1]:
            if name and name not in typed:
                graph.value_info.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))


def without_weight_shapes(model: Any) -> Any:
    """The same model without declared shapes of its weights: they go stale when a rewrite transposes one."""
    weights = {tensor.name for tensor in model.graph.initializer}
    kept = [value for value in model.graph.value_info if value.name not in weights]
    del model.graph.value_info[:]
    model.graph.value_info.extend(kept)
    return model


def write(model: Any, folder: Path, name: str = MODEL) -> Path:
    """Writes a ModelProto as FOLDER/NAME, with weights above 1.8 GB in NAME.data beside it, and returns the path.

    Its nodes are named uniquely and stand after those whose outputs they read, as the format asks.
    """
    import onnx

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    in_order(uniquely_named(model))
    large = sum(tensor.ByteSize() for tensor in model.graph.initializer) > _INLINE
    onnx.save(model, str(path), save_as_external_data=large, location=f"{name}.data" if large else None)
    return path


def in_order(model: Any) -> Any:
    """The same model with every node after those whose outputs it reads; lists that are in order stay as they are."""
    for nodes in node_lists(model):
        makers = {name: index for index, node in enumerate(nodes) for name in node.output if name}
        before = {index: {makers[n] for n in names_read([node]) if n in makers} for index, node in enumerate(nodes)}
        if all(index > maker for index, needed in before.items() for maker in needed):
            continue
        ordered = [nodes[index] for index in TopologicalSorter(before).static_order()]
        copies = [type(node).FromString(node.SerializeToString()) for node in ordered]
        del nodes[:]
        nodes.extend(copies)
    return model


def names_read(nodes: Iterable[Any]) -> set[str]:
    """Names of the tensors that these NodeProtos read, those inside their branches and loops included."""
    names: set[str] = set()
    for node in nodes:
        names.update(node.input)
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                names |= names_read(inner.node) | {value.name for value in inner.output}
    return names


def without_unused_weights(model: Any) -> Any:
    """The same model without weights that nothing reads any more."""
    used = names_read(model.graph.node) | {value.name for value in model.graph.output}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    return model


def opset(model: Any) -> int:
    """The version of the default operator set a ModelProto imports; 0 when it imports none."""
    return max((imported.version for imported in model.opset_import if imported.domain in ("", "ai.onnx")), default=0)


def operators(model: Any) -> frozenset[str]:
    """Operator types in a ModelProto's main graph; those outside ONNX's own domain as domain:type."""
    return frozenset(
        f"{node.domain}:{node.op_type}" if node.domain not in ("", "ai.onnx") else node.op_type
        for node in model.graph.node
    )


def weighted(model: Any) -> list[Any]:
    """NodeProtos whose operator is in `WEIGHT_INPUT` and whose weights are constants of the graph."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return [
        node
        for node in model.graph.node
        if node.op_type in WEIGHT_INPUT and node.input[WEIGHT_INPUT[node.op_type]] in constants
    ]


def attends(model: Any) -> bool:
    """Whether the graph is a transformer's: a softmax, and a product of two activations."""
    constants = {tensor.name for tensor in model.graph.initializer}
    products = [node for node in model.graph.node if node.op_type == "MatMul"]
    types = operators(model)
    free = any(constants.isdisjoint(node.input) for node in products)
    return ("Softmax" in types and free) or any(operator.endswith("Attention") for operator in types)


@contextlib.contextmanager
def quietly(folder: Path) -> Iterator[None]:
    """A block in which libraries do not print, log or warn, and Python's temporary folder is `folder` (made if new)."""
    folder.mkdir(parents=True, exist_ok=True)
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
        tempfile.tempdir = before
