"""Candidates that pass their warm-up and then turn out bad are taken out by the gate that saw it."""

from collections.abc import Iterator

import pytest

from tests.support.cluster.kubectl import run
from tests.support.cluster.models import condition, until
from tests.support.cluster.rollout_under_load import (
    BRIGHT,
    BROKEN_CLIENT,
    CLEAN,
    NAME,
    PICTURES,
    SMALL,
    STRICT,
    RolloutUnderLoad,
    Shot,
    a_canary,
    unharmed,
)


@pytest.fixture(scope="module")
def running(shared_namespace: str) -> Iterator[RolloutUnderLoad]:
    with RolloutUnderLoad(shared_namespace, a_canary(25), slo=STRICT) as tried:
        tried.rest()
        yield tried


@pytest.fixture
def tried(running: RolloutUnderLoad) -> Iterator[RolloutUnderLoad]:
    """Version 1 serves and nobody asks it yet; what was refused is forgotten afterwards."""
    yield running
    running.rest()
    running.ask()
    running.until(lambda shot: shot.get("rejected") == "", "the refusal is forgotten")


def made(*what: str) -> str:
    """Version of an entry that is bad in that way."""
    return run("python", "-m", "tests.support.artifacts.bad_models", *what).stdout.strip()


def refused(tried: RolloutUnderLoad, ended: Shot, reason: str) -> None:
    """The rollout ended for that reason, nobody was harmed but by the candidate, and the stable has everything back."""
    assert (ended["outcome"], ended["reason"]) == ("Aborted", reason), ended["message"]
    counts = tried.rest()[-2:]
    unharmed(counts, tried.stable)
    shares = tried.shares(ended["revision"])
    top = shares.index(max(shares))
    assert shares[: top + 1] == sorted(shares[: top + 1])
    assert max(shares[top + 1 :]) < 0.001, "all traffic is taken away in one write"
    assert all(ended["revision"] in {**count["revisions"], **count["failed"]} for count in counts)


def test_one_that_fails_a_share_of_the_inputs_beside_a_broken_client(tried: RolloutUnderLoad) -> None:
    known = tried.known
    tried.resume_load((*PICTURES, *BROKEN_CLIENT), PICTURES)
    tried.ask(version="3")
    ended = tried.ended(known)

    refused(tried, ended, "ErrorsGateFailed")
    assert ended["message"].startswith("errors:")
    assert f"of {ended['requests']}" in ended["message"]
    assert 0 < ended["failedRequests"] < ended["requests"]


def test_one_that_fails_only_over_grpc(tried: RolloutUnderLoad) -> None:
    known = tried.known
    tried.resume_load(CLEAN, BRIGHT)
    tried.ask(version="3")
    ended = tried.ended(known)

    refused(tried, ended, "ErrorsGateFailed")
    http, grpc = tried.counts[-2:]
    assert http["failures"] == 0
    assert grpc["failed"][ended["revision"]] > 0


def test_one_that_rejects_what_the_stable_accepts(tried: RolloutUnderLoad) -> None:
    known = tried.known
    tried.resume_load((*PICTURES, *BROKEN_CLIENT), PICTURES)
    source = {"name": "digits-renamed", "version": made("renamed")}
    tried.ask(source=source)
    held = until(NAME, tried.namespace, "Built", "False", "ContractChanged")
    assert "input picture is new" in condition(held, "Built")["message"]
    assert tried.known == known, "what clients would notice is not begun"

    tried.ask(source={**source, "allowContractChange": True})
    ended = tried.ended(known)

    refused(tried, ended, "ClientErrorsGateFailed")
    assert "it rejects what the stable accepts" in ended["message"]


@pytest.mark.proof
def test_one_that_is_well_at_a_small_share_and_breaks_under_load(namespace: str) -> None:
    """It may use 0.3 cores and takes 40 ms of one: enough for 2 requests a second, not for 20."""
    confined = {"requests": SMALL["requests"], "limits": {"cpu": "300m", "memory": "1Gi"}}
    slo = {"errorRate": "10%", "latency": {"percentile": 90, "threshold": "500ms"}}
    with RolloutUnderLoad(namespace, a_canary(5, 50), rate=20, slo=slo) as tried:
        tried.ask("digits-slow", made("slow", "40"), serving={"resources": confined})
        ended = tried.ended()

        refused(tried, ended, "LatencyGateFailed")
        assert {5.0, 50.0} <= set(tried.shares(ended["revision"])), ended["message"]
