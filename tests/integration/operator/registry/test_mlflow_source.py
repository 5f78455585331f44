"""Models that name MLflow's models, on a real API server and store, with the sync as a program of its own.

MLflow is simulated; with the marker `mlflow` the same story is told with a real server.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests.support.operator.bench import Bench, eventually
from tests.support.operator.replicas import MODELYARD
from tests.support.servers.mlflow.calls import MlflowUser, onnx_files
from tests.support.servers.mlflow.real import real_mlflow
from tests.support.servers.mlflow.simulated import simulated_mlflow

FRAUD = {"registry": "mlflow", "name": "fraud-check", "alias": "champion"}
_LOG = """
import mlflow.onnx, onnx
from onnx import helper, TensorProto
graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "g",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
model.ir_version = 10
with mlflow.start_run():
    mlflow.log_metric("auc", 0.9)
    mlflow.onnx.log_model(model, name="model", registered_model_name="Fraud Check", pip_requirements=["onnx"])
"""


class Registry(NamedTuple):
    """An MLflow server: who uses it, how somebody logs and registers a model, and how it goes away and comes back."""

    user: MlflowUser
    log: Callable[[], object]
    away: Callable[[], None]
    back: Callable[[], None]


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.mlflow)])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    if request.param == "simulated":
        with simulated_mlflow() as server:
            user = MlflowUser(server.url)
            fails = (lambda: setattr(server, "fails", 503)), (lambda: setattr(server, "fails", 0))
            yield Registry(user, lambda: user.register("Fraud Check"), *fails)
    else:
        folder = tmp_path / "mlflow"
        folder.mkdir()
        with real_mlflow(folder) as real:
            yield Registry(MlflowUser(real.url), lambda: real.run(_LOG), real.stop, real.start)


@contextmanager
def syncing(bench: Bench, url: str) -> Iterator["subprocess.Popen[bytes]"]:
    """`modelyard mlflow sync --watch`, a round a second."""
    store = bench.settings.store
    config = {
        "store": {"endpoint": store.endpoint, "bucket": store.bucket},
        "mlflow": {"url": url, "intervalSeconds": 1, "writeBack": True, "promotedAlias": "proved", "port": 0},
    }
    path = bench.folder / "sync.yaml"
    path.write_text(yaml.safe_dump(config))
    environment = {
        **os.environ,
        "KUBECONFIG": str(bench.api.kubeconfig),
        "MODELYARD_CONFIG": str(path),
        "MODELYARD_STORE_ACCESS_KEY_ID": store.access_key_id,
        "MODELYARD_STORE_SECRET_ACCESS_KEY": store.secret_access_key.get_secret_value(),
    }
    with (bench.folder / "sync.log").open("wb") as sink:
        process = subprocess.Popen([str(MODELYARD), "mlflow", "sync", "--watch"], env=environment, stderr=sink)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def version(bench: Bench) -> str:
    return bench.status("fraud").get("version", "")


def until_noticed(bench: Bench, reason: str) -> str:
    """The sentence of EntryResolved once it has that reason; what serves is untouched."""
    said = bench.until("fraud", "EntryResolved", "True", reason)
    assert bench.condition("fraud", "Serving")["status"] == "True"
    return said["message"]


def test_log_register_alias_and_whatever_happens_to_mlflow_then(bench: Bench, registry: Registry) -> None:
    user = registry.user
    registry.log()
    user.set_alias("Fraud Check", "champion", "1")
    bench.ask("fraud", source=FRAUD)
    with bench.players.playing(), bench.operating(alias_seconds=0.5), syncing(bench, user.url) as sync:
        bench.until("fraud", "Reconciling", "False", "Done", 120)
        entry = bench.status("fraud")["entry"]
        assert (entry["name"], entry["version"], entry["digest"][:7]) == ("fraud-check", "1", "sha256:")
        key = f"modelyard.stage.{bench.namespace}.fraud"
        eventually(lambda: user.tags("Fraud Check", "1").get(key) == "Serving", "MLflow is told who serves")

        registry.log()
        bench.socket.silent = True
        user.set_alias("Fraud Check", "champion", "2")
        bench.until("fraud", "Reconciling", "True", "WarmupFailed", 120)
        user.register("Fraud Check", metrics={"auc": 0.95})
        user.set_alias("Fraud Check", "champion", "3")
        eventually(lambda: bench.status("fraud")["entry"]["version"] == "3", "the alias moved in the middle of it")
        assert version(bench) == "1"
        bench.socket.silent = False
        eventually(lambda: version(bench) == "3", "version 3 serves")

        user.register("Fraud Check", onnx_files(flavors={"spark": {}}))
        user.set_alias("Fraud Check", "champion", "4")
        assert "only the flavors spark" in until_noticed(bench, "VersionRefused")
        user.delete_version("Fraud Check", "4")
        assert "has no alias champion any more" in until_noticed(bench, "AliasGone")
        user.set_alias("Fraud Check", "champion", "3")
        until_noticed(bench, "Found")
        user.delete_version("Fraud Check", "3")
        until_noticed(bench, "AliasGone")

        registry.away()
        assert "Version 3 stands." in until_noticed(bench, "RegistryUnreachable")
        registry.back()
        until_noticed(bench, "AliasGone")
        assert (version(bench), bench.condition("fraud", "Ready")["status"]) == ("3", "True")

        sync.send_signal(signal.SIGTERM)
        assert sync.wait(30) == 0
