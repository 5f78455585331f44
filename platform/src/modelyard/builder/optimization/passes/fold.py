"""`fold`: what depends on no input is computed now, and patterns become the shorter ones that mean the same.

onnxscript's optimizer (constant folding, dead nodes, inlined functions), then its rewriter's portable rules. The
result uses only standard operators, so every other pass can follow.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelyard.builder.inspection import onnx_io
from modelyard.builder.optimization.pass_api import EvaluationData, Hardware, ModelArtifact

from . import conditions
from .rewrite import Rewrite


class Fold(Rewrite):
    """Constant folding."""

    def applies(self, artifact: ModelArtifact, hardware: Hardware, evaluation: EvaluationData | None) -> str | None:
        """Any ONNX model."""
        return conditions.against_kind(artifact) or conditions.against_packages("onnxscript")

    def run(
        self, artifact: ModelArtifact, folder: Path, params: Mapping[str, Any], evaluation: EvaluationData | None
    ) -> ModelArtifact:
        """The folded model."""
        import onnx_ir as ir
        from onnxscript import optimizer, rewriter

        self.settled(params)
        model = ir.from_proto(onnx_io.read(artifact.path))
        optimizer.optimize(model)
        rewriter.rewrite(model)
        return self.made(artifact, onnx_io.write(ir.to_proto(model), folder))


FOLD = Fold(name="fold", lossless=True)
