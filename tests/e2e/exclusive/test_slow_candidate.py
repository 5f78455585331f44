"""A candidate that is slow is taken out by the latency gate. It takes most of a core, so nothing runs beside it."""

from tests.e2e.parallel.rollouts.test_bad_candidates import made, refused
from tests.support.cluster.rollout_under_load import CLEAN, STRICT, RolloutUnderLoad, a_canary


def test_one_that_is_slow(namespace: str) -> None:
    with RolloutUnderLoad(namespace, a_canary(10), CLEAN, slo=STRICT, rate=6) as tried:
        tried.ask("digits-slow", made("slow", "800"))
        ended = tried.ended()

        refused(tried, ended, "LatencyGateFailed")
        assert "500 ms" in ended["message"]
