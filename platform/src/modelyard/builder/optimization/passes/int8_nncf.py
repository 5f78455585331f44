"""`int8-nncf`: NNCF's post-training quantization of the ONNX graph, then two rewrites for onnxruntime.

NNCF places quantizers where they cost least, corrects biases and, for transformers, moves outliers of activations
into weights. It writes S8 activations and dequantizes whole embedding tables; `quantized_graph` undoes both, which
on MiniLM is the difference between slower and four times faster than what NNCF writes, with the same answers.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelyard.builder.inspection import onnx_io
from modelyard.builder.optimization.pass_api import EvaluationData, Hardware, ModelArtifact, Precision

from . import calibration, conditions, quantized_graph
from .int8_static import against_quantization
from .nncf_library import SPACE, nncf, settings
from .rewrite import Rewrite


class Int8Nncf(Rewrite):
    """Static quantization with NNCF."""

    def applies(self, artifact: ModelArtifact, hardware: Hardware, evaluation: EvaluationData | None) -> str | None:
        """Float models with products and something to calibrate with."""
        return conditions.against_packages("nncf") or against_quantization(artifact, evaluation)

    def run(
        self, artifact: ModelArtifact, folder: Path, params: Mapping[str, Any], evaluation: EvaluationData | None
    ) -> ModelArtifact:
        """The model with calibrated integer arithmetic."""
        settled = self.settled(params)
        model = onnx_io.without_weight_shapes(onnx_io.read(artifact.path))
        feeds = calibration.feeds(model, artifact.path, evaluation, settled)
        with onnx_io.quietly(folder):
            module = nncf(settled["seed"])
            quantized = module.quantize(model, **settings(module, feeds, settled, onnx_io.attends(model)))
        return self.made(artifact, onnx_io.write(finished(quantized), folder))


def finished(model: Any) -> Any:
    """NNCF's graph in the form that is fast in onnxruntime."""
    quantized_graph.unsigned_activations(model)
    quantized_graph.rows_before_floats(model)
    return model


INT8_NNCF = Int8Nncf(name="int8-nncf", precision=Precision.INT8, needs_data=True, space=SPACE)
