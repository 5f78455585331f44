"""A Model that has no replicas while nobody asks: where it stands, its holders, and requests that wait."""

import json
import os
import signal
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import httpx
import numpy as np

from modelyard.core.names import REVISION_HEADER, REVISION_LABEL
from tests.support.cluster.control_plane import pod_processes
from tests.support.cluster.kubectl import PLATFORM, eventually, get, items, kubectl
from tests.support.cluster.models import a_model, applied, gateway, host, until
from tests.support.cluster.rollout_under_load import SMALL, TENSOR

RESTS = {"minReplicas": 0, "maxReplicas": 1, "idleAfter": "20s"}
PATIENCE = 85.0
OURS = "endpointslice.kubernetes.io/managed-by=modelyard"
HOLDERS = ("deployment/modelyard-holder", "-n", PLATFORM)
_HOLDER_PODS = "app.kubernetes.io/name=modelyard,app.kubernetes.io/component=holder"
_HOLDER = "holder"


def rests(namespace: str, name: str = "digits") -> str:
    """The revision of a Model of digits that rests after 20 s, once it serves."""
    applied(a_model(name, namespace, serving={"resources": SMALL}, scaling=RESTS))
    return until(name, namespace, "Reconciling", "False", "Done")["status"]["revision"]


def idle(namespace: str, name: str = "digits") -> dict[str, Any]:
    """`status.idle`; empty for a Model that never rests."""
    return (get("model", name, namespace) or {}).get("status", {}).get("idle", {})


def pods(namespace: str, revision: str) -> list[str]:
    """Names of all of its pods, those that end among them."""
    return [pod["metadata"]["name"] for pod in items("pods", namespace, f"{REVISION_LABEL}={revision}")]


def over_http(namespace: str, name: str = "digits") -> str:
    """Who answered one prediction."""
    values = np.zeros((1, 1, 8, 8), np.float32)
    tensor = {"name": TENSOR.partition(":")[0], "shape": list(values.shape), "datatype": "FP32"}
    answer = httpx.post(
        f"http://{gateway()}/v2/models/{name}/infer",
        json={"inputs": [{**tensor, "data": values.ravel().tolist()}]},
        headers={"Host": host(name, namespace)},
        timeout=PATIENCE,
    )
    assert answer.status_code == httpx.codes.OK, f"{answer.status_code}: {answer.text}"
    assert len(answer.json()["outputs"][0]["data"]) > 0
    return answer.headers[REVISION_HEADER]


def over_grpc(namespace: str, name: str = "digits") -> str:
    """Who says that the server is ready; every byte passes as it is."""
    options = [("grpc.default_authority", f"{host(name, namespace)}:80")]
    with grpc.insecure_channel(gateway(), options=options) as channel:
        ready = channel.unary_unary("/inference.GRPCInferenceService/ServerReady")
        answer, call = ready.with_call(b"", timeout=PATIENCE)
        assert answer == b"\x08\x01", "ready: true"
        return str(dict(call.initial_metadata())[REVISION_HEADER])


class Asking:
    """So many requests over either protocol to each of these Models, all at the same time, from the start on."""

    def __init__(self, namespace: str, each: int, names: Sequence[str] = ("digits",)) -> None:
        asks = [(ask, name) for ask in (over_http, over_grpc) for name in names for _ in range(each)]
        self._threads = ThreadPoolExecutor(len(asks))
        self._calls = [self._threads.submit(ask, namespace, name) for ask, name in asks]

    def answered(self) -> Counter[str]:
        """Who answered them; raises what the first one that failed was told."""
        with self._threads:
            return Counter(call.result() for call in self._calls)

    def failures(self) -> list[str]:
        """What those that failed were told."""
        with self._threads:
            return [f"{type(bad).__name__}: {bad}" for call in self._calls if (bad := call.exception()) is not None]


def ask_all(namespace: str, each: int, names: Sequence[str] = ("digits",)) -> Counter[str]:
    """Who answered so many requests over either protocol to each of these Models, all sent at the same time."""
    return Asking(namespace, each, names).answered()


def asleep(namespace: str, name: str = "digits") -> None:
    """Returns when the Model is at zero and its last pod is gone."""
    eventually(lambda: idle(namespace, name).get("state") == "Zero", "nobody asks, so it goes to zero")
    revision = idle(namespace, name)["revision"]
    eventually(lambda: not pods(namespace, revision), "the last pod is gone")


def awake(namespace: str, name: str = "digits") -> None:
    """Returns when its replicas answer alone."""
    eventually(lambda: idle(namespace, name).get("state") == "Awake", "it is awake")
    revision = idle(namespace, name)["revision"]
    held = f"{OURS},{REVISION_LABEL}={revision}"
    eventually(lambda: not items("endpointslices", namespace, held), "the holders are no endpoints any more")


def holders(number: int) -> None:
    """Returns when so many holders are ready, and no others."""
    kubectl("scale", *HOLDERS, f"--replicas={number}")
    kubectl("rollout", "status", *HOLDERS, "--timeout=120s")
    eventually(lambda: len(items("pods", PLATFORM, _HOLDER_PODS)) == number, f"there are {number} holders")


def held(namespace: str) -> dict[str, int]:
    """How many requests for Models of a namespace wait in each holder, by its pod."""
    found = {}
    for pod in items("pods", PLATFORM, _HOLDER_PODS):
        name = pod["metadata"]["name"]
        answer = kubectl("get", "--raw", f"/api/v1/namespaces/{PLATFORM}/pods/{name}:9090/proxy/waiting", check=False)
        waiting = json.loads(answer.stdout)["waiting"] if answer.returncode == 0 else {}
        found[name] = sum(line["requests"] for place, line in waiting.items() if place.startswith(f"{namespace}/"))
    return found


def holder_processes() -> dict[str, int]:
    """Process ids of the holders by pod; empty where they run elsewhere than on this machine."""
    return pod_processes(_HOLDER)


def kill_holder(pod: str) -> None:
    """Ends the process of a holder as a crash does."""
    os.kill(holder_processes()[pod], signal.SIGKILL)
