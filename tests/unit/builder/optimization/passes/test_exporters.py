"""Every pass on a small model of every exporter: what it writes is valid, named uniquely, and runs."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from modelyard.builder.evaluation.evaluation_data import EvaluationData
from modelyard.builder.inspection.node_names import require_valid
from modelyard.builder.optimization.pass_api import ModelArtifact
from modelyard.builder.optimization.passes import PASSES
from tests.support.artifacts.exporters import EXPORTERS
from tests.support.artifacts.quantizable import CPU, GPU, on_disk

FOR_ONNX = [name for name in PASSES if not name.startswith(("openvino", "tensorrt", "int8-nncf-accuracy"))]
ROWS = np.random.default_rng(1).normal(size=(16, 8)).astype(np.float32)
OLD_OPSET = {"bf16", "int8-dynamic", "int8-static", "int8-nncf", "int8-weights", "int4-weights"}
NOTHING_TO_DO = {
    "torch": {"fuse"},
    "tf2onnx": {"fuse"},
    "jax2tf": {"fuse"},
    "paddle": {"fuse", *OLD_OPSET},
    "keras": {"fuse"},
    "skl2onnx": {"fuse"},
    "onnxmltools": {"fuse"},
}
"""Passes that find nothing to do in a model, by exporter."""


def session_of(path: Path) -> Any:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module", params=EXPORTERS)
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ModelArtifact]:
    return request.param, on_disk(EXPORTERS[request.param](), tmp_path_factory.mktemp(request.param))


@pytest.mark.parametrize("name", FOR_ONNX)
def test_what_a_pass_writes_is_valid_and_runs(source: tuple[str, ModelArtifact], name: str, tmp_path: Path) -> None:
    exporter, artifact = source
    original = session_of(artifact.path)
    input_name, output = original.get_inputs()[0].name, original.get_outputs()[0].name
    expected = original.run([output], {input_name: ROWS})[0]
    data = EvaluationData({input_name: ROWS}, {output: expected}, None, "cosine")
    on_cpu, on_gpu = (PASSES[name].applies(artifact, machine, data) for machine in (CPU, GPU))
    assert (on_cpu is not None and on_gpu is not None) == (name in NOTHING_TO_DO[exporter]), on_cpu
    if name in NOTHING_TO_DO[exporter]:
        return

    made = PASSES[name].run(artifact, tmp_path / "made", {}, data)

    require_valid(made.path)
    if on_cpu is None:
        answer = session_of(made.path).run([output], {input_name: ROWS})[0]
        assert answer.shape == expected.shape
        if PASSES[name].lossless:
            np.testing.assert_allclose(answer, expected, rtol=1e-3, atol=1e-4)
