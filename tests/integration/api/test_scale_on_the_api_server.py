"""The scale subresource of a Model on a real API server: kubectl, an autoscaler's reads and writes, its refusals."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from kubernetes import client

from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.core.snapshot import Ref
from tests.support.objects.refusals import ABOVE, REPLICAS, SOURCE
from tests.support.operator.real_apiserver import RealApiServer

pytestmark = pytest.mark.integration

NAME = "scaled"
SCALER = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": NAME, "namespace": "demo"},
    "spec": {
        "scaleTargetRef": {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Model", "name": NAME},
        "minReplicas": 2,
        "maxReplicas": 6,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
            }
        ],
    },
}


@pytest.fixture(autouse=True)
def no_model_is_left(apiserver: RealApiServer) -> Iterator[None]:
    """Models that are really kept would be taken up by operators of later tests."""
    yield
    apiserver.run("kubectl", "delete", "model", NAME, "-n", "demo", "--ignore-not-found")


def kept(apiserver: RealApiServer, **spec: Any) -> None:
    """Applies a Model and lets it be stored."""
    model = {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "Model",
        "metadata": {"name": NAME, "namespace": "demo"},
        "spec": {"source": SOURCE, **spec},
    }
    done = apiserver.run("kubectl", "apply", "-f", "-", stdin=json.dumps(model))
    assert done.returncode == 0, done.stderr


def scale(apiserver: RealApiServer) -> dict[str, Any]:
    """What an autoscaler reads."""
    at = f"/apis/modelyard.dev/v1alpha1/namespaces/demo/models/{NAME}/scale"
    done = apiserver.run("kubectl", "get", "--raw", at)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def by_kubectl(apiserver: RealApiServer, replicas: int) -> str:
    """What `kubectl scale` complains of; empty when it did it."""
    done = apiserver.run("kubectl", "scale", "model", NAME, "-n", "demo", f"--replicas={replicas}")
    return done.stderr if done.returncode else ""


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"serving": {"runtime": "cpu"}},
        {"serving": {"replicas": 2}},
        {"scaling": {"minReplicas": 1, "maxReplicas": 4}},
    ],
    ids=["nothing said", "no number said", "a number", "a range"],
)
def test_kubectl_scales_a_model_whatever_it_said_of_replicas(apiserver: RealApiServer, spec: dict[str, Any]) -> None:
    kept(apiserver, **spec)
    before = scale(apiserver)["spec"]["replicas"]

    assert by_kubectl(apiserver, 3) == ""

    assert before == spec.get("serving", {}).get("replicas", 1)
    assert scale(apiserver)["spec"]["replicas"] == 3
    stored = Cluster(access(apiserver.kubeconfig)).get(Ref("Model", "demo", NAME)) or {}
    assert stored["spec"]["serving"]["replicas"] == 3


def test_a_number_no_model_can_have_is_refused_with_a_sentence_and_changes_nothing(apiserver: RealApiServer) -> None:
    kept(apiserver, scaling={"minReplicas": 1, "maxReplicas": 4})

    assert ABOVE in by_kubectl(apiserver, 5)
    assert REPLICAS in by_kubectl(apiserver, 0)
    assert scale(apiserver)["spec"]["replicas"] == 1


def test_an_autoscaler_reads_the_status_and_writes_the_number(apiserver: RealApiServer) -> None:
    kept(apiserver)
    cluster = Cluster(access(apiserver.kubeconfig))
    ref = Ref("Model", "demo", NAME)
    uid = (cluster.get(ref) or {})["metadata"]["uid"]
    selector = "modelyard.dev/revision=scaled-0123456789"
    cluster.apply_status(ref, uid, {"replicas": 2, "selector": selector})

    read = scale(apiserver)
    read["spec"]["replicas"] = 4
    api = client.CustomObjectsApi(apiserver.client)
    api.replace_namespaced_custom_object_scale("modelyard.dev", "v1alpha1", "demo", "models", NAME, read)

    assert read["status"] == {"replicas": 2, "selector": selector}
    assert scale(apiserver)["spec"]["replicas"] == 4


def test_applying_the_file_again_leaves_the_number_an_autoscaler_chose(apiserver: RealApiServer) -> None:
    kept(apiserver, slo={"errorRate": "1%"})
    by_kubectl(apiserver, 3)

    kept(apiserver, slo={"errorRate": "2%"})

    assert scale(apiserver)["spec"]["replicas"] == 3


def test_an_autoscaler_may_point_at_a_model(apiserver: RealApiServer) -> None:
    assert apiserver.complaint(yaml.safe_dump(SCALER)) == ""
