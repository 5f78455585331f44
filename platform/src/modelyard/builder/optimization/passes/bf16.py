"""`bf16`: the products of weights and activations in bfloat16, everything else in fp32.

onnxruntime has such kernels for GPUs only (on a CPU: "Could not find an implementation for MatMul"), so the pass
applies there alone. Weights are stored in bfloat16; casts stand around each product.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelyard.builder.inspection import onnx_io
from modelyard.builder.optimization.pass_api import EvaluationData, Hardware, ModelArtifact, Precision

from . import conditions
from .rewrite import Rewrite

_PRODUCTS = ("MatMul", "Gemm", "Conv")
_OPSET = 13


class Bf16(Rewrite):
    """bfloat16 for products."""

    def applies(self, artifact: ModelArtifact, hardware: Hardware, evaluation: EvaluationData | None) -> str | None:
        """Float models on a GPU."""
        reason = (
            conditions.against_kind(artifact)
            or conditions.against_precision(artifact)
            or conditions.against_cpu(hardware, "onnxruntime has no bfloat16 kernels for CPUs")
        )
        if reason:
            return reason
        model = conditions.graph_of(artifact)
        return conditions.against_opset(model, _OPSET) or conditions.against_operators(model, _PRODUCTS)

    def run(
        self, artifact: ModelArtifact, folder: Path, params: Mapping[str, Any], evaluation: EvaluationData | None
    ) -> ModelArtifact:
        """The model with its products in bf16."""
        self.settled(params)
        model = onnx_io.without_weight_shapes(onnx_io.read(artifact.path))
        _lower(model)
        model.ir_version = max(model.ir_version, 7)
        return self.made(artifact, onnx_io.write(model, folder))


def _lower(model: Any) -> None:
    """Casts around every product with constant weights, whose weights and biases become bfloat16."""
    import ml_dtypes
    from onnx import TensorProto, helper, numpy_helper

    products = {node.output[0] for node in onnx_io.weighted(model) if node.op_type in _PRODUCTS}
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    narrow: dict[str, Any] = {}
    nodes = []
    for node in model.graph.node:
        if node.output[0] not in products:
            nodes.append(node)
            continue
        for index, name in enumerate(node.input):
            if name in constants:
                values = numpy_helper.to_array(constants[name]).astype(ml_dtypes.bfloat16)
                cast = f"{name}_bf16"
                narrow[cast] = helper.make_tensor(cast, TensorProto.BFLOAT16, values.shape, values.tobytes(), raw=True)
            elif name:
                cast = f"{node.output[0]}_bf16_{index}"
                nodes.append(helper.make_node("Cast", [name], [cast], to=TensorProto.BFLOAT16))
            else:
                continue
            node.input[index] = cast
        wide, node.output[0] = node.output[0], f"{node.output[0]}_bf16"
        nodes += [node, helper.make_node("Cast", [node.output[0]], [wide], to=TensorProto.FLOAT)]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(narrow.values())
    onnx_io.without_unused_weights(model)


BF16 = Bf16(name="bf16", precision=Precision.BF16)
