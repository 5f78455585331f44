"""What is not known is never held against a candidate: the rollout waits, says for what, and goes on."""

import os
import random
import time

import pytest

from tests.support.kubectl import kubectl
from tests.support.network_faults import counters_unreachable, networks
from tests.support.rollout_under_load import CLEAN, PICTURES, RolloutUnderLoad, a_canary, kill_operators, unharmed

PROVING = bool(os.environ.get("MODELYARD_PROOF"))
KILLS = 20 if PROVING else 1
BLIND = 60
ENVOYS = "gateway.envoyproxy.io/owning-gateway-name"


def test_without_traffic_it_waits_and_goes_on_with_the_first_users(namespace: str) -> None:
    with RolloutUnderLoad(namespace, a_canary(50, bake="5s")) as tried:
        tried.rest()
        tried.ask(version="2")
        held = tried.reaches("Holding")
        assert held["reason"] == "NoTraffic"

        tried.resume_load()
        ended = tried.ended()
        counts = tried.rest()

        assert ended["outcome"] == "Promoted", ended["message"]
        unharmed(counts, tried.stable, ended["revision"])


@pytest.mark.proof
def test_a_stable_that_misses_the_promise_itself_is_no_measure(namespace: str) -> None:
    with RolloutUnderLoad(namespace, a_canary(50, bake="5s"), PICTURES, first="3") as tried:
        tried.ask(version="2")
        held = tried.reaches("Holding")
        assert held["reason"] == "StableOutOfSlo"

        tried.rest()
        tried.resume_load(CLEAN, CLEAN)
        ended = tried.ended(seconds=500)

        assert (ended["outcome"], ended["bad"]) == ("Promoted", 0), ended["message"]


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
        ended = tried.ended(seconds=240)

        assert ended["outcome"] == "Promoted", ended["message"]
        reasons = {shot.get("reason") for shot in tried.shots() if shot.get("phase") == "Holding"}
        assert reasons <= {"NoMetrics", "NoTraffic", "StableOutOfSlo", "SampleRatioMismatch"}


@pytest.mark.parametrize("kill", range(KILLS))
def test_operators_killed_in_mid_rollout_lose_nothing_and_go_on(namespace: str, kill: int) -> None:
    with RolloutUnderLoad(namespace, a_canary(25, 50), PICTURES) as tried:
        tried.ask(version="2")
        if PROVING:
            time.sleep(random.Random(kill).uniform(0, 40))
        else:
            tried.gets(25)
        kill_operators()
        ended = tried.ended(seconds=300)
        counts = tried.rest()

        assert ended["outcome"] == "Promoted", ended["message"]
        unharmed(counts, tried.stable, ended["revision"])
        shares = tried.shares(ended["revision"])
        assert shares == sorted(shares), "the share never moves back"
