"""What is around the Models fails while people use them: nobody's request is lost, and the end is the same.

The store goes away, a namespace, etcd and the API server do. The last two are programs of this machine's and belong to
the local cluster alone.
"""

import random
import time

import pytest

from tests.support.cluster.control_plane import node, paused, restarted
from tests.support.cluster.kubectl import PLATFORM, eventually, get, items, kubectl, run
from tests.support.cluster.local_cluster import a_namespace
from tests.support.cluster.models import Load, a_model, applied, condition, owned, serving_alone, until
from tests.support.cluster.rollout_under_load import SMALL, TENSOR, RolloutUnderLoad, a_canary, kill_operators

AWAY_SECONDS = 60
KILLS = 30
RATE = 10
SERVING = {"resources": SMALL}
STORE = "statefulset/modelyard-store"


def served(namespace: str, version: str = "1") -> list[Load]:
    """A Model that serves alone, and its users over both protocols."""
    applied(a_model("digits", namespace, version=version, serving=SERVING))
    serving_alone("digits", namespace, version)
    return [Load(protocol, "digits", namespace, TENSOR, RATE) for protocol in ("http", "grpc")]


def nobody_noticed(loads: list[Load]) -> None:
    """No request of these users failed."""
    counts = [load.ended() for load in loads]
    assert [(count["failures"], count["errors"]) for count in counts] == [(0, []), (0, [])]
    assert all(count["requests"] > 100 for count in counts)
    print([count["requests"] for count in counts])


@pytest.mark.proof
def test_etcd_that_is_ended_and_started_again_is_not_noticed(namespace: str) -> None:
    if node() is None:
        pytest.skip("etcd is this machine's on the local cluster only")
    loads = served(namespace)

    restarted("etcd", away=5)
    applied(a_model("digits", namespace, version="2", serving=SERVING))
    serving_alone("digits", namespace, "2")

    nobody_noticed(loads)


@pytest.mark.proof
def test_an_api_server_that_does_not_answer_is_not_noticed(namespace: str) -> None:
    if node() is None:
        pytest.skip("the API server is this machine's on the local cluster only")
    loads = served(namespace)

    with paused("kube-apiserver"):
        time.sleep(AWAY_SECONDS)
    applied(a_model("digits", namespace, version="2", serving=SERVING))
    serving_alone("digits", namespace, "2")

    nobody_noticed(loads)


@pytest.mark.proof
def test_while_the_store_is_away_models_serve_and_a_new_one_says_what_it_waits_for(namespace: str) -> None:
    """The embedded store holds the registry's entries and the builds."""
    loads = served(namespace)
    before = owned("digits", namespace)
    try:
        kubectl("scale", STORE, "-n", PLATFORM, "--replicas=0")
        kubectl("wait", "pod", "modelyard-store-0", "-n", PLATFORM, "--for=delete", "--timeout=60s")
        applied(a_model("waiting", namespace, "breast-cancer", serving=SERVING))
        waiting = until("waiting", namespace, "EntryResolved", "Unknown")
        time.sleep(AWAY_SECONDS)
        meanwhile = get("model", "digits", namespace)
        told = run("modelyard", "explain", "waiting", "-n", namespace, check=False).stdout
    finally:
        kubectl("scale", STORE, "-n", PLATFORM, "--replicas=1")
        kubectl("rollout", "status", STORE, "-n", PLATFORM, "--timeout=120s")

    assert condition(meanwhile, "Ready")["status"] == "True"
    assert owned("digits", namespace) == before
    assert condition(waiting, "EntryResolved")["message"] in told
    until("waiting", namespace, "Ready", "True")
    nobody_noticed(loads)


@pytest.mark.proof
def test_a_namespace_deleted_in_mid_rollout_is_nobody_elses_trouble(namespace: str) -> None:
    loads = served(namespace)
    with a_namespace() as doomed:
        with RolloutUnderLoad(doomed, a_canary(25, 50)) as tried:
            tried.ask(version="2")
            tried.gets(25)
            tried.rest()
            kubectl("delete", "namespace", doomed, "--wait=true")
        kubectl("create", "namespace", doomed)
        applied(a_model("digits", doomed, serving=SERVING))
        until("digits", doomed, "Ready", "True")

    applied(a_model("digits", namespace, version="2", serving=SERVING))
    serving_alone("digits", namespace, "2")
    nobody_noticed(loads)


@pytest.mark.proof
def test_operators_killed_at_random_moments_of_create_switch_and_delete_end_in_the_same(namespace: str) -> None:
    loads, moments, other = served(namespace), random.Random(0), 0
    for kill in range(KILLS):
        if kill % 3 == 0:
            other = kill
            applied(a_model(f"other-{other}", namespace, "breast-cancer", serving=SERVING))
        elif kill % 3 == 1:
            applied(a_model("digits", namespace, version=str(1 + kill % 2), serving=SERVING))
        else:
            kubectl("delete", "model", f"other-{other}", "-n", namespace, "--wait=false")
        time.sleep(moments.uniform(1, 12))
        kill_operators()
    applied(a_model("digits", namespace, version="2", serving=SERVING))
    applied(a_model("last", namespace, "breast-cancer", serving=SERVING))

    last = serving_alone("digits", namespace, "2")
    until("last", namespace, "Reconciling", "False", "Done")
    nobody_noticed(loads)
    assert sorted(model["metadata"]["name"] for model in items("models", namespace)) == ["digits", "last"]
    for gone in range(0, KILLS, 3):
        eventually(lambda name=f"other-{gone}": owned(name, namespace) == [], "nothing of it is left")
    revisions = [served["metadata"]["name"] for served in items("inferenceservices", namespace)]
    assert last in revisions
    assert len(revisions) == 2
