"""`modelyard push wandb:RUN/ARTIFACT`, against a real store; with the marker `wandb` of a run that W&B itself wrote."""

import os
import subprocess
from pathlib import Path

import pytest

from modelyard.settings import StoreSettings
from tests.support.artifacts import onnx_models as models
from tests.support.machine.command_line import modelyard, modelyard_here
from tests.support.objects.wandb_runs import a_run, logged, staged
from tests.support.servers.store import StoreServer

PYTHON = "MODELYARD_WANDB_PYTHON"
_TRAIN = """
import sys, wandb
with wandb.init(project="fraud", mode="offline") as run:
    run.log({"loss": 0.5})
    artifact = wandb.Artifact("Fraud_Check", type="model", metadata={"auc": 0.9})
    artifact.add_file(sys.argv[1], name="model.onnx")
    run.log_artifact(artifact, aliases=["best"])
"""


@pytest.fixture
def where(store_server: StoreServer) -> StoreSettings:
    return store_server.settings(store_server.new_bucket())


def test_a_logged_model_becomes_an_entry(where: StoreSettings, tmp_path: Path) -> None:
    files = {"model.onnx": models.doubling().SerializeToString()}
    run = a_run(tmp_path, logged("Fraud Check", *staged(tmp_path / "staging", files)))
    at = f"wandb:{run.relative_to(tmp_path)}/Fraud Check"

    pushed = modelyard("push", at, "--version", "1", store=where, cwd=tmp_path)
    renamed = modelyard_here("push", at, "--name", "other", "--version", "2", store=where, cwd=tmp_path)
    unversioned = modelyard_here("push", at, store=where, cwd=tmp_path)
    missing = modelyard_here("push", f"wandb:{run}/poem", "--version", "1", store=where, cwd=tmp_path)

    assert (pushed.code, renamed.code, unversioned.code, missing.code) == (0, 0, 2, 2)
    assert pushed.out.startswith("pushed fraud-check:1 (2 files")
    assert renamed.out.startswith("pushed other:2 (2 files")
    assert "--version 1" in unversioned.err
    assert "logged no artifact poem: it has Fraud Check" in missing.err


@pytest.mark.wandb
def test_a_run_of_wandb_itself_is_read(where: StoreSettings, tmp_path: Path) -> None:
    model = models.saved(models.doubling(), tmp_path / "trained.onnx")
    environment = {**os.environ, "PYTHONPATH": "", "HOME": str(tmp_path), "WANDB_DATA_DIR": str(tmp_path / "data")}
    done = subprocess.run(
        [os.environ[PYTHON], "-c", _TRAIN, str(model)], cwd=tmp_path, env=environment, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    [run] = (tmp_path / "wandb").glob("offline-run-*")
    model.unlink()

    pushed = modelyard("push", f"wandb:{run}/Fraud_Check", "--version", "1", store=where, cwd=tmp_path)

    assert pushed.code == 0, pushed.err
    assert pushed.out.startswith("pushed fraud_check:1 (2 files")
