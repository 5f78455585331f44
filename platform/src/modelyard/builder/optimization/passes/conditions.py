"""Why a pass does not apply: checks that each know one reason, chained with `or`; the first that speaks answers."""

import importlib.util
from collections.abc import Iterable
from typing import Any

from modelyard.builder.inspection.onnx_graph import read_model
from modelyard.builder.inspection.onnx_io import operators, opset, weighted
from modelyard.builder.optimization.pass_api import EvaluationData, Hardware, ModelArtifact, Precision

QUANTIZABLE_OPSET = 13
"""The first opset with quantization per channel."""


def graph_of(material: ModelArtifact) -> Any:
    """The model without its external weights: enough to look at."""
    return read_model(material.path)


def against_kind(material: ModelArtifact) -> str | None:
    """ONNX alone can be rewritten."""
    return None if material.kind == "onnx" else "it rewrites ONNX graphs, and this model is OpenVINO IR by now."


def against_precision(material: ModelArtifact) -> str | None:
    """Lowering a precision twice is not tried."""
    if material.precision is Precision.FP32:
        return None
    return f"the model is in {material.precision} already; it needs the original in fp32."


def against_data(evaluation: EvaluationData | None) -> str | None:
    """Calibration needs real inputs."""
    if evaluation is not None and evaluation.inputs:
        return None
    return "it needs real inputs to calibrate with; add an eval.npz beside the model."


def against_packages(*names: str) -> str | None:
    """Libraries of the extra `optimize`."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    return f"{missing[0]} is not installed here; install modelyard[optimize]." if missing else None


def against_opset(model: Any, least: int) -> str | None:
    """Operators that per-channel quantization needs came with an opset."""
    found = opset(model)
    return None if found >= least else f"the model has opset {found}, and it needs {least}; export it again."


def against_graph(material: ModelArtifact, wanted: Iterable[str]) -> str | None:
    """A float graph with something to quantize: new enough, not quantized before, with nodes of these types."""
    model = graph_of(material)
    return against_opset(model, QUANTIZABLE_OPSET) or against_quantized(model) or against_operators(model, wanted)


def against_operators(model: Any, wanted: Iterable[str]) -> str | None:
    """Something to gain by: nodes of these types with constant weights."""
    names = tuple(wanted)
    if any(node.op_type in names for node in weighted(model)):
        return None
    *others, last = names
    listed = f"{', '.join(others)} or {last}" if others else last
    return f"the model has no {listed} with constant weights, so there is nothing to gain."


def against_quantized(model: Any) -> str | None:
    """A graph somebody quantized before."""
    found = sorted(operators(model) & {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"})
    return f"the graph holds {found[0]}: it is quantized already; start from the float model." if found else None


def against_cpu(hardware: Hardware, why: str) -> str | None:
    """What only a GPU can do."""
    return None if hardware.gpu else f"{why}, and there is no GPU here."
