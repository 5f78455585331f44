"""Two gateways, and each is deleted in turn under load: the pod that goes drains first, and no request is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cluster.kubectl import eventually, items, kubectl
from tests.support.cluster.models import Load, a_model, applied, until
from tests.support.cluster.release import install, values
from tests.support.cluster.rollout_under_load import SMALL, TENSOR

NAMESPACE = "envoy-gateway-system"
ENVOYS = "gateway.envoyproxy.io/owning-gateway-name=modelyard"


def ready() -> dict[str, str]:
    """Name by uid of the gateway's pods that are ready and stay."""
    return {
        pod["metadata"]["uid"]: pod["metadata"]["name"]
        for pod in items("pods", NAMESPACE, ENVOYS)
        if "deletionTimestamp" not in pod["metadata"]
        and all(status["ready"] for status in pod["status"].get("containerStatuses", [{"ready": False}]))
    }


@pytest.fixture
def two_gateways(tmp_path: Path) -> Iterator[None]:
    """The release with two Envoys, whatever it had before."""
    file = values(tmp_path)
    install("upgrade", file, "--set", "gateway.replicas=2")
    eventually(lambda: len(ready()) == 2, "two gateways are ready", 180)
    yield
    install("upgrade", file)


@pytest.mark.proof
def test_a_deleted_gateway_loses_no_request(two_gateways: None, namespace: str) -> None:
    applied(a_model("digits", namespace, serving={"resources": SMALL}))
    until("digits", namespace, "Reconciling", "False", "Done")
    loads = [Load(protocol, "digits", namespace, TENSOR, 20) for protocol in ("http", "grpc")]
    first = ready()

    for uid, name in first.items():
        kubectl("delete", "pod", name, "-n", NAMESPACE, "--wait=true", "--timeout=150s")
        eventually(lambda gone=uid: len(those := ready()) == 2 and gone not in those, "another takes its place", 180)
    counts = [load.ended() for load in loads]

    assert [(count["failures"], count["errors"]) for count in counts] == [(0, []), (0, [])]
    assert all(count["requests"] > 500 for count in counts)
    assert not set(ready()) & set(first)
