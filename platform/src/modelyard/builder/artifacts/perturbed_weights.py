"""A model with other last bits in its weights: what it answers differently shows how it amplifies rounding."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .batching import nudged

_MOST = 256 << 20
"""Bytes of a model above which its weights stay as they are: this is done beside the model itself."""


def is_small(files: Iterable[Path]) -> bool:
    """Whether the files of a model have at most 256 MiB, so that more than running it once may be done with it."""
    return sum(file.stat().st_size for file in files) <= _MOST


def with_other_last_bits(path: Path, seed: int) -> bytes | None:
    """The ONNX file at `path` with every float weight changed by about two units in the last place.

    None when the file and its weights are larger than 256 MiB.
    """
    import numpy as np
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(path), load_external_data=False)
    beside = {
        item.value for tensor in model.graph.initializer for item in tensor.external_data if item.key == "location"
    }
    if not is_small([path, *(path.parent / name for name in beside)]):
        return None
    onnx.load_external_data_for_model(model, str(path.parent))
    random = np.random.default_rng(seed)
    for tensor in _float_tensors(model.graph):
        changed = nudged(random, numpy_helper.to_array(tensor))
        tensor.CopyFrom(numpy_helper.from_array(changed, tensor.name))
    return model.SerializeToString()


def _float_tensors(graph: Any) -> list[Any]:
    constants = [
        item.t for node in graph.node if node.op_type == "Constant" for item in node.attribute if item.HasField("t")
    ]
    return [tensor for tensor in (*graph.initializer, *constants) if tensor.data_type in (1, 10, 11)]
