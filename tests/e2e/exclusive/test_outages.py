"""Operators, gateway and counters go away in mid-rollout: the rollout waits, goes on, and nobody's request is lost."""

import random
import time

import pytest

from tests.support.cluster.kubectl import items, kubectl
from tests.support.cluster.models import Load, a_model, applied, serving_alone
from tests.support.cluster.network_faults import counters_unreachable, networks
from tests.support.cluster.rollout_under_load import (
    BRIGHT,
    CLEAN,
    PICTURES,
    SMALL,
    TENSOR,
    RolloutUnderLoad,
    a_canary,
    kill_operators,
    unharmed,
)
from tests.support.repository.proof import PROOF

KILLS = 20 if PROOF else 1
BLIND = 60
ENVOYS = "gateway.envoyproxy.io/owning-gateway-name"


@pytest.mark.proof
def test_while_the_counters_cannot_be_read_the_share_stays(namespace: str) -> None:
    if not networks():
        pytest.skip("the operator's network can be cut on the local cluster only")
    with RolloutUnderLoad(namespace, a_canary(25, 50)) as tried:
        tried.ask(version="2")
        tried.gets(25)
        with counters_unreachable():
            held = tried.reaches("Holding")
            begun = len(tried.shots())
            time.sleep(BLIND)
            meanwhile = {(shot["phase"], shot["weight"]) for shot in tried.shots()[begun:]}
        ended = tried.ended()
        counts = tried.rest()

        assert held["reason"] == "NoMetrics"
        assert meanwhile <= {("Holding", 25)}
        assert ended["outcome"] == "Promoted", ended["message"]
        unharmed(counts, tried.stable, ended["revision"])


@pytest.mark.proof
def test_a_gateway_that_restarts_aborts_nothing(namespace: str) -> None:
    with RolloutUnderLoad(namespace, a_canary(25, 50)) as tried:
        tried.ask(version="2")
        tried.gets(25)

        kubectl("delete", "pod", "-n", "envoy-gateway-system", "-l", ENVOYS, "--grace-period=0", "--force")
        ended = tried.ended()

        assert ended["outcome"] == "Promoted", ended["message"]
        reasons = {shot.get("reason") for shot in tried.shots() if shot.get("phase") == "Holding"}
        assert reasons <= {"NoMetrics", "NoTraffic", "StableOutOfSlo", "SampleRatioMismatch"}


@pytest.mark.parametrize("kill", range(KILLS))
def test_operators_killed_in_mid_rollout_lose_nothing_and_go_on(namespace: str, kill: int) -> None:
    with RolloutUnderLoad(namespace, a_canary(25, 50), PICTURES) as tried:
        tried.ask(version="2")
        if PROOF:
            time.sleep(random.Random(kill).uniform(0, 40))
        else:
            tried.gets(25)
        kill_operators()
        ended = tried.ended()
        counts = tried.rest()

        assert ended["outcome"] == "Promoted", ended["message"]
        unharmed(counts, tried.stable, ended["revision"])
        shares = tried.shares(ended["revision"])
        assert shares == sorted(shares), "the share never moves back"


@pytest.mark.proof
def test_the_leader_dies_in_mid_switch_and_nobody_notices(namespace: str) -> None:
    applied(a_model("digits", namespace, serving={"resources": SMALL}))
    serving_alone("digits", namespace, "1")
    load = Load("http", "digits", namespace, TENSOR)

    applied(a_model("digits", namespace, version="2", serving={"resources": SMALL}))
    lease = kubectl("get", "lease", "-n", "modelyard-system", "-o", "jsonpath={.items[*].spec.holderIdentity}").stdout
    leader = next(one for one in lease.split() if one.startswith("modelyard-operator"))
    kubectl("delete", "pod", leader.split("_")[0], "-n", "modelyard-system", "--grace-period=0", "--force")
    serving_alone("digits", namespace, "2")
    count = load.ended()

    assert count["failures"] == 0, count["errors"]
    assert len(count["revisions"]) == 2


@pytest.mark.proof
def test_what_a_candidate_did_while_no_operator_ran_ends_it_on_return(namespace: str) -> None:
    """Version 3 fails bright pictures only; nobody sends any once the operators are back."""
    with RolloutUnderLoad(namespace, a_canary(25, 50), CLEAN) as tried:
        tried.ask(version="3", rollout=a_canary(25, 50) | {"steps": [{"weight": 25, "hold": "10m"}, {"weight": 50}]})
        tried.gets(25)
        time.sleep(10)
        try:
            operators(0)
            tried.rest()
            tried.resume_load(BRIGHT, BRIGHT)
            time.sleep(30)
            tried.rest()
        finally:
            operators(2)
        ended = tried.ended()

        assert (ended["outcome"], ended["reason"]) == ("Aborted", "ErrorsGateFailed"), ended["message"]
        assert ended["failedRequests"] > 50


@pytest.mark.proof
def test_a_replica_of_the_candidate_that_waits_for_a_node_holds_it(namespace: str) -> None:
    serving = {"replicas": 2, "resources": SMALL}
    nodes = [node["metadata"]["name"] for node in items("nodes", "")]
    rollout = a_canary(50) | {"steps": [{"weight": 50, "hold": "1m"}]}
    with RolloutUnderLoad(namespace, rollout, serving=serving) as tried:
        tried.ask(version="2")
        candidate = tried.gets(50)["candidate"]
        time.sleep(5)
        [pod, *_] = items("pods", namespace, f"serving.kserve.io/inferenceservice={candidate}")
        try:
            kubectl("cordon", *nodes)
            kubectl("delete", "pod", "-n", namespace, pod["metadata"]["name"], "--wait=false")
            held = tried.reaches("Holding")
            time.sleep(60)
            still = tried.shots()[-1]
        finally:
            kubectl("uncordon", *nodes)
        ended = tried.ended()
        counts = tried.rest()

        assert held["reason"] == "ReplicaMissing", held["message"]
        assert (still["phase"], still["weight"]) == ("Holding", 50)
        assert ended["outcome"] == "Promoted", ended["message"]
        unharmed(counts, tried.stable, candidate)


def operators(number: int) -> None:
    """So many replicas of the operator, once they are there."""
    deployment = ("deployment/modelyard-operator", "-n", "modelyard-system")
    kubectl("scale", *deployment, f"--replicas={number}")
    kubectl("rollout", "status", *deployment, "--timeout=120s")
    if not number:
        selector = "app.kubernetes.io/name=modelyard,app.kubernetes.io/component=operator"
        kubectl("wait", "pod", "-n", "modelyard-system", "-l", selector, "--for=delete", "--timeout=90s")
