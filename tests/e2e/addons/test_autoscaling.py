"""KEDA and a Prometheus choose the number of replicas, and everything that tells of it says so.

What a replica takes on is declared here, a few requests a second, so that a small machine holds many of them;
`test_ramp` has servers that really take on no more.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from modelyard.core.names import predictor
from tests.support.cluster.kubectl import eventually, get, items, kubectl, run
from tests.support.cluster.models import a_model, applied, until
from tests.support.cluster.rollout_under_load import SMALL, RolloutUnderLoad, a_canary, unharmed
from tests.support.cluster.scaling.autoscaled import PROMETHEUS, capacity, counted, numbers, replicas, scaling
from tests.support.cluster.scaling.open_loop import LoadPhase, OpenLoop, lost
from tests.support.cluster.watch import Watch

pytestmark = pytest.mark.proof
RANGE = {"minReplicas": 1, "maxReplicas": 8, "scaleDownDelay": "30s"}
TAKES_ON = 4.0
BUSY = 11.0
"""Requests a second for which four replicas are needed, of which each is to have three."""
NEEDED = 4
AWAY = 120


@pytest.fixture
def digits(namespace: str) -> str:
    """The revision of a Model with a range, before anybody asks."""
    applied(a_model("digits", namespace, serving={"resources": SMALL}, scaling=RANGE))
    revision = until("digits", namespace, "Reconciling", "False", "Done")["status"]["revision"]
    capacity("digits", namespace, TAKES_ON)
    eventually(lambda: "4 that one takes on" in scaling("digits", namespace)["message"], "the capacity is taken up")
    return revision


def scaled(revision: str, namespace: str, number: int) -> None:
    """Returns when so many replicas are ready."""
    eventually(lambda: replicas(revision, namespace) == (number, number), f"{number} replicas are ready", 330)


@pytest.fixture
def back() -> Iterator[None]:
    """Afterwards Prometheus is there, whatever the test did to it."""
    yield
    kubectl("scale", *PROMETHEUS, "--replicas=1")
    kubectl("rollout", "status", *PROMETHEUS, "--timeout=120s")


def scalers(namespace: str) -> dict[str, dict[str, Any]]:
    return {thing["metadata"]["name"]: thing for thing in items("scaledobjects", namespace)}


def test_replicas_follow_the_load_up_and_down_and_everybody_says_why(digits: str, namespace: str) -> None:
    made = scalers(namespace)[predictor(digits)]
    triggers = [trigger["metadata"]["query"] for trigger in made["spec"]["triggers"]]
    assert scaling("digits", namespace)["reason"] == "ScaledByRequests"

    with OpenLoop("digits", namespace, [LoadPhase(120, BUSY)], even=True) as load:
        scaled(digits, namespace, NEEDED)
        seen = [counted(query) for query in triggers]
        told = run("modelyard", "explain", "digits", "-n", namespace).stdout
        [column] = kubectl("get", "model", "digits", "-n", namespace, "--no-headers").stdout.splitlines()
        answers = load.ended()
    scaled(digits, namespace, 1)

    assert lost(answers) == []
    assert seen[0] == pytest.approx(BUSY, rel=0.2)
    assert seen[1] is not None
    assert f"{NEEDED} of 1 to 8. KEDA scales by what" in told
    assert "3 requests/s a replica, 75% of the 4 that one takes on at p99<2s" in told
    assert " of 3 and " in told, "what it sees"
    assert str(NEEDED) in column.split()
    events = kubectl("get", "events", "-n", namespace, "-o", "jsonpath={.items[?(@.reason=='Scaled')].message}").stdout
    assert f"Revision {digits}: 1 -> " in events
    assert "-> 1 replicas" in events
    doctor = run("modelyard", "doctor", check=False).stdout
    assert "KEDA scales by what" in doctor


def test_a_prometheus_that_is_away_for_two_minutes_changes_nothing(digits: str, namespace: str, back: None) -> None:
    with (
        Watch("deployment", predictor(digits), namespace) as watch,
        OpenLoop("digits", namespace, [LoadPhase(360, BUSY)], even=True) as load,
    ):
        scaled(digits, namespace, NEEDED)
        gone = time.time()
        kubectl("scale", *PROMETHEUS, "--replicas=0")
        eventually(lambda: scaling("digits", namespace)["reason"] == "AutoscalerFails", "it is told", AWAY)
        time.sleep(max(0.0, gone + AWAY - time.time()))
        kubectl("scale", *PROMETHEUS, "--replicas=1")
        kubectl("rollout", "status", *PROMETHEUS, "--timeout=120s")
        eventually(lambda: scaling("digits", namespace)["reason"] == "ScaledByRequests", "it works again", 120)
        time.sleep(60)
        changes = numbers(watch, gone, time.time())
        answers = load.ended()

    assert changes == [NEEDED]
    assert lost(answers) == []


def test_in_a_rollout_the_stable_keeps_its_replicas_and_each_scales_by_its_own_traffic(namespace: str) -> None:
    with RolloutUnderLoad(namespace, a_canary(25, 50), rate=BUSY / 2, scaling=RANGE) as tried:
        capacity("digits", namespace, TAKES_ON)
        scaled(tried.stable, namespace, NEEDED)
        with Watch("deployment", predictor(tried.stable), namespace) as watch:
            begin = time.time()
            tried.ask(version="2")
            candidate = tried.gets(25)["candidate"]
            least = scalers(namespace)[predictor(tried.stable)]["spec"]["minReplicaCount"]
            both = set(scalers(namespace))
            tried.route.until(lambda _: tried.shares(candidate)[-1] > 50, "more than half is the candidate's", 300)
            kept, share = numbers(watch, begin, time.time()), replicas(candidate, namespace)
        ended = tried.ended(seconds=300)
        counts = tried.rest()

        assert ended["outcome"] == "Promoted", ended["message"]
        unharmed(counts, tried.stable, candidate)
        assert least == NEEDED
        assert min(kept) >= NEEDED, kept
        assert both == {predictor(tried.stable), predictor(candidate)}
        assert share[1] >= NEEDED, "before it gets all the traffic it has what that takes"
        eventually(lambda: set(scalers(namespace)) == {predictor(candidate)}, "the old one's autoscaler is gone")
        assert get("deployment", predictor(tried.stable), namespace) is None
