"""The template's training is written down where TRACK says, and goes on when that cannot be done."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelyard.cli.project.new import TEMPLATE
from tests.support.servers.mlflow.real import PYTHON as MLFLOW_PYTHON
from tests.support.servers.mlflow.real import real_mlflow
from tests.support.servers.store import free_ports

WANDB_PYTHON = "MODELYARD_WANDB_PYTHON"
PROGRAM = """
import sys
sys.path.append(sys.argv[1])
from tracking import wanted, write_down
write_down(wanted(), "loans", {"max_depth": 4}, [0.5, 0.25], "sha256:0123abcd")
print("trained")
"""
READ = """
import json, mlflow
[run] = mlflow.search_runs(experiment_names=["loans"], output_format="list")
history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")
print(json.dumps([run.data.params, [(one.step, one.value) for one in history], run.data.tags["model.digest"]]))
"""


def ran(folder: Path, program: str = PROGRAM, python: str = sys.executable, **environment: str) -> Any:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "WANDB_"))}
    return subprocess.run(
        [python, "-c", program, str(TEMPLATE / "src")], cwd=folder, capture_output=True, text=True, timeout=300,
        env={**kept, "PYTHONPATH": "", "HOME": str(folder), **environment}, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"TRACK": "comet"}, "TRACK=comet is no tracker: write one of none, mlflow, wandb, tensorboard"),
        ({"TRACK": "mlflow"}, "set MLFLOW_TRACKING_URI"),
    ],
)
def test_a_wrong_setting_ends_it(environment: dict[str, str], sentence: str, tmp_path: Path) -> None:
    done = ran(tmp_path, **environment)

    assert done.returncode == 1
    assert sentence in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("track", ["", "none"])
def test_nothing_is_written_down_unless_asked_for(track: str, tmp_path: Path) -> None:
    done = ran(tmp_path, TRACK=track)

    assert (done.returncode, done.stdout, done.stderr, list(tmp_path.iterdir())) == (0, "trained\n", "", [])


@pytest.mark.parametrize("track", ["mlflow", "wandb", "tensorboard"])
def test_a_package_that_is_missing_costs_a_sentence(track: str, tmp_path: Path) -> None:
    done = ran(tmp_path, TRACK=track, MLFLOW_TRACKING_URI="http://127.0.0.1:1")

    assert (done.returncode, done.stdout) == (0, "trained\n")
    assert done.stderr.startswith(f"not logged to {track}: ModuleNotFoundError: No module named '{track}")


@pytest.mark.mlflow
def test_mlflow_itself_has_the_training_and_one_that_is_away_costs_a_sentence(tmp_path: Path) -> None:
    python = os.environ[MLFLOW_PYTHON]
    with real_mlflow(tmp_path) as server:
        there = {"TRACK": "mlflow", "MLFLOW_TRACKING_URI": server.url}
        done = ran(tmp_path, python=python, **there)
        read = ran(tmp_path, READ, python, **there)
    away = ran(tmp_path, python=python, TRACK="mlflow", MLFLOW_TRACKING_URI=f"http://127.0.0.1:{free_ports(1)[0]}")

    assert done.stdout.splitlines()[-1] == away.stdout.splitlines()[-1] == "trained"
    assert json.loads(read.stdout.splitlines()[-1]) == [
        {"max_depth": "4"}, [[1, 0.5], [2, 0.25]], "sha256:0123abcd"
    ]  # fmt: skip
    assert "not logged to mlflow: " in away.stderr


@pytest.mark.wandb
def test_wandb_itself_has_it_in_its_offline_folder(tmp_path: Path) -> None:
    done = ran(tmp_path, python=os.environ[WANDB_PYTHON], TRACK="wandb")

    [written] = (tmp_path / "wandb").glob("offline-run-*/run-*.wandb")
    assert done.stdout.splitlines()[-1] == "trained"
    assert b"max_depth" in written.read_bytes()
    assert b"sha256:0123abcd" in written.read_bytes()
