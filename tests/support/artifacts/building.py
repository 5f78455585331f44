"""Artifacts made on the spot, with a real Triton behind them."""

from pathlib import Path
from typing import Any

from modelyard.api.report import BuildSource
from modelyard.builder.artifacts.assemble import Artifact, AssemblyRequest, ProgressSteps, Target, build
from modelyard.builder.artifacts.source import read_source
from tests.support.artifacts.onnx_models import saved


def built(path: Path, out: Path, model: str = "toy", target: Target = "cpu") -> Artifact:
    """Builds what is at `path`."""
    source = read_source(path)
    reported = BuildSource(kind=source.kind, name=source.name, digest=source.digest())
    return build(source, AssemblyRequest(model, "sha256:" + "0" * 64, reported, target), out, ProgressSteps())


def built_from(proto: Any, folder: Path) -> Artifact:
    """Builds a model."""
    return built(saved(proto, folder / "model.onnx"), folder / "out")
