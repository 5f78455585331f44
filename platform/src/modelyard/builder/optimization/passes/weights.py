"""`int8-weights`, `int4-weights`: weights in blocks of few bits, activations as they are; no calibration data.

Products become MatMulNBits, whose kernels exist for CPUs and GPUs; embedding tables shrink too, because in small
language models they are half of the file. On CPUs this saves size, and time only where reading memory is the limit.
`accuracy` 4 lets onnxruntime round activations to int8 inside the product; 8-bit weights without it are an order
of magnitude slower on CPUs, so there it is not a choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard.builder.inspection import onnx_io
from modelyard.builder.optimization.pass_api import EvaluationData, Hardware, ModelArtifact, Precision

from . import conditions, quantized_graph
from .rewrite import Rewrite

_PRODUCTS = ("MatMul", "Gemm")


@dataclass(frozen=True, kw_only=True)
class Weights(Rewrite):
    """Weight-only quantization."""

    bits: int

    def applies(self, artifact: ModelArtifact, hardware: Hardware, evaluation: EvaluationData | None) -> str | None:
        """Float models with matrix products."""
        return conditions.against_float_graph(artifact, _PRODUCTS)

    def run(
        self, artifact: ModelArtifact, folder: Path, params: Mapping[str, Any], evaluation: EvaluationData | None
    ) -> ModelArtifact:
        """The model with small weights."""
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
        from onnxruntime.quantization.onnx_model import ONNXModel

        settled = self.settled(params)
        model = onnx_io.without_weight_shapes(onnx_io.read(artifact.path))
        quantized_graph.small_tables(model)
        ONNXModel(model).replace_gemm_with_matmul()
        quantizer: Any = MatMulNBitsQuantizer(
            model,
            bits=self.bits,
            block_size=settled["block"],
            is_symmetric=settled["symmetric"],
            accuracy_level=settled["accuracy"],
            op_types_to_quantize=("MatMul",),
        )
        with onnx_io.quietly(folder):
            quantizer.process()
        return self.made(artifact, onnx_io.write(quantizer.model.model, folder))


INT8_WEIGHTS = Weights(
    name="int8-weights",
    precision=Precision.INT8,
    bits=8,
    space={"block": (32, 128), "symmetric": (True, False), "accuracy": (4,)},
)
INT4_WEIGHTS = Weights(
    name="int4-weights",
    precision=Precision.INT4,
    bits=4,
    space={"block": (32, 128), "symmetric": (False, True), "accuracy": (4, 0)},
)
