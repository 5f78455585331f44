"""Why a pass does not apply: checks that each know one reason, chained with `or`; the first reason counts.

Each gives a sentence that says why not, and what to do about it if anything can be done, or None.
"""

import importlib.util
from collections.abc import Iterable
from typing import Any

from modelyard.builder.inspection.onnx_graph import read_model
from modelyard.builder.inspection.onnx_io import constants_as_weights, operators, opset, weighted
from modelyard.builder.optimization.pass_api import EvaluationData, Hardware, ModelArtifact, Precision

QUANTIZABLE_OPSET = 13
"""The first opset with quantization per channel."""


def graph_of(artifact: ModelArtifact) -> Any:
    """The ModelProto without its external weights: enough to read its structure."""
    return constants_as_weights(read_model(artifact.path))


def against_kind(artifact: ModelArtifact) -> str | None:
    """Refuses what is not ONNX: nothing else can be rewritten."""
    return None if artifact.kind == "onnx" else "it rewrites ONNX graphs, and this model is OpenVINO IR by now."


def against_precision(artifact: ModelArtifact) -> str | None:
    """Refuses a model that is not in fp32: a precision is not lowered twice."""
    if artifact.precision is Precision.FP32:
        return None
    return f"the model is in {artifact.precision} already; it needs the original in fp32."


def against_data(evaluation: EvaluationData | None) -> str | None:
    """Refuses when there are no inputs: calibration needs real ones."""
    if evaluation is not None and evaluation.inputs:
        return None
    return "it needs real inputs to calibrate with; add an eval.npz beside the model."


def against_packages(*names: str) -> str | None:
    """Refuses when one of these packages, of the extra `optimize`, is not installed."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    return f"{missing[0]} is not installed here; install modelyard[optimize]." if missing else None


def against_opset(model: Any, least: int) -> str | None:
    """Refuses a ModelProto whose opset is below `least`, the first that has the operators a pass writes."""
    version = opset(model)
    return None if version >= least else f"the model has opset {version}, and it needs {least}; export it again."


def against_graph(artifact: ModelArtifact, types: Iterable[str]) -> str | None:
    """Refuses a graph that is too old, quantized already, or without constant weights in nodes of these types."""
    model = graph_of(artifact)
    return against_opset(model, QUANTIZABLE_OPSET) or against_quantized(model) or against_operators(model, types)


def against_float_graph(artifact: ModelArtifact, types: Iterable[str]) -> str | None:
    """Refuses what is not a float ONNX model whose graph passes `against_graph`."""
    return against_kind(artifact) or against_precision(artifact) or against_graph(artifact, types)


def against_operators(model: Any, types: Iterable[str]) -> str | None:
    """Refuses a graph without nodes of these types that have constant weights."""
    names = tuple(types)
    if any(node.op_type in names for node in weighted(model)):
        return None
    *rest, last = names
    listed = f"{', '.join(rest)} or {last}" if rest else last
    return f"the model has no {listed} with constant weights, so there is nothing to gain."


def against_quantized(model: Any) -> str | None:
    """Refuses a graph that is quantized already."""
    names = sorted(operators(model) & {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"})
    return f"the graph holds {names[0]}: it is quantized already; start from the float model." if names else None


def against_cpu(hardware: Hardware, why: str) -> str | None:
    """Refuses a machine without a GPU, for the reason `why`."""
    return None if hardware.gpu else f"{why}, and there is no GPU here."
