"""`modelyard restart`, against a real API server; the test plays KServe and the Deployment's controller."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.core.names import RESTARTED_ANNOTATION
from modelyard.core.snapshot import Ref
from tests.support.machine.command_line import Ran, modelyard
from tests.support.objects.rollout_statuses import conditions
from tests.support.operator.bench import eventually
from tests.support.operator.real_apiserver import RealApiServer

pytestmark = pytest.mark.integration
SPACE, MODEL, REVISION = "demo", "restarted", "restarted-0123456789"
SERVICE, DEPLOYMENT = Ref("InferenceService", SPACE, REVISION), Ref("Deployment", SPACE, f"{REVISION}-predictor")


def manifests() -> list[dict[str, Any]]:
    """A Model, and what KServe has made of its one revision."""
    labels = {"app": REVISION}
    container = {"name": "kserve-container", "image": "docker.io/modelyard/triton-cpu:0.1.0"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    predictor = {"model": {"modelFormat": {"name": "triton"}, "storageUri": "s3://b/x/"}}
    return [
        {
            "apiVersion": "modelyard.dev/v1alpha1",
            "kind": "Model",
            "metadata": {"name": MODEL, "namespace": SPACE},
            "spec": {"source": {"name": "digits", "version": "1"}},
        },
        {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": REVISION, "namespace": SPACE},
            "spec": {"predictor": predictor},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": DEPLOYMENT.name, "namespace": SPACE},
            "spec": spec,
        },
    ]


@pytest.fixture
def cluster(apiserver: RealApiServer) -> Iterator[Cluster]:
    made = Cluster(access(apiserver.kubeconfig))

    def applied() -> bool:
        return apiserver.run("kubectl", "apply", "-f", "-", stdin=yaml.safe_dump_all(manifests())).returncode == 0

    eventually(applied, "the API server keeps every kind")
    yield made
    for ref in (Ref("Model", SPACE, MODEL), SERVICE, DEPLOYMENT):
        made.delete(ref)


def serve(cluster: Cluster) -> None:
    """The operator writes that the revision serves."""
    serving = {"name": REVISION, "slot": "a", "digest": f"sha256:{'0' * 64}", "version": "1", "runtime": "r"}
    since = {"stage": "Serving", "stageStartTime": "2026-01-01T00:00:00Z", "ready": True, "weight": 100}
    model = cluster.get(Ref("Model", SPACE, MODEL))
    assert model is not None
    status = {"observedGeneration": 1, "conditions": conditions(), "revisions": [serving | since]}
    cluster.apply_status(Ref("Model", SPACE, MODEL), model["metadata"]["uid"], status)


def play(api: RealApiServer, cluster: Cluster, seen: list[str]) -> None:
    """KServe carries the annotation over into the pods' template, and the Deployment makes new pods of it."""

    def annotated() -> str | None:
        service = cluster.get(SERVICE) or {"metadata": {}}
        return service["metadata"].get("annotations", {}).get(RESTARTED_ANNOTATION)

    stamp = eventually(annotated, "the InferenceService has the annotation")
    seen.append(stamp)
    cluster.merge(DEPLOYMENT, {"spec": {"template": {"metadata": {"annotations": {RESTARTED_ANNOTATION: stamp}}}}})
    generation = (cluster.get(DEPLOYMENT) or {})["metadata"]["generation"]
    counts = dict.fromkeys(("replicas", "readyReplicas", "updatedReplicas", "availableReplicas"), 1)
    patch = yaml.safe_dump({"status": {"observedGeneration": generation, **counts}})
    words = ("patch", "deployment", DEPLOYMENT.name, "-n", SPACE, "--subresource=status", "--type=merge", "-p", patch)
    assert api.run("kubectl", *words).returncode == 0


def run(api: RealApiServer, folder: Path, *options: str) -> Ran:
    words = ("restart", MODEL, "-n", SPACE, *options)
    return modelyard(*words, cwd=folder, KUBECONFIG=str(api.kubeconfig), NO_COLOR="1")


def test_it_ends_when_every_pod_is_a_new_one(apiserver: RealApiServer, cluster: Cluster, tmp_path: Path) -> None:
    serve(cluster)
    seen: list[str] = []
    player = threading.Thread(target=play, args=(apiserver, cluster, seen))
    player.start()

    ran = run(apiserver, tmp_path)
    player.join()

    assert ran.code == 0, ran.err
    assert ran.out.strip() == f"restarted {REVISION}"
    assert len(seen) == 1


def test_pods_that_do_not_come_are_waited_for_and_the_old_ones_stay(
    apiserver: RealApiServer, cluster: Cluster, tmp_path: Path
) -> None:
    serve(cluster)

    ran = run(apiserver, tmp_path, "--timeout", "1s")

    assert ran.code == 1
    assert "are not all new after 1s; the old ones serve until they are" in " ".join(ran.err.split())


def test_a_model_without_pods_has_nothing_to_restart(
    apiserver: RealApiServer, cluster: Cluster, tmp_path: Path
) -> None:
    ran = run(apiserver, tmp_path)

    assert ran.code == 2
    assert f"{SPACE}/{MODEL} has no pods to restart" in ran.err
