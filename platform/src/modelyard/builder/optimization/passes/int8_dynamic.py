"""`int8-dynamic`: int8 weights per channel, activations quantized as they come; no calibration data.

For products of matrices, and with `attention` for the fused attention too (faster, and less exact: onnxruntime
takes 7 bits there). Convolutions stay in fp32: their integer form took four times as long in our measurements.
Per-tensor weights lose much more quality for nothing (cosine 0.961 instead of 0.992 on MiniLM) and are not offered.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelyard.builder.inspection import onnx_io
from modelyard.builder.inspection.onnx_io import MODEL
from modelyard.builder.optimization.pass_api import EvaluationData, Hardware, ModelArtifact, Precision

from . import conditions
from .rewrite import Rewrite

_PRODUCTS = ("MatMul", "Gemm")
_SIZES = "qkv_hidden_sizes"


class Int8Dynamic(Rewrite):
    """Dynamic quantization."""

    def applies(self, artifact: ModelArtifact, hardware: Hardware, evaluation: EvaluationData | None) -> str | None:
        """Float models with matrix products."""
        return conditions.against_float_graph(artifact, _PRODUCTS)

    def run(
        self, artifact: ModelArtifact, folder: Path, params: Mapping[str, Any], evaluation: EvaluationData | None
    ) -> ModelArtifact:
        """The model with integer matrix products."""
        from onnx import TensorProto
        from onnxruntime.quantization import QuantType, quantize_dynamic

        attention = self.settled(params)["attention"]
        model = onnx_io.without_weight_shapes(onnx_io.read(artifact.path))
        if attention:
            _free_attention(model)
        with onnx_io.quietly(folder):
            quantize_dynamic(
                model,
                folder / MODEL,
                op_types_to_quantize=[*_PRODUCTS, "Gather", *(["Attention"] if attention else [])],
                per_channel=True,
                weight_type=QuantType.QInt8,
                extra_options={"DefaultTensorType": TensorProto.FLOAT},
            )
        return self.made(artifact, folder / MODEL)


def _free_attention(model: Any) -> None:
    """Takes away sizes that only repeat the default: onnxruntime quantizes no attention that states them."""
    for node in model.graph.node:
        stated = [attribute for attribute in node.attribute if attribute.name == _SIZES]
        if node.op_type == "Attention" and stated and len(set(stated[0].ints)) == 1:
            kept = [attribute for attribute in node.attribute if attribute.name != _SIZES]
            del node.attribute[:]
            node.attribute.extend(kept)


INT8_DYNAMIC = Int8Dynamic(name="int8-dynamic", precision=Precision.INT8, space={"attention": (False, True)})
