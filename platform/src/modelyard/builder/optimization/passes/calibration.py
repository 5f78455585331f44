"""Calibration data: real inputs, checked against the graph and drawn the same way each time.

They come from a set of their own (an .npz with arrays `input:<name>`) or from the evaluation set. One sample is fed
at a time, unless the model's first dimension is fixed: then as many rows as it takes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.builder.evaluation.evaluation_set import read_arrays
from modelyard.builder.evaluation.sample_inputs import numpy_type
from modelyard.builder.inspection.graph import Port
from modelyard.builder.inspection.onnx_graph import describe
from modelyard.builder.optimization.pass_api import EvaluationData
from modelyard.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np

Feed = dict[str, "np.ndarray"]
SPACE: Mapping[str, tuple[Any, ...]] = {"rows": (128,), "seed": (1,), "calibration": (None,)}
"""Parameters of every pass that calibrates: how many samples, drawn with which seed, from which .npz if not eval's."""


def feeds(model: Any, path: Path, evaluation: EvaluationData | None, params: Mapping[str, Any]) -> list[Feed]:
    """Inputs to calibrate `model`, the ModelProto read from `path`, with: arrays by input name, one dict a run.

    `params` has the keys of SPACE; rows are drawn without replacement by its seed. Raises InvalidInput with what to
    mend when there are no inputs, or they do not fit the model.
    """
    import numpy as np

    ports = describe(model, path).inputs
    samples, origin = _samples(evaluation, params["calibration"])
    arrays = {port.name: _fitting(samples, port, origin) for port in ports}
    lengths = {len(array) for array in arrays.values()}
    if len(lengths) > 1:
        return [arrays]  # tensors that do not share their rows make one sample together
    total, step = lengths.pop(), _step(ports)
    if total < step:
        raise InvalidInput(f"{origin} has {total} rows and the model takes {step} at a time; give at least {step}.")
    chosen = np.random.default_rng(params["seed"]).permutation(total // step)[: max(1, params["rows"] // step)]
    starts = sorted(int(index) * step for index in chosen)
    return [{name: array[start : start + step] for name, array in arrays.items()} for start in starts]


def _samples(evaluation: EvaluationData | None, path: str | Path | None) -> tuple[Mapping[str, Any], str]:
    """Arrays by input name, and what to call them in a sentence."""
    if path is not None:
        arrays = read_arrays(Path(path))
        return {name.removeprefix("input:"): array for name, array in arrays.items()}, Path(path).name
    if evaluation is None:
        raise InvalidInput("there is nothing to calibrate with; add an eval.npz or name a calibration set.")
    return evaluation.inputs, "eval.npz"


def _fitting(samples: Mapping[str, Any], port: Port, origin: str) -> Any:
    """The array for an input in its datatype; raises InvalidInput unless it has its shape and is finite."""
    import numpy as np

    if port.name not in samples:
        raise InvalidInput(f"{origin} has no array for the input {port.name!r}; add input:{port.name} to it.")
    array = np.asarray(samples[port.name])
    if len(array.shape) == 0 or len(array) == 0:
        raise InvalidInput(f"{origin} has no samples for the input {port.name!r}; add some rows.")
    dims = port.dims if port.dims is not None else (None,) * array.ndim
    fits = len(dims) == array.ndim and all(
        not isinstance(dim, int) or dim == size for dim, size in zip(dims[1:], array.shape[1:], strict=True)
    )
    if not fits:
        expected = [dim if isinstance(dim, int) else -1 for dim in dims]
        raise InvalidInput(
            f"{origin} gives the input {port.name!r} the shape {list(array.shape)}, the model takes {expected}; "
            "give samples of that shape."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        rows = np.unique(np.argwhere(~np.isfinite(array))[:, 0])
        raise InvalidInput(
            f"{origin} has NaN or infinite numbers for the input {port.name!r}, first in row {rows[0]}; "
            f"remove or mend {'this row' if len(rows) == 1 else f'these {len(rows)} rows'}."
        )
    return array.astype(numpy_type(port.datatype))


def _step(ports: tuple[Port, ...]) -> int:
    """Rows fed at a time: what the model fixes, else one."""
    fixed = {port.dims[0] for port in ports if port.dims and isinstance(port.dims[0], int)}
    return int(next(iter(fixed))) if len(fixed) == 1 else 1
