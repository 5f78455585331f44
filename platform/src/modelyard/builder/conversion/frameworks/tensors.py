"""The proof of a network: its ONNX form answers arrays of the author's as the framework does, in every output.

| sample | read as |
|---|---|
| .npz | an array for each input by its name, or the only array for the only input |
| .csv, .parquet | for a model of one input [rows, k] of numbers: exactly k columns, in order |

A model that takes a fixed number of rows is asked that many at a time; what is left over is not asked. Others get at
most MOST.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard.builder.conversion.agreement import agreeing_rows
from modelyard.builder.conversion.columns import Column, Layout
from modelyard.builder.conversion.own_rows import own_rows
from modelyard.builder.evaluation.evaluation_set import EVALUATION, read_arrays
from modelyard.builder.evaluation.sample_inputs import numpy_type
from modelyard.builder.inspection.graph import Graph, Port
from modelyard.errors import InvalidInput

MOST = 256


@dataclass(frozen=True)
class TensorRows:
    """Arrays by input name with `count` rows each, asked `chunk` at a time; `source` says whose they are."""

    arrays: dict[str, Any]
    count: int
    chunk: int
    source: str


def tensor_rows(graph: Graph, evaluation: Path | None, sample: Path | None) -> TensorRows | None:
    """The author's rows; None when the eval.npz, in the place of a sample, has none for this model.

    Raises InvalidInput when the sample does not fit.
    """
    arrays = _arrays(graph, evaluation, sample)
    if arrays is None:
        return None
    source = sample.name if sample is not None else f"its {EVALUATION}"
    lengths = {len(array) if array.ndim else 0 for array in arrays.values()}
    if len(lengths) != 1 or lengths == {0}:
        raise InvalidInput(f"{source} needs as many rows (axis 0) in every array, and at least one.")
    count = lengths.pop()
    fixed = {port.dims[0] for port in graph.inputs if port.dims and isinstance(port.dims[0], int)}
    chunk = max(fixed) if fixed else min(count, MOST)
    if count < chunk:
        raise InvalidInput(f"{source} has {count} rows, and the model takes {chunk} at a time: give at least so many.")
    if fixed:
        count -= count % chunk
    return TensorRows({name: array[:count] for name, array in arrays.items()}, count, chunk, source)


def share_of(
    run: Callable[[Mapping[str, Any]], dict[str, Any]], rows: TensorRows, expected: Mapping[str, Any]
) -> float:
    """The share of rows (0 to 1) on which every output of `run` is as `expected`, which has them by name."""
    import numpy as np

    parts = [
        run({name: array[start : start + rows.chunk] for name, array in rows.arrays.items()})
        for start in range(0, rows.count, rows.chunk)
    ]
    answers = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return float(np.mean(agreeing_rows(answers, expected)))


def _arrays(graph: Graph, evaluation: Path | None, sample: Path | None) -> dict[str, Any] | None:
    if sample is not None and sample.suffix != ".npz":
        return {graph.inputs[0].name: _matrix(graph, sample)}
    given = sample or evaluation
    found = read_arrays(given) if given is not None else {}
    if len(graph.inputs) == 1 and len(found) == 1:
        found = {graph.inputs[0].name: next(iter(found.values()))}
    arrays = {}
    for port in graph.inputs:
        array = found.get(f"input:{port.name}", found.get(port.name))
        if array is None and sample is None:
            return None
        if array is None or not _fits(array, port):
            has = "no such array" if array is None else f"one of shape {list(array.shape)}"
            raise InvalidInput(f"the model takes {_described(port)}, and {given} has {has}.")
        arrays[port.name] = array.astype(numpy_type(port.datatype))
    return arrays


def _matrix(graph: Graph, sample: Path) -> Any:
    port, *others = graph.inputs
    dims = port.dims or ()
    if others or len(dims) != 2 or not isinstance(dims[1], int) or port.datatype == "BYTES":
        raise InvalidInput(
            f"the model takes {', '.join(map(_described, graph.inputs))}, which {sample.name} cannot hold: give an "
            ".npz with an array for each."
        )
    layout = Layout(tuple(Column(f"{port.name}[{place}]", "number") for place in range(dims[1])))
    rows = own_rows(layout, None, sample)
    assert rows is not None
    return rows.for_estimator().astype(numpy_type(port.datatype))


def _fits(array: Any, port: Port) -> bool:
    if port.dims is None:
        return True
    sizes = zip(port.dims[1:], array.shape[1:], strict=False)
    return array.ndim == len(port.dims) and all(not isinstance(dim, int) or dim == size for dim, size in sizes)


def _described(port: Port) -> str:
    return f"{port.name} {port.datatype}{[dim if isinstance(dim, int) else -1 for dim in port.dims or ()]}"
