"""A model's whole way from MLflow's own server: logged, registered, a canary, promoted, and served without MLflow.

The server is that of the add-on: its database on a volume, its files in the platform's store.
"""

from collections.abc import Iterator

import pytest
import yaml

from tests.support.cluster.kubectl import CONFIG, ROOT, eventually, kubectl, run
from tests.support.cluster.models import until
from tests.support.cluster.rollout_under_load import NAME, RolloutUnderLoad, a_canary, unharmed
from tests.support.servers.mlflow.calls import MlflowUser, onnx_files

pytestmark = pytest.mark.proof
SERVER = ("deployment/mlflow", "-n", "mlflow")


def logged(version: str) -> dict[str, bytes]:
    """The files that MLflow keeps of this version of the digits, with the samples that were logged beside it."""
    folder = ROOT / "model-repo" / "digits" / version
    files = {name: (folder / name).read_bytes() for name in ("model.onnx", "eval.npz")}
    return {"MLmodel": onnx_files()["MLmodel"], **files}


def scaled(replicas: int) -> None:
    kubectl("scale", *SERVER, f"--replicas={replicas}")
    kubectl("rollout", "status", *SERVER, "--timeout=110s")


@pytest.fixture
def mlflow() -> Iterator[MlflowUser]:
    """Somebody who uses the server; afterwards it runs, whatever the test did to it."""
    yield MlflowUser(yaml.safe_load(CONFIG.read_text())["mlflow"]["url"])
    kubectl("scale", *SERVER, "--replicas=1")


def test_from_log_to_champion_and_on_without_mlflow(namespace: str, mlflow: MlflowUser) -> None:
    name, stage = f"Digits {namespace}", f"modelyard.stage.{namespace}.{NAME}"
    first = mlflow.register(name, logged("1"), {"accuracy": 0.97})
    mlflow.set_alias(name, "challenger", first)
    source = {"registry": "mlflow", "name": f"digits-{namespace}", "alias": "challenger"}

    with RolloutUnderLoad(namespace, a_canary(50), source=source) as tried:
        second = mlflow.register(name, logged("2"))
        mlflow.set_alias(name, "challenger", second)
        ended = tried.ended(seconds=300)
        candidate = tried.alone()
        assert (ended["outcome"], ended["version"]) == ("Promoted", second), ended["message"]
        eventually(lambda: mlflow.aliases(name).get("champion") == second, "what was promoted is the champion")
        eventually(lambda: mlflow.tags(name, second).get(stage) == "Serving", "MLflow is told who serves")
        assert mlflow.tags(name, second)["modelyard.digest"].startswith("sha256:")

        scaled(0)
        until(NAME, namespace, "EntryResolved", "True", "RegistryUnreachable")
        run("modelyard", "restart", NAME, "-n", namespace, seconds=300)
        until(NAME, namespace, "Ready", "True")
        scaled(1)
        until(NAME, namespace, "EntryResolved", "True", "Found")
        counts = tried.rest()

    unharmed(counts, tried.stable, candidate)
    assert mlflow.aliases(name) == {"challenger": second, "champion": second}
