"""`int8-static`: integer weights and activations, whose ranges are calibrated on real inputs.

Activations U8, weights S8 per channel, as QuantizeLinear/DequantizeLinear pairs: on x86-64 the form with integer
kernels (S8 activations are three times slower). The full 8 bits are used: VNNI accumulates without saturating.

    calibration   MinMax: the range seen; Entropy, Percentile: ranges that give up outliers
    operators     all: integers from one layer to the next, best for convolutions
                  products: only MatMul, Gemm and Conv, which transformers need to keep their quality
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelyard.builder.inspection import onnx_io
from modelyard.builder.inspection.onnx_io import MODEL
from modelyard.builder.optimization.pass_api import EvaluationData, Hardware, ModelArtifact, Precision

from . import calibration, conditions
from .calibration import Feed
from .rewrite import Rewrite

METHODS = ("MinMax", "Entropy", "Percentile")
PRODUCTS = ("MatMul", "Gemm", "Conv")


class Int8Static(Rewrite):
    """Static quantization with onnxruntime."""

    def applies(self, artifact: ModelArtifact, hardware: Hardware, evaluation: EvaluationData | None) -> str | None:
        """Float models with products and something to calibrate with."""
        return against_quantization(artifact, evaluation)

    def run(
        self, artifact: ModelArtifact, folder: Path, params: Mapping[str, Any], evaluation: EvaluationData | None
    ) -> ModelArtifact:
        """The model with calibrated integer arithmetic."""
        settled = self.settled(params)
        model = onnx_io.without_weight_shapes(onnx_io.read(artifact.path))
        feeds = calibration.feeds(model, artifact.path, evaluation, settled)
        path = quantized(model, folder, feeds, settled["method"], settled["operators"])
        return self.made(artifact, path)


def against_quantization(artifact: ModelArtifact, evaluation: EvaluationData | None) -> str | None:
    """Why a model cannot be quantized with calibration, as a sentence, or None."""
    return (
        conditions.against_kind(artifact)
        or conditions.against_precision(artifact)
        or conditions.against_data(evaluation)
        or conditions.against_graph(artifact, PRODUCTS)
    )


def quantized(
    model: Any, folder: Path, feeds: Sequence[Feed], method: str, operators: str, *, symmetric: bool = False
) -> Path:
    """Writes the ModelProto to FOLDER/model.onnx with QuantizeLinear/DequantizeLinear pairs; gives that path.

    `method` is one of METHODS, `operators` is "all" or "products"; `symmetric` is for TensorRT: S8 activations
    around 0, biases in float.
    """
    from onnx import TensorProto
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    with onnx_io.quietly(folder):
        quantize_static(
            model,
            folder / MODEL,
            _reader(feeds),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=None if operators == "all" else list(PRODUCTS),
            per_channel=True,
            reduce_range=False,
            activation_type=QuantType.QInt8 if symmetric else QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod[method],
            extra_options={
                "DefaultTensorType": TensorProto.FLOAT,
                "ActivationSymmetric": symmetric,
                "QuantizeBias": not symmetric,
            },
        )
    return folder / MODEL


def _reader(feeds: Sequence[Feed]) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self._left = iter(feeds)

        def get_next(self) -> Any:
            return next(self._left, None)

    return Reader()


INT8_STATIC = Int8Static(
    name="int8-static",
    precision=Precision.INT8,
    needs_data=True,
    space={"method": METHODS, "operators": ("all", "products"), **calibration.SPACE},
)
