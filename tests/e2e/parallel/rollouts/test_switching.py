"""A new revision takes over under a steady load, over HTTP and gRPC, and no request fails."""

import time

import pytest

from tests.support.cluster.kubectl import eventually, kubectl
from tests.support.cluster.models import Load, a_model, applied, condition, serving_alone, until

TENSOR = "input:1,1,8,8"
SMALL = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}


def test_a_switch_under_load_fails_no_request_over_http_and_grpc(namespace: str) -> None:
    applied(a_model("digits", namespace, serving={"resources": SMALL}))
    first = serving_alone("digits", namespace, "1")
    loads = [Load(protocol, "digits", namespace, TENSOR) for protocol in ("http", "grpc")]
    time.sleep(3)

    applied(a_model("digits", namespace, version="2", serving={"resources": SMALL}))
    second = serving_alone("digits", namespace, "2")
    time.sleep(3)
    counts = [load.ended() for load in loads]

    for count in counts:
        assert count["failures"] == 0, count["errors"]
        assert set(count["revisions"]) == {first, second}
        assert count["requests"] > 500


@pytest.mark.proof
def test_taking_a_switch_back_half_way_fails_no_request(namespace: str) -> None:
    applied(a_model("digits", namespace, serving={"resources": SMALL}))
    first = serving_alone("digits", namespace, "1")
    loads = [Load(protocol, "digits", namespace, TENSOR) for protocol in ("http", "grpc")]

    applied(a_model("digits", namespace, version="2", serving={"resources": SMALL}))
    model = until("digits", namespace, "Reconciling", "False", "Done")
    assert next(one["name"] for one in model["status"]["revisions"]) == first
    applied(a_model("digits", namespace, version="1", serving={"resources": SMALL}))
    again = serving_alone("digits", namespace, "1")
    counts = [load.ended() for load in loads]

    assert again == first, "the revision that was still draining takes the traffic back"
    assert [(count["failures"], count["errors"]) for count in counts] == [(0, []), (0, [])]


def test_changing_only_the_replicas_makes_no_new_revision(namespace: str) -> None:
    applied(a_model("digits", namespace, serving={"resources": SMALL}))
    first = serving_alone("digits", namespace, "1")

    applied(a_model("digits", namespace, serving={"resources": SMALL, "replicas": 2}))
    eventually(
        lambda: (
            kubectl(
                "get", "deploy", f"{first}-predictor", "-n", namespace, "-o", "jsonpath={.status.readyReplicas}"
            ).stdout
            == "2"
        ),
        "two replicas are ready",
    )

    model = until("digits", namespace, "Reconciling", "False", "Done")
    assert model["status"]["revision"] == first
    assert condition(model, "Serving")["status"] == "True"
