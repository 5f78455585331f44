"""What every model file has, whatever its format: inputs and outputs with names, element types and sizes."""

from dataclasses import dataclass

from modelyard.api.entry import Datatype

Dim = int | str | None
"""A size, a named dynamic dimension, or an unnamed one."""

LARGEST = 2 << 30
"""Bytes from which on a graph file is refused: weights of such a size belong beside it."""


@dataclass(frozen=True)
class Port:
    """One input or output of the graph; `dims` is None when the file declares no shape."""

    name: str
    datatype: Datatype
    dims: tuple[Dim, ...] | None


@dataclass(frozen=True)
class Graph:
    """Inputs and outputs in order, and the files beside the model that hold its weights.

    `opset` is the version of ONNX's default operator set, or of the IR for OpenVINO; 0 when the file names none.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    opset: int
    data_files: tuple[str, ...]
