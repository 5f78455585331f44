"""An ONNX file as the runtimes that serve it take it, changed only where it has to be.

scalars among inputs and outputs     one element each: Triton serves no scalars
two nodes of one name                renamed: onnxruntime refuses them
texts lower-cased in en_US           in C.UTF-8, which does the same and is on every image
labels declared as [1]               open: converters of boosted trees write [1] and give one a row, and runtimes
                                     take the declaration for a check of every answer
"""

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

from modelyard.builder.conversion.finishing import in_any_locale
from modelyard.builder.inspection.node_names import node_lists, uniquely_named
from modelyard.builder.inspection.onnx_graph import read_model
from modelyard.errors import InvalidEntry

from .scalars import without_scalars

_BATCH = "modelyard_batch"


def make_servable(path: Path, undeclared: Collection[str] = ()) -> None:
    """Rewrites the ONNX file at `path` where the runtimes would refuse it; external weights stay where they are.

    `undeclared` are outputs that turned out to be scalars although the file declares no shape. Raises InvalidEntry when
    it is no ONNX file or cannot be rewritten.
    """
    model = read_model(path)
    changed = bool(without_scalars(model, undeclared))
    if _has_twins(model):
        uniquely_named(model)
        changed = True
    if in_any_locale(model) or changed:
        _save(model, path)


def declare_batch(path: Path) -> None:
    """Opens dimension 0 of every output of the batchable ONNX model at `path` that declares it fixed."""
    model = read_model(path)
    fixed = [
        value.type.tensor_type.shape.dim[0]
        for value in model.graph.output
        if value.type.tensor_type.shape.dim and value.type.tensor_type.shape.dim[0].HasField("dim_value")
    ]
    if not fixed:
        return
    for dim in fixed:
        dim.dim_param = _BATCH
    _save(model, path)


def _has_twins(model: Any) -> bool:
    names = (Counter(node.name for node in nodes if node.name) for nodes in node_lists(model))
    return any(count > 1 for counted in names for count in counted.values())


def _save(model: Any, path: Path) -> None:
    import onnx

    try:
        onnx.save(model, str(path))
    except ValueError as bad:
        raise InvalidEntry(f"{path.name} cannot be rewritten for serving ({bad}); export it again.") from bad
