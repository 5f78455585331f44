"""The load test before the first user: a Locust Job asks the candidate by its pinned route, and its word counts."""

import pytest

from tests.support.cluster.kubectl import eventually, items, run
from tests.support.cluster.rollout_under_load import CLEAN, RolloutUnderLoad, a_canary, unharmed

JOB = "modelyard.dev/check=loadTest,modelyard.dev/namespace="
TESTED = a_canary(50, bake="5s", loadTest={"requestsPerSecond": 8, "duration": "15s"})


def test_one_that_stands_it_goes_on_to_the_users(namespace: str) -> None:
    with RolloutUnderLoad(namespace, TESTED, CLEAN) as tried:
        tried.ask(version="2")
        tested = tried.reaches("Testing")
        assert max(tried.shares(tested["candidate"])) == 0, "no user asks it while it is tested"
        ended = tried.ended()
        counts = tried.rest()

        assert ended["outcome"] == "Promoted", ended["message"]
        unharmed(counts, tried.stable, ended["revision"])
        found = next(shot["report"]["loadTest"] for shot in tried.shots() if (shot.get("report") or {}).get("loadTest"))
        assert (found["requests"] >= 0.9 * 8 * 15, found["failed"]) == (True, 0)
        eventually(lambda: items("jobs", "modelyard-system", JOB + namespace) == [], "the Job goes with the rollout")


@pytest.mark.proof
def test_one_that_is_slow_under_it_never_gets_a_user(namespace: str) -> None:
    version = run("python", "-m", "tests.support.artifacts.bad_models", "slow", "800").stdout.strip()
    with RolloutUnderLoad(
        namespace, a_canary(50, loadTest={"requestsPerSecond": 1, "duration": "40s"}), CLEAN, rate=10
    ) as tried:
        tried.ask("digits-slow", version)
        ended = tried.ended()
        counts = tried.rest()

        assert (ended["outcome"], ended["reason"]) == ("Aborted", "LoadTestFailed"), ended["message"]
        assert "500 ms" in ended["message"]
        unharmed(counts, tried.stable)
        assert {who for count in counts for who in count["revisions"]} == {tried.stable}
        assert max(tried.shares(ended["revision"])) == 0
