"""The graph of a model file, in whichever of the formats that are read here."""

from pathlib import Path

from .graph import Graph
from .onnx_graph import describe, read_model
from .openvino_graph import inspect_ir


def inspect(path: Path) -> Graph:
    """The graph of an ONNX file or of OpenVINO's IR (.xml); raises InvalidEntry or UnsupportedModel with the remedy."""
    return inspect_ir(path) if path.suffix == ".xml" else describe(read_model(path), path)
