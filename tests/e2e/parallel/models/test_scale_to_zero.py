"""A Model nobody asks has no pods; whoever asks next waits for the first, over HTTP and gRPC, and gets an answer."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import httpx
import numpy as np
import pytest

from modelyard.core.names import REVISION_HEADER, REVISION_LABEL, predictor
from tests.support.cluster.kubectl import eventually, get, items
from tests.support.cluster.models import a_model, applied, condition, gateway, host, until
from tests.support.cluster.rollout_under_load import SMALL, TENSOR

RESTS = {"minReplicas": 0, "maxReplicas": 1, "idleAfter": "20s"}
PATIENCE = 85.0
OURS = "endpointslice.kubernetes.io/managed-by=modelyard"


def idle(namespace: str) -> dict[str, Any]:
    return (get("model", "digits", namespace) or {}).get("status", {}).get("idle", {})


def pods(namespace: str, revision: str) -> list[str]:
    return [pod["metadata"]["name"] for pod in items("pods", namespace, f"{REVISION_LABEL}={revision}")]


def over_http(namespace: str) -> str:
    """Who answered one prediction."""
    values = np.zeros((1, 1, 8, 8), np.float32)
    tensor = {"name": TENSOR.partition(":")[0], "shape": list(values.shape), "datatype": "FP32"}
    answer = httpx.post(
        f"http://{gateway()}/v2/models/digits/infer",
        json={"inputs": [{**tensor, "data": values.ravel().tolist()}]},
        headers={"Host": host("digits", namespace)},
        timeout=PATIENCE,
    )
    assert answer.status_code == httpx.codes.OK, f"{answer.status_code}: {answer.text}"
    assert len(answer.json()["outputs"][0]["data"]) > 0
    return answer.headers[REVISION_HEADER]


def over_grpc(namespace: str) -> str:
    """Who says that the server is ready; every byte passes as it is."""
    options = [("grpc.default_authority", f"{host('digits', namespace)}:80")]
    with grpc.insecure_channel(gateway(), options=options) as channel:
        ready = channel.unary_unary("/inference.GRPCInferenceService/ServerReady")
        answer, call = ready.with_call(b"", timeout=PATIENCE)
        assert answer == b"\x08\x01", "ready: true"
        return str(dict(call.initial_metadata())[REVISION_HEADER])


def ask_all(namespace: str, each: int) -> Counter[str]:
    """So many requests over either protocol, all at the same time; who answered them."""
    with ThreadPoolExecutor(2 * each) as threads:
        calls = [threads.submit(ask, namespace) for ask in (over_http, over_grpc) for _ in range(each)]
        return Counter(call.result() for call in calls)


def asleep(namespace: str) -> None:
    """Returns when the Model is at zero and its last pod is gone."""
    eventually(lambda: idle(namespace).get("state") == "Zero", "nobody asks, so it goes to zero", 150)
    revision = idle(namespace)["revision"]
    eventually(lambda: not pods(namespace, revision), "the last pod is gone", 90)


def awake(namespace: str) -> None:
    """Returns when its replicas answer alone."""
    eventually(lambda: idle(namespace).get("state") == "Awake", "it is awake", 60)
    eventually(lambda: not items("endpointslices", namespace, OURS), "the holders are no endpoints any more", 30)


def test_a_model_nobody_asks_goes_to_zero_and_the_next_requests_wait_for_its_first_pod(namespace: str) -> None:
    applied(a_model("digits", namespace, serving={"resources": SMALL}, scaling=RESTS))
    revision = until("digits", namespace, "Reconciling", "False", "Done")["status"]["revision"]

    asleep(namespace)
    model = get("model", "digits", namespace)
    assert condition(model, "Ready")["status"] == "True"
    assert condition(model, "Serving")["reason"] == "ScaledToZero"
    assert len(items("endpointslices", namespace, OURS)) == 1

    assert ask_all(namespace, 8) == {revision: 16}

    awake(namespace)
    assert condition(get("model", "digits", namespace), "Serving")["reason"] == "Answering"
    deployment = get("deployment", predictor(revision), namespace)
    assert deployment is not None
    assert deployment["spec"]["replicas"] == 1
    assert ask_all(namespace, 4) == {revision: 8}


@pytest.mark.proof
def test_ten_times_to_zero_and_back_lose_no_request(namespace: str) -> None:
    applied(a_model("digits", namespace, serving={"resources": SMALL}, scaling=RESTS))
    revision = until("digits", namespace, "Reconciling", "False", "Done")["status"]["revision"]
    answered: Counter[str] = Counter()

    for _ in range(10):
        asleep(namespace)
        answered += ask_all(namespace, 20)
        awake(namespace)

    assert answered == {revision: 400}
