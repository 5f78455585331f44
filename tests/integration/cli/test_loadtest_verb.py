"""`modelyard loadtest --in-cluster`, against a real API server; the test plays the Job's controller and its pod."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard.cli.platform_settings import platform_settings
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.core.resources.check_jobs import FILES
from modelyard.core.snapshot import Ref
from tests.support.machine.command_line import Ran, modelyard
from tests.support.operator.bench import eventually
from tests.support.operator.real_apiserver import RealApiServer

pytestmark = pytest.mark.integration
SPACE, MODEL, HOME = "demo", "loaded", "modelyard-system"
CONFIG = {"gateway": {"url": "http://gateway.here"}, "build": {"image": "docker.io/modelyard/builder:9"}}
NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"


@pytest.fixture
def cluster(apiserver: RealApiServer) -> Iterator[Cluster]:
    made = Cluster(access(apiserver.kubeconfig))
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "modelyard-operator", "namespace": HOME}}
    model = {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "Model",
        "metadata": {"name": MODEL, "namespace": SPACE},
        "spec": {"source": {"name": "digits", "version": "1"}},
    }
    written = yaml.safe_dump_all([{**config, "data": {"config.yaml": yaml.safe_dump(CONFIG)}}, model])
    eventually(lambda: apiserver.run("kubectl", "apply", "-f", "-", stdin=written).returncode == 0, "both are kept")
    yield made
    apiserver.run("kubectl", "delete", "configmap", "modelyard-operator", "-n", HOME)
    made.delete(Ref("Model", SPACE, MODEL))


def play(api: RealApiServer, cluster: Cluster, exit_code: int, message: str, jobs: list[dict[str, Any]]) -> None:
    """The pod ends with these last words, and then the Job."""

    def started() -> dict[str, Any] | None:
        found = cluster.items("Job", HOME, "app.kubernetes.io/name=modelyard-loadtest")
        return next((job for job in found if "conditions" not in job.get("status", {})), None)

    job = eventually(started, "there is a Job")
    jobs.append(job)
    name = job["metadata"]["name"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": HOME, "labels": {"job-name": name}},
        "spec": {"containers": [{"name": "check", "image": "docker.io/modelyard/builder:9"}]},
    }
    cluster.create(pod)
    ended = {"exitCode": exit_code, "message": message, "reason": "Error", "startedAt": NOW, "finishedAt": LATER}
    status = {"name": "check", "image": "i", "imageID": "i", "ready": False, "restartCount": 0}
    patch(api, "pod", name, {"phase": "Failed", "containerStatuses": [{**status, "state": {"terminated": ended}}]})
    rows = [
        {"type": kind, "status": "True", "reason": "BackoffLimitExceeded", "message": "it ended",
         "lastProbeTime": LATER, "lastTransitionTime": LATER}
        for kind in ("FailureTarget", "Failed")
    ]  # fmt: skip
    patch(api, "job", name, {"startTime": NOW, "failed": 1, "conditions": rows})


def patch(api: RealApiServer, kind: str, name: str, status: dict[str, Any]) -> None:
    words = (
        "patch",
        kind,
        name,
        "-n",
        HOME,
        "--subresource=status",
        "--type=merge",
        "-p",
        json.dumps({"status": status}),
    )
    done = api.run("kubectl", *words)
    assert done.returncode == 0, done.stderr


def run(api: RealApiServer, folder: Path, name: str = MODEL, *more: str) -> Ran:
    (folder / "body.json").write_text('{"inputs": []}')
    (folder / "mine.yaml").write_text(
        "model: another\nload: {steady: {rate: 10}}\nduration: 5s\n"
        "inputs: {tensors: [{name: x, datatype: FP32, shape: [1]}]}\n"
    )
    words = ("loadtest", name, "-n", SPACE, "--scenario", "mine.yaml", "--in-cluster", *more)
    return modelyard(*words, cwd=folder, KUBECONFIG=str(api.kubeconfig), NO_COLOR="1")


@pytest.mark.parametrize(
    ("exit_code", "message", "code", "said"),
    [
        (1, json.dumps({"passed": False, "message": "too slow."}), 1, "too slow."),
        (2, json.dumps({"reason": "Unusable", "message": "nobody answers."}), 2, "nobody answers."),
        (137, "", 2, "no verdict: the load test ended with exit code 137 it ended"),
    ],
)
def test_the_end_of_the_job_is_the_end_of_the_verb(
    apiserver: RealApiServer, cluster: Cluster, tmp_path: Path, exit_code: int, message: str, code: int, said: str
) -> None:
    jobs: list[dict[str, Any]] = []
    player = threading.Thread(target=play, args=(apiserver, cluster, exit_code, message, jobs))
    player.start()

    ran = run(apiserver, tmp_path, MODEL, "--workers", "2")
    player.join()

    assert (ran.code, said in " ".join(ran.out.split())) == (code, True), ran.out + ran.err
    [container] = jobs[0]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == CONFIG["build"]["image"]
    assert container["command"][-6:] == ["--model", MODEL, "--namespace", SPACE, "--processes", "2"]
    assert next(row for row in container["env"] if row["name"] == FILES)["value"].startswith('{"mine.yaml"')
    assert CONFIG["gateway"]["url"] in container["command"]


def test_a_model_that_does_not_exist_gets_no_job(apiserver: RealApiServer, cluster: Cluster, tmp_path: Path) -> None:
    ran = run(apiserver, tmp_path, "nobody")

    assert ran.code == 2
    assert "there is no Model nobody in namespace demo" in ran.err


def test_what_the_platform_is_set_to_is_read_from_its_own_place(cluster: Cluster) -> None:
    assert platform_settings(cluster).gateway.url == CONFIG["gateway"]["url"]
