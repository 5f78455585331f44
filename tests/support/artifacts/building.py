"""Artifacts made on the spot, with a real Triton behind them."""

from pathlib import Path
from typing import Any

from modelyard.api.report import BuildSource
from modelyard.builder.artifacts.assemble import Artifact, AssemblyRequest, ProgressSteps, Target, build
from modelyard.builder.artifacts.source import read_source
from modelyard.builder.artifacts.staging import Naming, stage
from tests.support.artifacts.onnx_models import saved


def built(path: Path, out: Path, model: str = "toy", target: Target = "cpu") -> Artifact:
    """Builds what is at `path`."""
    source = read_source(path)
    reported = BuildSource(kind=source.kind, name=source.name, digest=source.digest())
    return build(source, AssemblyRequest(model, "sha256:" + "0" * 64, reported, target), out, ProgressSteps())


def built_from(proto: Any, folder: Path) -> Artifact:
    """Builds a model."""
    return built(saved(proto, folder / "model.onnx"), folder / "out")


def built_python(folder: Path, out: Path, model: str) -> Artifact:
    """Stages, tries and builds a Python model as somebody does who trusts it."""
    source = read_source(stage(folder, out.with_name(f"{out.name}-staged"), Naming(trust_code=True)))
    reported = BuildSource(kind=source.kind, name=source.name, digest=source.digest())
    request = AssemblyRequest(model, "sha256:" + "0" * 64, reported, trusted=True)
    return build(source, request, out, ProgressSteps())
