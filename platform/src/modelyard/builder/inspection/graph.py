"""What every model file has, whatever its format: inputs and outputs with names, element types and sizes."""

from dataclasses import dataclass

from modelyard.api.entry import Datatype

Dim = int | str | None
"""A size, a named dynamic dimension, or an unnamed one."""

LARGEST = 2 << 30
"""Bytes from which on a graph file is refused: weights of such a size belong beside it."""


@dataclass(frozen=True)
class Port:
    """One input or output of the graph; `dims` is None when the file declares no shape.

    `likely` are sizes by axis that the model was made for where it leaves them open, as far as its weights tell.
    """

    name: str
    datatype: Datatype
    dims: tuple[Dim, ...] | None
    likely: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Graph:
    """Inputs and outputs in order, and the files beside the model that hold its weights.

    `weight_sizes` are dimensions of its weights, which an open input may need. `opset` is the version of ONNX's default
    operator set, or of the IR for OpenVINO; 0 when the file names none.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    opset: int
    data_files: tuple[str, ...]
    weight_sizes: tuple[int, ...] = ()
