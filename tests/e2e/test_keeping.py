"""What somebody else changes is put right, and what is deleted leaves nothing behind."""

import json

from tests.support.kubectl import eventually, get, items, kubectl
from tests.support.models import a_model, applied, owned, until


def test_a_deleted_or_edited_route_comes_back(namespace: str) -> None:
    applied(a_model("digits", namespace))
    until("digits", namespace, "Ready", "True")
    wanted = get("httproute", "digits", namespace)
    assert wanted is not None

    kubectl("delete", "httproute", "digits", "-n", namespace)
    eventually(lambda: get("httproute", "digits", namespace), "the route is back")
    stolen = json.dumps([{"op": "replace", "path": "/spec/rules/0/backendRefs/0/weight", "value": 7}])
    kubectl("patch", "httproute", "digits", "-n", namespace, "--type=json", "-p", stolen)

    def mended() -> bool:
        route = get("httproute", "digits", namespace)
        return route is not None and route["spec"]["rules"] == wanted["spec"]["rules"]

    eventually(mended, "the weights are as they were")


def test_a_deleted_secret_comes_back(namespace: str) -> None:
    applied(a_model("digits", namespace))
    until("digits", namespace, "Ready", "True")

    kubectl("delete", "secret", "digits--store", "-n", namespace)

    eventually(lambda: get("secret", "digits--store", namespace), "the credentials are back")


def test_a_scale_changed_by_hand_is_set_right(namespace: str) -> None:
    applied(a_model("digits", namespace))
    revision = until("digits", namespace, "Ready", "True")["status"]["revision"]

    kubectl("scale", "deploy", f"{revision}-predictor", "-n", namespace, "--replicas=3")

    def one_again() -> bool:
        deployment = get("deploy", f"{revision}-predictor", namespace)
        return deployment is not None and deployment["spec"]["replicas"] == 1

    eventually(one_again, "one replica is wanted again")


def test_a_deleted_model_leaves_nothing(namespace: str) -> None:
    applied(a_model("digits", namespace))
    until("digits", namespace, "Ready", "True")
    assert owned("digits", namespace) != []

    kubectl("delete", "model", "digits", "-n", namespace, "--wait=true")

    eventually(lambda: owned("digits", namespace) == [], "nothing of the model is left")
    assert items("jobs", "modelyard-system", "modelyard.dev/build") == []
