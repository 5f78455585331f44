"""`config.pbtxt`: written from what was found by trying the model, or completed from the author's own.

A batchable model gets `max_batch_size` and dims without dimension 0, and Triton batches what waits; any other
gets `max_batch_size: 0` and full dims. A tensor that is nothing but its batch dimension has no dims left, which
Triton does not accept: it becomes `dims: [1]` with `reshape: {shape: []}`, so clients see [n, 1].
`instance_group` names no kind: the same file means one instance on a CPU and one on each GPU.

Of an author's file only settings that shape performance are kept. Settings that load code or read other files
(agents, custom operators, execution environments) are refused: an entry is data. They were written for onnxruntime;
a variant for another backend keeps those that mean the same there.
"""

import importlib.util
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

from modelyard.api.entry import Tensor
from modelyard.api.optimization import Runtime
from modelyard.builder.inspection.graph import Dim, Port
from modelyard.errors import InvalidEntry, UnsupportedModel

Backend = Runtime | Literal["modelyard_python"]
BACKEND: Runtime = "onnxruntime"
PYTHON_BACKEND: Backend = "modelyard_python"
"""What runs the Python of an entry's author (images/triton-cpu/backends/modelyard_python)."""
MODEL_FILES: Mapping[Backend, str] = {
    "onnxruntime": "model.onnx",
    "openvino": "model.xml",
    "tensorrt": "model.plan",
    PYTHON_BACKEND: "code/model.py",
}
"""The file each backend opens when the configuration names no other."""
MAX_BATCH = 64
_PLATFORMS = {"", "onnxruntime_onnx"}
_KEPT = {"max_batch_size", "input", "output", "dynamic_batching", "instance_group", "parameters", "optimization"}
_DERIVED = {"name", "backend", "platform", "version_policy", "default_model_filename", "runtime"}
_PARAMETERS = ("intra_op_thread_count", "inter_op_thread_count", "session.", "execution_mode", "enable_mem")
_PARAMETERS_OF: Mapping[Backend, tuple[str, ...]] = {
    "onnxruntime": _PARAMETERS,
    "openvino": ("intra_op_thread_count",),
    "tensorrt": (),
    PYTHON_BACKEND: ("intra_op_thread_count",),
}


@cache
def messages() -> Any:
    """Triton's configuration messages; loaded apart from the gRPC client, whose import clashes with KServe's SDK."""
    package = importlib.util.find_spec("tritonclient")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("tritonclient is not installed; install modelyard[builder]")
    file = f"{package.submodule_search_locations[0]}/grpc/model_config_pb2.py"
    spec = importlib.util.spec_from_file_location("modelyard_triton_model_config", file)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"{file} cannot be loaded; install tritonclient again")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def configured(
    author: str | None, name: str, inputs: Sequence[Port], outputs: Sequence[Port], batchable: bool, backend: Backend
) -> str:
    """The text of config.pbtxt, completed from the author's where there is one; raises as `complete_config`."""
    if author is None:
        return write_config(name, inputs, outputs, batchable, backend)
    return complete_config(author, name, inputs, outputs, batchable, backend)


def as_clients_see(arrays: Mapping[str, Any], batches: bool) -> dict[str, Any]:
    """Arrays by name in the shapes clients send and receive: [n] of a model that batches is [n, 1] to them."""
    return {name: a.reshape(-1, 1) if batches and a.ndim == 1 else a for name, a in arrays.items()}


def write_config(
    name: str, inputs: Sequence[Port], outputs: Sequence[Port], batchable: bool, backend: Backend = BACKEND
) -> str:
    """The text of config.pbtxt for the model `name`; every port's dims must be known (`settled`)."""
    config = messages().ModelConfig(name=name, backend=backend, max_batch_size=MAX_BATCH if batchable else 0)
    if batchable:
        config.dynamic_batching.SetInParent()
    config.instance_group.add(count=1)
    _add_ports(config, inputs, outputs)
    return to_text(config)


def complete_config(
    text: str,
    name: str,
    inputs: Sequence[Port],
    outputs: Sequence[Port],
    batchable: bool,
    backend: Backend = BACKEND,
) -> str:
    """An author's config.pbtxt (`text`) for the model `name` and a backend, checked against the graph.

    Raises InvalidEntry when it contradicts the model's tensors or whether it is batchable, UnsupportedModel when it
    sets what is not supported here.
    """
    config = read_config(text)
    _refuse_foreign(config)
    if config.max_batch_size > 0 and not batchable:
        raise InvalidEntry(
            f"config.pbtxt says max_batch_size: {config.max_batch_size}, but the model cannot be batched; set it to 0."
        )
    kept = _kept(config, name, backend)
    kept.instance_group.add(count=sum(max(1, group.count) for group in config.instance_group) or 1)
    _add_ports(kept, inputs, outputs)
    _agree(config, kept)
    return to_text(kept)


def read_config(text: str) -> Any:
    """A ModelConfig; raises InvalidEntry with the line when the text is not one."""
    from google.protobuf import text_format

    try:
        return text_format.Parse(text, messages().ModelConfig())
    except (text_format.ParseError, UnicodeDecodeError) as bad:
        raise InvalidEntry(f"config.pbtxt cannot be read: {bad}; correct it.") from bad


def to_text(config: Any) -> str:
    """A ModelConfig as text that Triton reads back to the same message."""
    from google.protobuf import text_format

    return text_format.MessageToString(config)


def served(port: Port, batchable: bool) -> Tensor:
    """The tensor as clients see it: -1 for every dynamic dimension, the batch included."""
    dims = [-1 if not isinstance(dim, int) else dim for dim in port.dims or ()]
    if batchable and len(dims) == 1:
        dims = [-1, 1]
    return Tensor(name=port.name, datatype=port.datatype, shape=tuple(dims), description="")


def settled(ports: Sequence[Port], shapes: dict[str, list[int]]) -> tuple[Port, ...]:
    """Ports with dims corrected by `shapes`, which answers had by output name: what differs from them is dynamic."""
    return tuple(Port(port.name, port.datatype, _seen(port.dims, shapes[port.name])) for port in ports)


def _seen(dims: tuple[Dim, ...] | None, shape: Sequence[int]) -> tuple[Dim, ...]:
    if dims is None or len(dims) != len(shape):
        return (None,) * len(shape)
    return tuple(None if isinstance(d, int) and d != size else d for d, size in zip(dims, shape, strict=True))


def _add_ports(config: Any, inputs: Sequence[Port], outputs: Sequence[Port]) -> None:
    batches = config.max_batch_size > 0
    for target, ports in ((config.input, inputs), (config.output, outputs)):
        for port in ports:
            kind = "STRING" if port.datatype == "BYTES" else port.datatype
            added = target.add(name=port.name, data_type=messages().DataType.Value(f"TYPE_{kind}"))
            dims = [-1 if not isinstance(dim, int) else dim for dim in port.dims or ()]
            added.dims.extend(dims[1:] if batches else dims)
            if not added.dims:
                added.dims.append(1)
                added.reshape.SetInParent()


def _kept(config: Any, name: str, backend: Backend) -> Any:
    """What an author's settings mean to a backend; a plan of TensorRT's takes no more rows than it was made for."""
    kept = messages().ModelConfig(name=name, backend=backend)
    for field, value in config.ListFields():
        if field.name in _DERIVED or field.name in ("input", "output", "instance_group"):
            continue
        if field.name == "max_batch_size":
            kept.max_batch_size = min(value, MAX_BATCH) if backend == "tensorrt" else value
        elif field.name == "parameters":
            for key, parameter in value.items():
                if key.startswith(_PARAMETERS_OF[backend]):
                    kept.parameters[key].CopyFrom(parameter)
        else:
            getattr(kept, field.name).CopyFrom(value)
    if backend != BACKEND:
        kept.optimization.ClearField("execution_accelerators")
        if not kept.optimization.ListFields():
            kept.ClearField("optimization")
    return kept


def _refuse_foreign(config: Any) -> None:
    backend = config.backend or ("" if config.platform in _PLATFORMS else config.platform)
    if backend not in ("", BACKEND):
        raise UnsupportedModel(
            f"config.pbtxt asks for {backend!r}, and only ONNX models are served; export the model to ONNX."
        )
    for field, _ in config.ListFields():
        if field.name not in _KEPT | _DERIVED:
            raise UnsupportedModel(f"config.pbtxt sets {field.name}, which is not supported here; remove it.")
    for key in config.parameters:
        if not key.startswith(_PARAMETERS):
            raise UnsupportedModel(f"config.pbtxt sets the parameter {key!r}, which is not supported; remove it.")


def _agree(author: Any, derived: Any) -> None:
    """The author's tensors must be those of the model: Triton would load the file and fail every request."""
    for kind, theirs, ours in (("input", author.input, derived.input), ("output", author.output, derived.output)):
        known = {tensor.name: tensor for tensor in ours}
        for tensor in theirs:
            match = known.get(tensor.name)
            if match is None:
                names = ", ".join(sorted(known))
                raise InvalidEntry(f"config.pbtxt lists {kind} {tensor.name!r}; the model has {names}: correct it.")
            same_rank = len(tensor.dims) == len(match.dims)
            fits = same_rank and all(a == b or -1 in (a, b) for a, b in zip(tensor.dims, match.dims, strict=True))
            if tensor.data_type != match.data_type or not fits:
                raise InvalidEntry(
                    f"config.pbtxt gives {kind} {tensor.name!r} dims {list(tensor.dims)}; the model has "
                    f"{list(match.dims)} of {messages().DataType.Name(match.data_type)}: correct it."
                )
