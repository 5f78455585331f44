"""Deployments as MLflow's plugin makes them, on a real API server with an operator at work.

What the sync with MLflow brings in is there already. With the marker `mlflow` the same is typed with MLflow's own
command, in the Python that has it.
"""

import json
import os
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelyard.errors import Conflict, DeadlineExceeded, InvalidModel, UserError
from modelyard.mlflow_plugin.deployments import ModelDeployments
from tests.support.operator.bench import Bench, eventually
from tests.support.servers.inference_server import running
from tests.support.servers.mlflow.real import PYTHON

AT_ONCE = {"rollout.strategy": "Immediate"}
PLATFORM = Path(__file__).resolve().parents[4] / "platform"


@pytest.fixture
def fraud(bench: Bench) -> Iterator[Bench]:
    """A bench at work, with two versions of an entry that came from MLflow's model Fraud Check."""
    for version in ("1", "2"):
        bench.push("fraud-check", version)
    with bench.players.playing(), bench.operating():
        yield bench


@pytest.fixture
def deployments(fraud: Bench) -> ModelDeployments:
    return ModelDeployments(fraud.cluster, fraud.namespace)


def test_a_deployment_is_a_model_from_its_creation_to_its_end(fraud: Bench, deployments: ModelDeployments) -> None:
    made = deployments.create("fraud", "models:/Fraud Check/1", config={**AT_ONCE, "serving.replicas": "2"})

    assert (made["name"], made["flavor"], made["ready"], made["version"]) == ("fraud", "onnx", True, "1")
    assert (made["registry"], made["source"]) == ("mlflow", "fraud-check:1")
    written = fraud.get("Model", "fraud")
    assert written is not None
    assert written["spec"]["serving"]["replicas"] == 2
    with pytest.raises(Conflict, match=r"there is a Model fraud in namespace .* already: update it"):
        deployments.create("fraud", "models:/Fraud Check/2")

    changed = deployments.update("fraud", "models:/Fraud Check/2")

    assert (changed["version"], changed["ready"]) == ("2", True)
    assert [(one["name"], one["version"]) for one in deployments.every()] == [("fraud", "2")]
    assert eventually(lambda: deployments.every() == [deployments.one("fraud")], "the list says what the Model does")
    deployments.delete("fraud")
    deployments.delete("fraud")
    assert deployments.every() == []
    with pytest.raises(InvalidModel, match="there is no Model fraud"):
        deployments.one("fraud")


def test_a_version_that_cannot_be_served_is_no_deployment(fraud: Bench, deployments: ModelDeployments) -> None:
    deployments.create("fraud", "models:/Fraud Check/1", config=AT_ONCE)
    fraud.players.failures["2"] = {"reason": "UnsupportedModel", "message": "it has an operator that is not served."}

    with pytest.raises(UserError, match="an operator that is not served"):
        deployments.update("fraud", "models:/Fraud Check/2")

    assert deployments.one("fraud")["version"] == "1"


def test_a_rollout_that_takes_longer_goes_on_and_is_told(fraud: Bench, deployments: ModelDeployments) -> None:
    fraud.socket.silent = True

    with pytest.raises(DeadlineExceeded, match="is not through after 2 s, and goes on"):
        deployments.create("fraud", "models:/Fraud Check/1", config={**AT_ONCE, "timeout": "2s"})
    fraud.socket.silent = False
    told = deployments.update("fraud", config={"serving.replicas": "3"})

    assert (told["ready"], told["version"]) == (True, "1")


def test_nothing_is_written_of_what_makes_no_sense(fraud: Bench, deployments: ModelDeployments) -> None:
    for flavor, config in (("spark", None), (None, {"replicas": "2"}), (None, {"scaling.most": "2"})):
        with pytest.raises(InvalidModel):
            deployments.create("fraud", "models:/Fraud Check/1", flavor, config)
    with pytest.raises(InvalidModel, match="there is no Model fraud"):
        deployments.update("fraud", "models:/Fraud Check/2")

    deployments.create("fraud", "models:/Fraud Check/1", config={**AT_ONCE, "timeout": "0"})
    with pytest.raises(InvalidModel, match="nothing is said to change of fraud"):
        deployments.update("fraud", config={"timeout": "0"})

    assert fraud.names("Model") == ["fraud"]


class MlflowCommand:
    """`mlflow deployments`, in the Python that has MLflow, with the plugin as a wheel would bring it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        name = tomllib.loads((PLATFORM / "pyproject.toml").read_text())["project"]["name"]
        points = tomllib.loads((PLATFORM / "pyproject.toml").read_text())["project"]["entry-points"]
        metadata = folder / f"{name}-0.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0\n")
        (metadata / "entry_points.txt").write_text(
            "".join(
                f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in rows.items())
                for group, rows in points.items()
            )
        )
        self._folder = folder
        path = os.pathsep.join([str(folder), str(PLATFORM / "src")])
        self._environment = {**os.environ, "PYTHONPATH": path, "MLFLOW_DISABLE_TELEMETRY": "true", **environment}

    def __call__(self, verb: str, *words: str, code: int = 0) -> str:
        """What it printed; its errors too where it is to fail with `code`."""
        command = [os.environ[PYTHON], "-m", "mlflow", "deployments", verb, *words]
        done = subprocess.run(
            command, cwd=self._folder, env=self._environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == code, done.stderr[-3000:]
        return done.stdout + (done.stderr if code else "")


@pytest.mark.mlflow
def test_mlflows_own_command_makes_changes_lists_and_deletes(fraud: Bench, tmp_path: Path) -> None:
    mlflow = MlflowCommand(tmp_path / "plugin", KUBECONFIG=str(fraud.api.kubeconfig))
    target = ("-t", f"modelyard:/{fraud.namespace}")
    named = (*target, "--name", "fraud")

    created = mlflow("create", *named, "-m", "models:/Fraud Check/1", "-C", "rollout.strategy=Immediate")
    refused = mlflow("create", *named, "-m", "runs:/0123/model", code=1)
    updated = mlflow("update", *named, "-m", "models:/Fraud Check/2")
    described = mlflow("get", *named)
    listed = mlflow("list", *target)
    deleted = mlflow("delete", *named)

    assert "onnx deployment fraud is created" in created
    assert "register it (mlflow.register_model)" in refused
    assert "Deployment fraud is updated (with flavor onnx)" in updated
    assert "version: 2" in described
    assert "'name': 'fraud'" in listed
    assert "Deployment fraud is deleted" in deleted
    assert fraud.names("Model") == []
    assert "modelyard:/NAMESPACE" in mlflow("help", "-t", "modelyard")
    assert "modelyard serve" in mlflow("run-local", *named, "-m", "models:/Fraud Check/1", code=1)


@pytest.mark.mlflow
def test_mlflows_own_command_asks_a_model(tmp_path: Path) -> None:
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps([{"x": [1, 2], "word": "one"}]))
    with running() as served:
        mlflow = MlflowCommand(
            tmp_path / "plugin",
            MODELYARD_GATEWAY_PUBLIC_URL=served.http,
            MODELYARD_GATEWAY_DOMAIN="models.local",
        )
        answer = mlflow("predict", "-t", "modelyard:/demo", "--name", "double", "-I", str(rows))

    assert json.loads(answer.splitlines()[-1]) == {"y_0": {"0": 2.0}, "y_1": {"0": 4.0}, "word": {"0": "one"}}
