"""What an ONNX file says about itself, read without trusting it.

Only the graph is parsed, never the external data; locations that leave the model's folder are refused before
any runtime opens the file, and so is whatever Triton cannot serve (sequences, maps, exotic element types).
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from modelyard.api.entry import Datatype
from modelyard.core.storage.keys import is_safe_path
from modelyard.errors import InvalidEntry, UnsupportedModel

from .graph import LARGEST, Dim, Graph, Port
from .implied_sizes import implied_sizes
from .onnx_io import MODEL

_DATATYPES: dict[int, Datatype] = {
    1: "FP32", 2: "UINT8", 3: "INT8", 4: "UINT16", 5: "INT16", 6: "INT32", 7: "INT64", 8: "BYTES",
    9: "BOOL", 10: "FP16", 11: "FP64", 12: "UINT32", 13: "UINT64",
}  # fmt: skip
_POINTER = b"version https://git-lfs"
_WIDEST, _SIZES = 4096, 12
_FORMS = {
    "sequence_type": "a sequence", "map_type": "a map", "optional_type": "optional", "sparse_tensor_type":
    "a sparse tensor", "opaque_type": "opaque",
}  # fmt: skip
_ZIPMAP = "export it with options={'zipmap': False}"
_INSTEAD = {
    "input": {
        "sequence_type": "export a model with an input for each tensor of it, or with one tensor that holds them all",
        "map_type": "export a model that takes a tensor with a column for each key (a DictVectorizer stays outside)",
        "optional_type": "export the model with that input always given, or without it",
        "sparse_tensor_type": "export a model that takes a dense tensor",
    },
    "output": {
        "sequence_type": "end the graph in a tensor: ConcatFromSequence stacks a sequence",
        "map_type": "end the graph in a tensor with a column for each key",
        "optional_type": "end the graph in the tensor itself (OptionalGetElement)",
        "sparse_tensor_type": "end the graph in a dense tensor",
    },
}


def read_model(path: Path) -> Any:
    """The onnx.ModelProto at `path`, external data left unread.

    Raises InvalidEntry when it is none, or over 2 GiB, UnsupportedModel when it gives nothing.
    """
    import onnx
    from google.protobuf.message import DecodeError

    if path.stat().st_size >= LARGEST:
        raise InvalidEntry(f"{path.name} is larger than 2 GiB; save its weights as external data beside it.")
    try:
        model = onnx.load(str(path), load_external_data=False)
    except (DecodeError, ValueError, RuntimeError) as bad:
        refuse_pointer(path)
        raise InvalidEntry(
            f"{path.name} cannot be read as ONNX: it is damaged, cut short or another format; export it again."
        ) from bad
    if not _is_text(model):
        raise InvalidEntry(f"{path.name} holds names that are no text: it is damaged; copy or export it again.")
    if model.graph.node and not model.graph.output:
        raise UnsupportedModel(f"{path.name} has no outputs; a model that gives nothing cannot be asked anything.")
    if not model.graph.node:
        raise InvalidEntry(f"{path.name} holds no ONNX graph: it is damaged or another format; export it again.")
    return model


def refuse_pointer(path: Path) -> None:
    """Raises InvalidEntry when the file at `path` is what Git LFS keeps in the place of another."""
    with path.open("rb") as file:
        if file.read(len(_POINTER)) == _POINTER:
            raise InvalidEntry(f"{path.name} is a Git LFS pointer, not the model itself; run git lfs pull.")


def _is_text(model: Any) -> bool:
    """Whether every name is UTF-8: protobuf gives others as bytes, or fails when they are read."""
    try:
        names = [*_names(model.graph), *_node_names(node for function in model.functions for node in function.node)]
    except UnicodeDecodeError:
        return False
    return not any(isinstance(name, bytes) for name in names)


def _names(graph: Any) -> Iterator[str]:
    values = (*graph.input, *graph.output, *graph.value_info)
    yield from (item.name for item in (*values, *graph.initializer))
    yield from (dim.dim_param for value in values for dim in value.type.tensor_type.shape.dim)
    yield from _node_names(graph.node)


def _node_names(nodes: Iterable[Any]) -> Iterator[str]:
    for node in nodes:
        yield from (*node.input, *node.output, node.name, node.op_type, node.domain)
        for attribute in node.attribute:
            yield attribute.name
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield from _names(inner)


def describe(model: Any, path: Path) -> Graph:
    """Inputs, outputs and weight files of an onnx.ModelProto that was read from `path`.

    Raises InvalidEntry when shapes are missing, or weights are missing, cut short or outside the model's folder, and
    UnsupportedModel when Triton could not serve it: no inputs, equal names, values that are no tensors.
    """
    weights = {tensor.name for tensor in model.graph.initializer}
    weights |= {tensor.values.name for tensor in model.graph.sparse_initializer}
    inputs = tuple(_port(value, "input") for value in model.graph.input if value.name not in weights)
    outputs = tuple(_port(value, "output") for value in model.graph.output)
    names = [port.name for port in (*inputs, *outputs)]
    if not inputs:
        raise UnsupportedModel(f"{path.name} has no inputs; a model that takes nothing cannot be asked anything.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UnsupportedModel(f"{path.name} uses the name {twice[0]!r} for two inputs or outputs; rename one.")
    opset = max((item.version for item in model.opset_import if item.domain in ("", "ai.onnx")), default=0)
    implied = implied_sizes(model)
    inputs = tuple(_sized(port, implied.exact.get(port.name, {}), implied.likely.get(port.name, {})) for port in inputs)
    sizes = sorted({size for tensor in model.graph.initializer for size in tensor.dims if 1 < size <= _WIDEST})
    return Graph(inputs, outputs, opset, _data_files(model, path), tuple(sizes[:_SIZES]))


def _sized(port: Port, exact: dict[int, int], likely: dict[int, int]) -> Port:
    """The port with the dimensions that its weights imply where it leaves them open; dimension 0 stays as it is."""
    dims = tuple(
        exact.get(axis, dim) if axis and not isinstance(dim, int) else dim for axis, dim in enumerate(port.dims or ())
    )
    open_axes = [axis for axis, dim in enumerate(dims) if axis and not isinstance(dim, int)]
    return Port(port.name, port.datatype, dims, tuple((axis, likely[axis]) for axis in open_axes if axis in likely))


def _port(value: Any, kind: str) -> Port:
    form = value.type.WhichOneof("value")
    if form != "tensor_type":
        maps = value.type.sequence_type.elem_type.WhichOneof("value") == "map_type"
        advice = (
            _ZIPMAP if maps and kind == "output" else _INSTEAD[kind].get(form or "", "export a plain tensor instead")
        )
        what = _FORMS.get(form or "", "a value without a type")
        raise UnsupportedModel(f"{kind} {value.name!r} is {what}, and only tensors can be served; {advice}.")
    tensor = value.type.tensor_type
    datatype = _DATATYPES.get(tensor.elem_type)
    if datatype is None:
        raise UnsupportedModel(
            f"{kind} {value.name!r} has an element type that cannot be served (ONNX type {tensor.elem_type}); "
            "cast it to a usual one, such as float32, in the graph."
        )
    if not value.name or any(ord(letter) < 32 for letter in value.name):
        raise UnsupportedModel(f"an {kind} is called {value.name!r}; give it a printable name.")
    dims = tuple(_dim(dim) for dim in tensor.shape.dim) if tensor.HasField("shape") else None
    if dims is None and kind == "input":
        raise InvalidEntry(f"input {value.name!r} declares no shape; export the model again with shapes.")
    if dims is not None and 0 in dims:
        raise UnsupportedModel(f"{kind} {value.name!r} has a dimension of size 0 and never holds anything.")
    return Port(value.name, datatype, dims)


def _dim(dim: Any) -> Dim:
    if dim.WhichOneof("value") == "dim_value":
        # Some exporters write -1 for a dynamic dimension.
        return int(dim.dim_value) if dim.dim_value >= 0 else None
    return dim.dim_param or None


def _data_files(model: Any, path: Path) -> tuple[str, ...]:
    """Files with external weights, each proved to lie beside the model and to be long enough."""
    folder, files = path.parent.resolve(), set()
    for tensor in _tensors(model):
        if tensor.data_location != 1:
            continue
        facts = {item.key: item.value for item in tensor.external_data}
        location = facts.get("location", "")
        file = path.parent / location
        if not is_safe_path(location) or file.is_symlink() or not file.resolve().is_relative_to(folder):
            raise InvalidEntry(f"{path.name} keeps weights in {location!r}, outside its own folder; export it again.")
        if location == MODEL != path.name:
            raise InvalidEntry(
                f"{path.name} keeps weights in {location!r}, as the model will be called; export it again."
            )
        if not file.is_file():
            raise InvalidEntry(f"{path.name} needs the weights file {location!r} beside it; add it.")
        try:
            end = int(facts.get("offset") or 0) + int(facts.get("length") or 0)
        except ValueError as bad:
            raise InvalidEntry(f"{path.name} has a damaged reference to {location!r}; export it again.") from bad
        if end > file.stat().st_size:
            raise InvalidEntry(f"the weights file {location!r} is cut short; copy it again.")
        files.add(location)
    return tuple(sorted(files))


def _tensors(model: Any) -> Iterator[Any]:
    yield from _of_graph(model.graph)
    for function in model.functions:
        for node in function.node:
            yield from _of_node(node)


def _of_graph(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield sparse.values
        yield sparse.indices
    for node in graph.node:
        yield from _of_node(node)


def _of_node(node: Any) -> Iterator[Any]:
    for attribute in node.attribute:
        if attribute.HasField("t"):
            yield attribute.t
        if attribute.HasField("sparse_tensor"):
            yield attribute.sparse_tensor.values
            yield attribute.sparse_tensor.indices
        yield from attribute.tensors
        for graph in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
            yield from _of_graph(graph)
