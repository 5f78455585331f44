"""`ort-graph`: onnxruntime's own graph optimisation, saved, so that no replica repeats it when it loads.

`extended` fuses for CPUs with operators every x86-64 or ARM build of onnxruntime has. The level above it lays
memory out for the very CPU it ran on, and such a file is wrong elsewhere: it is not offered.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelyard.builder.inspection.model_file import inspect
from modelyard.builder.inspection.onnx_io import MODEL
from modelyard.builder.optimization.pass_api import EvaluationData, Hardware, ModelArtifact

from . import conditions
from .rewrite import Rewrite

DATA = f"{MODEL}.data"


class OrtGraph(Rewrite):
    """Offline graph optimisation for CPUs."""

    def applies(self, artifact: ModelArtifact, hardware: Hardware, evaluation: EvaluationData | None) -> str | None:
        """ONNX models that are served by CPUs."""
        if hardware.gpu:
            return "its fusions are for CPUs; for a GPU onnxruntime optimizes when it loads the model."
        return conditions.against_kind(artifact)

    def run(
        self, artifact: ModelArtifact, folder: Path, params: Mapping[str, Any], evaluation: EvaluationData | None
    ) -> ModelArtifact:
        """The graph as onnxruntime would run it."""
        import onnxruntime as ort

        settled = self.settled(params)
        levels = {
            "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
            "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
        }
        folder.mkdir(parents=True, exist_ok=True)
        options = ort.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        options.graph_optimization_level = levels[settled["level"]]
        options.optimized_model_filepath = str(folder / MODEL)
        if inspect(artifact.path).data_files:  # else the result would refer to the files of its source
            options.add_session_config_entry("session.optimized_model_external_initializers_file_name", DATA)
            options.add_session_config_entry("session.optimized_model_external_initializers_min_size_in_bytes", "0")
        ort.InferenceSession(str(artifact.path), options, providers=["CPUExecutionProvider"])
        return self.made(artifact, folder / MODEL)


ORT_GRAPH = OrtGraph(name="ort-graph", lossless=True, space={"level": ("extended", "basic")})
