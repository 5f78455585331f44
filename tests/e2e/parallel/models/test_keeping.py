"""What somebody else changes or deletes is put right, and the Model stays ready."""

import json

import pytest

from tests.support.cluster.kubectl import eventually, get, kubectl
from tests.support.cluster.models import a_model, applied, until


@pytest.fixture(scope="module")
def revision(shared_namespace: str) -> str:
    """The revision of a Model that serves in the file's namespace."""
    applied(a_model("digits", shared_namespace))
    return until("digits", shared_namespace, "Reconciling", "False", "Done")["status"]["revision"]


def test_a_deleted_or_edited_route_comes_back(revision: str, shared_namespace: str) -> None:
    wanted = get("httproute", "digits", shared_namespace)
    assert wanted is not None

    kubectl("delete", "httproute", "digits", "-n", shared_namespace)
    eventually(lambda: get("httproute", "digits", shared_namespace), "the route is back")
    stolen = json.dumps([{"op": "replace", "path": "/spec/rules/0/backendRefs/0/weight", "value": 7}])
    kubectl("patch", "httproute", "digits", "-n", shared_namespace, "--type=json", "-p", stolen)

    def mended() -> bool:
        route = get("httproute", "digits", shared_namespace)
        return route is not None and route["spec"]["rules"] == wanted["spec"]["rules"]

    eventually(mended, "the weights are as they were")


def test_a_deleted_secret_comes_back(revision: str, shared_namespace: str) -> None:
    kubectl("delete", "secret", "digits--store", "-n", shared_namespace)

    eventually(lambda: get("secret", "digits--store", shared_namespace), "the credentials are back")


def test_a_scale_changed_by_hand_is_set_right(revision: str, shared_namespace: str) -> None:
    kubectl("scale", "deploy", f"{revision}-predictor", "-n", shared_namespace, "--replicas=3")

    def one_again() -> bool:
        deployment = get("deploy", f"{revision}-predictor", shared_namespace)
        return deployment is not None and deployment["spec"]["replicas"] == 1

    eventually(one_again, "one replica is wanted again")
