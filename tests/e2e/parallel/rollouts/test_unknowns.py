"""What is not known is never held against a candidate: the rollout waits, says for what, and goes on."""

import pytest

from tests.support.cluster.rollout_under_load import CLEAN, PICTURES, RolloutUnderLoad, a_canary, unharmed


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
        ended = tried.ended()

        assert (ended["outcome"], ended["failedRequests"]) == ("Promoted", 0), ended["message"]
