"""`modelyard tune NAME`: a copy of what a Model serves, from a real store, and the objective of its own spec."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.core.names import build_digest
from modelyard.core.snapshot import Ref
from modelyard.settings import StoreSettings
from tests.support.artifacts.entries import an_entry
from tests.support.machine.command_line import Ran, modelyard
from tests.support.objects.rollout_statuses import conditions
from tests.support.operator.bench import eventually
from tests.support.operator.real_apiserver import RealApiServer
from tests.support.servers.store import StoreServer

pytestmark = pytest.mark.integration
SPACE, MODEL, REVISION = "demo", "tuned", "tuned-0123456789"
REF = Ref("Model", SPACE, MODEL)


@pytest.fixture
def where(store_server: StoreServer) -> StoreSettings:
    return store_server.settings(store_server.new_bucket())


@pytest.fixture
def cluster(apiserver: RealApiServer) -> Iterator[Cluster]:
    made = Cluster(access(apiserver.kubeconfig))
    yield made
    made.delete(REF)


def apply(apiserver: RealApiServer, **spec: Any) -> None:
    """Somebody applies the Model."""
    model = {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "Model",
        "metadata": {"name": MODEL, "namespace": SPACE},
        "spec": {"source": {"name": "toy", "version": "1"}, **spec},
    }

    def applied() -> bool:
        return apiserver.run("kubectl", "apply", "-f", "-", stdin=yaml.safe_dump(model)).returncode == 0

    eventually(applied, "the API server keeps the Model")


def serve(cluster: Cluster, digest: str) -> None:
    """The operator writes that the build serves."""
    serving = {"name": REVISION, "slot": "a", "digest": digest, "version": "1", "runtime": "r", "stage": "Serving"}
    model = cluster.get(REF)
    assert model is not None
    status = {"conditions": conditions(), "revisions": [serving], "revision": REVISION}
    cluster.apply_status(REF, model["metadata"]["uid"], status)


def tuned(apiserver: RealApiServer, where: StoreSettings, folder: Path, *options: str) -> Ran:
    words = ("tune", MODEL, "-n", SPACE, "--cpus", "1", "--seconds", "0.3", "--most", "1", "-o", "json", *options)
    return modelyard(*words, store=where, cwd=folder, KUBECONFIG=str(apiserver.kubeconfig), NO_COLOR="1")


def test_what_a_model_serves_is_tuned_for_its_own_objective(
    apiserver: RealApiServer, cluster: Cluster, where: StoreSettings, tmp_path: Path
) -> None:
    entry = an_entry(tmp_path / "toy")
    modelyard("push", entry, store=where, cwd=tmp_path)
    built = modelyard("build", "toy:1", "--name", MODEL, "--publish", "-o", "json", store=where, cwd=tmp_path)
    report = json.loads(built.out)
    assert report["digest"] == build_digest(report["source"]["digest"], MODEL, {})
    apply(apiserver, slo={"latency": {"percentile": 99, "threshold": "10s"}})
    serve(cluster, report["digest"])

    ran = tuned(apiserver, where, tmp_path)

    tuning = json.loads(ran.out)
    assert ran.code in (0, 2), ran.err  # a tiny model may be faster than any client
    assert (tuning["percentile"], tuning["threshold"]) == (99.0, 10_000.0)
    assert (tmp_path / f"{MODEL}-build" / "repository" / MODEL / "config.pbtxt").is_file()
    assert cluster.get(REF) is not None


def test_without_an_objective_or_an_artifact_nothing_is_done(
    apiserver: RealApiServer, cluster: Cluster, where: StoreSettings, tmp_path: Path
) -> None:
    apply(apiserver)
    serve(cluster, f"sha256:{'0' * 64}")

    ran = tuned(apiserver, where, tmp_path)
    absent = tuned(apiserver, where, tmp_path, "--slo", "p99=50ms")

    assert (ran.code, absent.code) == (2, 2)
    assert "say what is to be kept: --slo p99=50ms" in " ".join(ran.err.replace("│", " ").split())
    assert "is not in the store: build the entry again" in " ".join(absent.err.split())
    assert not (tmp_path / f"{MODEL}-build").exists()


def test_a_model_that_serves_nothing_cannot_be_tuned(
    apiserver: RealApiServer, cluster: Cluster, where: StoreSettings, tmp_path: Path
) -> None:
    apply(apiserver)

    ran = tuned(apiserver, where, tmp_path, "--slo", "p99=50ms")

    assert ran.code == 2
    assert f"{MODEL} in namespace {SPACE} serves nothing yet" in " ".join(ran.err.split())
