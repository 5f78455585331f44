"""Programs of PyTorch and Keras as MLflow keeps them, brought in by somebody who trusts them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import yaml

from modelyard.builder.conversion.frameworks.catalogue import FRAMEWORKS
from modelyard.builder.conversion.frameworks.environment import python_of
from modelyard.clients.mlflow import MlflowServer, RegisteredModel
from modelyard.mlflow_sync.intake import entry_folder
from tests.support.servers.mlflow.calls import MlflowUser

PROGRAM = Path(__file__).parents[3] / "support" / "frameworks" / "networks.py"
KEPT: dict[str, Any] = {
    "pytorch": ("torch", "one.pt2", {"model_data": "data"}, "data/model.pt2"),
    "keras": ("tensorflow", "one.keras", {"data": "data"}, "data/model.keras"),
}


@pytest.mark.parametrize(
    "flavor",
    [pytest.param("pytorch", marks=pytest.mark.torch), pytest.param("keras", marks=pytest.mark.tensorflow)],
)
def test_a_program_answers_its_input_example_as_it_did(
    flavor: str, server: MlflowServer, user: MlflowUser, tmp_path: Path
) -> None:
    program, file, options, kept = KEPT[flavor]
    framework = next(one for one in FRAMEWORKS if one.program == program)
    subprocess.run(python_of(framework).command(PROGRAM, program, str(tmp_path)), check=True, capture_output=True)
    with np.load(tmp_path / "one.npz") as given, np.load(tmp_path / "one-answers.npz") as expected:
        [rows], [answers] = given.values(), expected.values()
    described = {
        "flavors": {flavor: options},
        "saved_input_example_info": {"artifact_path": "input_example.json", "type": "ndarray"},
    }
    logged = {
        "MLmodel": yaml.safe_dump(described).encode(),
        "input_example.json": json.dumps(rows.tolist()).encode(),
        kept: (tmp_path / file).read_bytes(),
    }
    version = server.version("net", user.register("net", logged))
    assert version is not None
    (tmp_path / "scratch").mkdir()
    told: list[str] = []

    folder = entry_folder(server, RegisteredModel("net"), version, "net", tmp_path / "scratch", True, say=told.append)

    session = ort.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    [said] = session.run(None, {session.get_inputs()[0].name: rows})
    assert np.allclose(said, answers, atol=1e-5)
    assert any("100.00% of 20 rows (input_example.npz)" in line for line in told)
    assert yaml.safe_load((folder / "modelyard.yaml").read_text())["framework"] == framework.label
