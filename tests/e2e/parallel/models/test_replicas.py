"""What a platform engineer does to a Model's pods: scales it, places it, drains its node, counts its costs."""

import json

import pytest

from tests.support.cluster.kubectl import eventually, get, items, kubectl
from tests.support.cluster.models import a_model, applied, until

TOLERATED = {"key": "dedicated", "operator": "Equal", "value": "models", "effect": "NoSchedule"}
PLACED = {"replicas": 2, "nodeSelector": {"kubernetes.io/os": "linux"}, "tolerations": [TOLERATED]}
SMALL = {"requests": {"cpu": "10m"}}


@pytest.fixture(scope="module")
def revision(shared_namespace: str) -> str:
    """The revision of a Model of two replicas with a team and a place."""
    manifest = a_model("placed", shared_namespace, serving={**PLACED, "resources": SMALL})
    manifest["metadata"]["labels"] = {"team": "vision", "secret-team": "no"}
    applied(manifest)
    return until("placed", shared_namespace, "Reconciling", "False", "Done")["status"]["revision"]


def pods(revision: str, namespace: str) -> list[dict]:
    """The pods of a revision that are not ending."""
    found = items("pods", namespace, f"modelyard.dev/revision={revision}")
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def test_its_pods_are_where_and_whose_the_model_says(revision: str, shared_namespace: str) -> None:
    both = eventually(lambda: len(found := pods(revision, shared_namespace)) == 2 and found, "two pods")

    for pod in both:
        assert pod["spec"]["nodeSelector"] == PLACED["nodeSelector"]
        assert TOLERATED in pod["spec"]["tolerations"]
        [spread] = pod["spec"]["topologySpreadConstraints"]
        assert (spread["topologyKey"], spread["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "ScheduleAnyway")
        assert pod["metadata"]["labels"]["team"] == "vision"
        assert "secret-team" not in pod["metadata"]["labels"]


def test_a_drain_takes_one_replica_and_not_the_other(revision: str, shared_namespace: str) -> None:
    name = f"{revision}-predictor"

    def allowed() -> bool:
        budget = get("pdb", name, shared_namespace) or {}
        status = budget.get("status", {})
        return (status.get("expectedPods"), status.get("disruptionsAllowed")) == (2, 1)

    eventually(allowed, "the budget knows both pods and lets one go")
    first, second = pods(revision, shared_namespace)

    assert evicted(first, shared_namespace) == ""
    assert "disruption budget" in evicted(second, shared_namespace)
    eventually(allowed, "the replica is back and the next may go")


def evicted(pod: dict, namespace: str) -> str:
    """What the API server says against the eviction of a pod; empty when it goes."""
    name = pod["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
    at = f"/api/v1/namespaces/{namespace}/pods/{name}/eviction"
    done = kubectl("create", "--raw", at, "-f", "-", stdin=json.dumps(eviction), check=False)
    return done.stderr if done.returncode else ""


def test_a_label_that_changed_restarts_no_pod(revision: str, shared_namespace: str) -> None:
    before = {pod["metadata"]["uid"] for pod in pods(revision, shared_namespace)}

    kubectl("label", "model", "placed", "-n", shared_namespace, "team=sight", "--overwrite")
    model = until("placed", shared_namespace, "Reconciling", "False", "Done")

    assert model["status"]["revision"] == revision
    assert {pod["metadata"]["uid"] for pod in pods(revision, shared_namespace)} == before


def test_kubectl_scale_changes_the_replicas_and_one_has_no_budget(revision: str, shared_namespace: str) -> None:
    for number in (1, 2):
        kubectl("scale", "model", "placed", "-n", shared_namespace, f"--replicas={number}")

        def followed(number: int = number) -> bool:
            told = (get("model", "placed", shared_namespace) or {})["status"].get("replicas")
            budget = get("pdb", f"{revision}-predictor", shared_namespace)
            return told == number == len(pods(revision, shared_namespace)) and (budget is not None) == (number > 1)

        eventually(followed, f"{number} replicas")
    model = until("placed", shared_namespace, "Reconciling", "False", "Done")

    assert model["status"]["revision"] == revision
    assert model["status"]["selector"] == f"modelyard.dev/revision={revision}"
