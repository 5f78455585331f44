"""Candidates that pass their warm-up and then turn out bad are taken out by the gate that saw it."""

from tests.support.kubectl import run
from tests.support.tried import BRIGHT, CLEAN, PICTURES, Shot, Tried, a_canary, unharmed


def made(*what: str) -> str:
    """Version of an entry that is bad in that way."""
    return run("python", "-m", "tests.support.candidates", *what).stdout.strip()


def refused(tried: Tried, ended: Shot, reason: str) -> None:
    """The rollout ended for that reason, nothing was lost for it, and the stable has everything back."""
    assert (ended["outcome"], ended["reason"]) == ("Aborted", reason), ended["message"]
    counts = tried.rest()
    unharmed(counts, tried.stable)
    shares = tried.shares(ended["revision"])
    top = shares.index(max(shares))
    assert shares[: top + 1] == sorted(shares[: top + 1])
    assert max(shares[top + 1 :]) < 0.001, "all traffic is taken away in one write"
    assert all(ended["revision"] in count["revisions"] or ended["revision"] in count["failed"] for count in counts)


def test_one_that_fails_a_share_of_the_inputs(namespace: str) -> None:
    with Tried(namespace, a_canary(25), PICTURES) as tried:
        tried.ask(version="3")
        ended = tried.ended()

        refused(tried, ended, "ErrorsGateFailed")
        assert ended["message"].startswith("errors:")
        assert f"of {ended['requests']}" in ended["message"]
        assert 0 < ended["bad"] < ended["requests"]


def test_one_that_fails_only_over_grpc(namespace: str) -> None:
    with Tried(namespace, a_canary(25), http=CLEAN, grpc=BRIGHT) as tried:
        tried.ask(version="3")
        ended = tried.ended()

        refused(tried, ended, "ErrorsGateFailed")
        http, grpc = tried.counts
        assert http["failures"] == 0
        assert grpc["failed"][ended["revision"]] > 0


def test_one_that_is_slow(namespace: str) -> None:
    with Tried(namespace, a_canary(10), rate=6) as tried:
        tried.ask("digits-slow", made("slow", "800"))
        ended = tried.ended()

        refused(tried, ended, "LatencyGateFailed")
        assert "500 ms" in ended["message"]


def test_one_that_is_well_at_a_small_share_and_breaks_under_load(namespace: str) -> None:
    capable_of = 12
    slo = {"errorRate": "10%", "latency": {"percentile": 90, "threshold": "500ms"}}
    with Tried(namespace, a_canary(15, 80), rate=15, slo=slo) as tried:
        tried.ask("digits-slow", made("slow", str(1000 / capable_of)))
        ended = tried.ended(seconds=300)

        refused(tried, ended, "LatencyGateFailed")
        assert {15.0, 80.0} <= set(tried.shares(ended["revision"])), ended["message"]
