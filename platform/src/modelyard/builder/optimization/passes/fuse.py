"""`fuse`: the blocks of a transformer as single operators of onnxruntime.

onnxscript's `optimize_for_ort` finds attention, layer normalisation with its skip connection and GELU also in what
torch's dynamo exporter writes, where onnxruntime's own script finds none. It leaves the weights of a fused attention
as a concatenation of three constants, too large for its own folding; computed here, so that they can be quantized.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelyard.builder.inspection import onnx_io
from modelyard.builder.optimization.pass_api import EvaluationData, Hardware, ModelArtifact
from modelyard.errors import UnsupportedModel

from . import conditions
from .rewrite import Rewrite


class Fuse(Rewrite):
    """Fusion for transformers."""

    def applies(self, artifact: ModelArtifact, hardware: Hardware, evaluation: EvaluationData | None) -> str | None:
        """Transformers only: fusions of convolutions are what onnxruntime does by itself."""
        return (
            conditions.against_kind(artifact)
            or conditions.against_packages("onnxscript")
            or self._against(conditions.graph_of(artifact))
        )

    def run(
        self, artifact: ModelArtifact, folder: Path, params: Mapping[str, Any], evaluation: EvaluationData | None
    ) -> ModelArtifact:
        """The fused model; raises UnsupportedModel when no pattern was found."""
        import onnx_ir as ir
        from onnxscript import optimizer
        from onnxscript.rewriter import ort_fusions

        self.settled(params)
        model, fusions = ort_fusions.optimize_for_ort(ir.from_proto(onnx_io.read(artifact.path)), clear_metadata=True)
        if not any(fusions.values()):
            raise UnsupportedModel("onnxscript found none of its patterns in this graph: there is nothing to fuse.")
        optimizer.fold_constants(model, should_fold=lambda node: True if node.op_type == "Concat" else None)
        optimizer.remove_unused_nodes(model)
        return self.made(artifact, onnx_io.write(ir.to_proto(model), folder))

    def _against(self, model: Any) -> str | None:
        if not onnx_io.attends(model):
            return "the model has no attention to fuse; onnxruntime fuses convolutions and the like by itself."
        if any(name.startswith("com.microsoft:") for name in onnx_io.operators(model)):
            return "the model already holds onnxruntime's fused operators."
        return conditions.against_quantized(model)


FUSE = Fuse(name="fuse", lossless=True)
