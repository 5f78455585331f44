"""`tensorrt`, `tensorrt-int8`: a plan for the GPU of this machine, in fp16 or calibrated int8.

The graph is lowered here (fp16, or QDQ pairs around 0 as TensorRT wants them: symmetric S8, biases in float) and
compiled by `tensorrt_builder` in its own process. The plan carries which GPU and which TensorRT made it.
`timing_cache` names the cache of an earlier build: what it holds is not timed again; the new one lies beside the plan.
"""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard.builder.inference.tensorrt_plan import PLAN, profiles, profiles_as_json
from modelyard.builder.inspection import onnx_io
from modelyard.builder.inspection.model_file import inspect
from modelyard.builder.optimization.pass_api import EvaluationData, Hardware, ModelArtifact, Precision
from modelyard.child_environment import FOLDER, SAFE_PYTHON, child_environment
from modelyard.core.failure_causes import End, cause_of
from modelyard.errors import HostFailure, UnsupportedModel

from . import calibration, conditions
from .fp16 import halved
from .int8_static import against_quantization, quantized
from .rewrite import Rewrite

_SECONDS = 3600
_BUILDER = "modelyard.builder.optimization.passes.tensorrt_builder"


@dataclass(frozen=True, kw_only=True)
class TensorRt(Rewrite):
    """Compilation for one GPU."""

    def applies(self, artifact: ModelArtifact, hardware: Hardware, evaluation: EvaluationData | None) -> str | None:
        """Float models on a machine with an NVIDIA GPU."""
        reason = conditions.against_cpu(hardware, "TensorRT plans are built on the GPU they run on")
        if reason:
            return reason
        if self.precision is Precision.INT8:
            return against_quantization(artifact, evaluation)
        return (
            conditions.against_kind(artifact)
            or conditions.against_precision(artifact)
            or conditions.against_quantized(conditions.graph_of(artifact))
        )

    def run(
        self, artifact: ModelArtifact, folder: Path, params: Mapping[str, Any], evaluation: EvaluationData | None
    ) -> ModelArtifact:
        """The plan and its facts; raises UnsupportedModel where there is no GPU or TensorRT declines."""
        settled = self.settled(params)
        ports = inspect(artifact.path).inputs
        lowered = self._lowered(artifact, folder / "lowered", settled, evaluation)
        job = {
            "model": str(lowered),
            "folder": str(folder),
            "precision": str(self.precision),
            "profiles": profiles_as_json(profiles(ports, evaluation, settled["batches"])),
            "workspace": settled["workspace"],
            "timing_cache": settled["timing_cache"] and str(settled["timing_cache"]),
        }
        compiled(job, folder)
        return self.made(artifact, folder / PLAN, "tensorrt")

    def _lowered(
        self, artifact: ModelArtifact, folder: Path, settled: Mapping[str, Any], evaluation: EvaluationData | None
    ) -> Path:
        """The ONNX file in the precision the plan will have."""
        model = onnx_io.without_weight_shapes(onnx_io.read(artifact.path))
        if self.precision is Precision.FP16:
            return onnx_io.write(halved(model), folder)
        feeds = calibration.feeds(model, artifact.path, evaluation, settled)
        return quantized(model, folder, feeds, settled["method"], "products", symmetric=True)


def compiled(job: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Runs `tensorrt_builder` on the job in a process of its own; gives the plan's facts as JSON.

    Raises UnsupportedModel with the builder's sentence, HostFailure when the machine ended the process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    job_file, result = folder / "job.json", folder / "result.json"
    job_file.write_text(json.dumps(job))
    command = [*SAFE_PYTHON, "-m", _BUILDER, str(job_file.absolute()), str(result.absolute())]
    done = subprocess.run(
        command, cwd=FOLDER, env=child_environment(), capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        end = End(done.returncode, last if done.returncode > 0 else "")
        message = f"TensorRT ended with code {done.returncode} ({last}); the model stays as it was."
        cause = cause_of(end)
        raise HostFailure(cause.reason, message) if cause.passes else UnsupportedModel(message)
    facts = json.loads(result.read_text())
    if "error" in facts:
        raise UnsupportedModel(facts["error"])
    return facts


_SPACE: Mapping[str, Any] = {"batches": ((1, 8, 64),), "workspace": (1 << 30,), "timing_cache": (None,)}
TENSORRT = TensorRt(name="tensorrt", precision=Precision.FP16, space=_SPACE)
TENSORRT_INT8 = TensorRt(
    name="tensorrt-int8",
    precision=Precision.INT8,
    needs_data=True,
    space={"method": ("Entropy", "MinMax"), **_SPACE, **calibration.SPACE},
)
