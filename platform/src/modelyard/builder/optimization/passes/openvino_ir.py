"""`openvino`, `openvino-int8`: the model as OpenVINO's IR (model.xml, model.bin), as it is or quantized by NNCF.

OpenVINO reads ONNX and compiles for the CPU it finds; on CPUs with int8 instructions its quantized form was the
fastest we measured. Needs a runtime that has OpenVINO; names of inputs and outputs stay.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelyard.builder.inspection import onnx_io
from modelyard.builder.inspection.openvino_conversion import converted, saved
from modelyard.builder.optimization.pass_api import EvaluationData, Hardware, ModelArtifact, Precision

from . import calibration, conditions
from .int8_static import against_quantization
from .nncf_library import SPACE, nncf, settings
from .rewrite import Rewrite


class OpenVino(Rewrite):
    """Conversion to OpenVINO IR."""

    def applies(self, artifact: ModelArtifact, hardware: Hardware, evaluation: EvaluationData | None) -> str | None:
        """What OpenVINO's CPU plugin can be expected to read."""
        return against_openvino(artifact, hardware)

    def run(
        self, artifact: ModelArtifact, folder: Path, params: Mapping[str, Any], evaluation: EvaluationData | None
    ) -> ModelArtifact:
        """The model as IR."""
        settled = self.settled(params)
        return self.made(artifact, saved(converted(artifact.path), folder, settled["weights"] == "fp16"), "openvino")


class OpenVinoInt8(Rewrite):
    """Quantization of the IR."""

    def applies(self, artifact: ModelArtifact, hardware: Hardware, evaluation: EvaluationData | None) -> str | None:
        """The same, with something to calibrate with."""
        return (
            conditions.against_packages("nncf")
            or against_openvino(artifact, hardware)
            or against_quantization(artifact, evaluation)
        )

    def run(
        self, artifact: ModelArtifact, folder: Path, params: Mapping[str, Any], evaluation: EvaluationData | None
    ) -> ModelArtifact:
        """The quantized model as IR."""
        settled = self.settled(params)
        model = onnx_io.read(artifact.path)
        feeds = calibration.feeds(model, artifact.path, evaluation, settled)
        with onnx_io.quietly(folder):
            module = nncf(settled["seed"])
            quantized = module.quantize(
                converted(artifact.path), **settings(module, feeds, settled, onnx_io.attends(model))
            )
        return self.made(artifact, saved(quantized, folder, small=False), "openvino")


def against_openvino(artifact: ModelArtifact, hardware: Hardware) -> str | None:
    """Why OpenVINO is not for this model or machine, as a sentence, or None."""
    if hardware.gpu:
        return "OpenVINO is tried for CPUs only, and this model is for an NVIDIA GPU."
    reason = conditions.against_kind(artifact) or conditions.against_packages("openvino")
    if reason:
        return reason
    classic = sorted(name for name in onnx_io.operators(conditions.graph_of(artifact)) if "ai.onnx.ml" in name)
    if classic:
        return f"OpenVINO has no {classic[0].split(':')[1]}; it reads neural networks, not classic models."
    return None


OPENVINO = OpenVino(name="openvino", lossless=True, space={"weights": ("fp32",)})
OPENVINO_FP16 = OpenVino(name="openvino-fp16", precision=Precision.FP16, space={"weights": ("fp16",)})
OPENVINO_INT8 = OpenVinoInt8(name="openvino-int8", precision=Precision.INT8, needs_data=True, space=SPACE)
