"""`modelyard capacity` as a person types it: what a real API server knows of nodes and pods, and what was measured."""

import json
from typing import Any
from uuid import uuid4

import pytest
import yaml

from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.core.names import predictor
from modelyard.core.snapshot import Ref
from tests.support.machine.command_line import Ran, modelyard
from tests.support.operator.real_apiserver import RealApiServer

pytestmark = pytest.mark.integration


@pytest.fixture
def model(apiserver: RealApiServer) -> str:
    """A Model of which one replica takes on 80 requests a second; its pods request 500m and fit one node of 2 cores."""
    name = f"digits-{uuid4().hex[:8]}"
    pool = {"pool": name}
    metadata = {"name": name, "namespace": "demo"}
    spec = {"source": {"name": "digits", "version": "1"}, "scaling": {"minReplicas": 1, "maxReplicas": 3}}
    pods = {
        "nodeSelector": pool,
        "containers": [{"name": "server", "image": "triton", "resources": {"requests": {"cpu": "500m"}}}],
    }
    labels = {"app": name}
    frame = {"name": predictor(f"{name}-r"), "namespace": "demo"}
    deployment = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": frame,
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pods}},
    }  # fmt: skip
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"node-{name}", "labels": pool}}
    busy = {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"busy-{name}", "namespace": "demo"},
        "spec": {**pods, "nodeName": f"node-{name}"},
    }  # fmt: skip
    made = {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Model", "metadata": metadata, "spec": spec}
    for thing in (node, deployment, busy, made):
        done = apiserver.run("kubectl", "apply", "-f", "-", stdin=yaml.safe_dump(thing))
        assert done.returncode == 0, done.stderr
    has = json.dumps({"status": {"allocatable": {"cpu": "2", "memory": "8Gi"}}})
    given = ("patch", "node", f"node-{name}", "--subresource=status", "--type=merge", "-p", has)
    ready = ("taint", "node", f"node-{name}", "node.kubernetes.io/not-ready:NoSchedule-")  # every new one has it
    for change in (given, ready):
        done = apiserver.run("kubectl", *change)
        assert done.returncode == 0, done.stderr
    cluster = Cluster(access(apiserver.kubeconfig))
    ref = Ref("Model", "demo", name)
    read = cluster.get(ref)
    assert read is not None
    capacity = {"requestsPerSecond": 80, "at": "p99<50ms", "cpu": 1, "measured": True}
    cluster.apply_status(ref, read["metadata"]["uid"], {"revision": f"{name}-r", "replicas": 1, "capacity": capacity})
    return name


def ask(apiserver: RealApiServer, name: str, *flags: str) -> Ran:
    cwd = apiserver.kubeconfig.parent
    return modelyard("capacity", name, "-n", "demo", *flags, cwd=cwd, KUBECONFIG=str(apiserver.kubeconfig))


def test_the_plan_counts_what_there_is_and_what_is_free(apiserver: RealApiServer, model: str) -> None:
    print(apiserver.run("kubectl", "get", "node", f"node-{model}", "-o", "json").stdout)
    fits = ask(apiserver, model, "--rps", "180", "-o", "json")
    assert fits.code == 0, fits.err + fits.out
    found: dict[str, Any] = json.loads(fits.out)
    assert (found["replicas"], found["replicasNow"], found["roomForMore"], found["cores"]) == (3, 1, 3, 1.5)

    lacks = ask(apiserver, model, "--rps", "500")
    assert lacks.code == 1
    assert "The cluster has room for 3 more: 5 would stay Pending." in lacks.out
    assert "scaling.maxReplicas is 3: raise it to 9." in lacks.out


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--rps", "0"), "is no load"),
        (("--rps", "10", "--slo", "p99<5ms"), "was measured at p99<50ms, not at p99<5ms"),
    ],
)
def test_what_cannot_be_planned_is_a_sentence(
    apiserver: RealApiServer, model: str, flags: tuple[str, ...], said: str
) -> None:
    ran = ask(apiserver, model, *flags)

    assert ran.code == 2
    assert said in ran.err


def test_one_that_was_not_measured_can_be_told_what_it_takes_on(apiserver: RealApiServer, model: str) -> None:
    ran = ask(apiserver, model, "--rps", "100", "--slo", "p99<5ms", "--per-replica", "100", "-o", "json")

    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["replicas"] == 2
