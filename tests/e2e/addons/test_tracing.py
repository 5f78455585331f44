"""A traced request is found in the collector by the id that its answer said, until its Model asks for no more.

Brings the add-on `tracing` by itself. Spans are read in the collector's log.
"""

import time

import numpy as np
import pytest

from localcluster.install.tracing import COLLECTOR, NAMESPACE
from tests.support.cluster.kubectl import eventually, items, kubectl
from tests.support.cluster.local_cluster import localcluster
from tests.support.cluster.models import Load, a_model, applied, infer, until
from tests.support.cluster.rollout_under_load import SMALL, TENSOR

pytestmark = pytest.mark.proof
ENVOYS = "gateway.envoyproxy.io/owning-gateway-name=modelyard"
SENT = 8.0
"""Seconds after which a span is in the log: Envoy waits five for more of them, the collector one."""


@pytest.fixture(scope="module", autouse=True)
def _collector() -> None:
    localcluster("up", "--addons", "tracing")


def asked(namespace: str, count: int) -> list[str]:
    """The ids of so many requests, by host name and by path in turn, as their answers say them."""
    rows = np.zeros((1, 1, 8, 8), np.float32)
    answers = [infer("digits", namespace, "input", rows, by_path=at % 2 == 1) for at in range(count)]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.headers["x-request-id"] for answer in answers]


def traced(names: list[str]) -> list[str]:
    """Those of these requests that the collector has a span of."""
    log = kubectl("logs", "-n", NAMESPACE, f"deployment/{COLLECTOR}", "--tail=-1").stdout
    return [name for name in names if f"guid:x-request-id: Str({name})" in log]


def new_ones_are(namespace: str, wanted: bool) -> bool:
    """Whether of two new requests both have traces, or neither: the gateway takes up a changed route in a moment."""
    names = asked(namespace, 2)
    time.sleep(SENT)
    return traced(names) == (names if wanted else [])


def pods(namespace: str) -> set[str]:
    """The pods that requests go through, those of the gateway and of the Model, by uid."""
    found = [*items("pods", "envoy-gateway-system", ENVOYS), *items("pods", namespace)]
    return {pod["metadata"]["uid"] for pod in found}


def test_traces_come_and_go_with_the_spec_and_are_found_by_the_id_of_the_answer(namespace: str) -> None:
    plain = a_model("digits", namespace, serving={"resources": SMALL})
    watched = a_model("digits", namespace, serving={"resources": SMALL}, monitoring={"tracing": {"percent": 100}})
    applied(plain)
    until("digits", namespace, "Reconciling", "False", "Done")
    at_rest = asked(namespace, 20)

    load = Load("http", "digits", namespace, TENSOR, 5)
    load.begun()
    applied(watched)
    eventually(lambda: new_ones_are(namespace, True), "requests are traced", 120)
    there = pods(namespace)
    names = asked(namespace, 20)
    eventually(lambda: traced(names) == names, "each of twenty requests is found in the collector", 60)

    applied(plain)
    eventually(lambda: new_ones_are(namespace, False), "requests are traced no more", 120)
    quiet = asked(namespace, 20)
    applied(watched)
    eventually(lambda: new_ones_are(namespace, True), "the collector goes on to take what is sent", 120)
    counts = load.ended()

    assert traced([*at_rest, *quiet]) == []
    assert pods(namespace) == there
    assert counts["failures"] == 0, counts
