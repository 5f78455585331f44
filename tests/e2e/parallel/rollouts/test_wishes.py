"""People change their minds in mid-rollout, and no request is lost for it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.cluster.kubectl import eventually, items, kubectl
from tests.support.cluster.models import owned
from tests.support.cluster.rollout_under_load import NAME, RolloutUnderLoad, a_canary, unharmed

BIGGER = {"resources": {"requests": {"cpu": "120m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}}
WAITING = a_canary(25, bake="10m")
WAITING["steps"][0]["hold"] = "10m"


@pytest.fixture(scope="module")
def running(shared_namespace: str) -> Iterator[RolloutUnderLoad]:
    with RolloutUnderLoad(shared_namespace, WAITING) as tried:
        yield tried


@pytest.fixture
def tried(running: RolloutUnderLoad) -> Iterator[RolloutUnderLoad]:
    """Version 1 alone; in the end no request failed, whoever answered."""
    yield running
    running.ask()
    running.until(lambda shot: shot.get("phase") == "Idle", "the stable is wanted again")
    assert running.alone() == running.stable
    counts = running.rest()
    unharmed(counts, *(who for count in counts for who in count["revisions"]))
    running.resume_load()


def trying(tried: RolloutUnderLoad) -> int:
    """Version 2 gets its share now; how many rollouts had ended before."""
    known = tried.known
    tried.ask(version="2")
    tried.until(lambda shot: tried.shares(shot.get("candidate", ""))[-1] == 25, "version 2 is asked")
    return known


def test_the_old_spec_applied_again_takes_everything_back_at_once(tried: RolloutUnderLoad) -> None:
    known = trying(tried)

    tried.ask()
    ended = tried.ended(known)

    assert (ended["outcome"], ended["reason"], ended["version"]) == ("RolledBack", "Reverted", "2")


def test_a_third_wish_drops_the_candidate_and_begins_anew_from_the_stable(tried: RolloutUnderLoad) -> None:
    known = trying(tried)
    dropped = tried.shots()[-1]["candidate"]

    tried.ask(version="2", serving=BIGGER)
    third = tried.until(
        lambda shot: shot if shot.get("weight") == 25 and shot["candidate"] != dropped else None, "the third is asked"
    )

    assert (third["history"][0]["outcome"], third["history"][0]["revision"]) == ("Superseded", dropped)
    assert (third["stable"], len(third["history"])) == (tried.stable, known + 1)


def test_a_promotion_can_be_taken_back_as_long_as_it_bakes(tried: RolloutUnderLoad) -> None:
    known = trying(tried)
    candidate = tried.shots()[-1]["candidate"]

    promoted = tried.say("promote")
    tried.until(lambda shot: tried.shares(candidate)[-1] > 99.9, "the candidate has all the traffic")
    aborted = tried.say("abort")
    ended = tried.ended(known)

    assert (ended["outcome"], ended["reason"]) == ("Aborted", "AbortCommanded"), (promoted, aborted)
    assert tried.shots()[-1]["rejected"] == candidate, "and it is not tried again by itself"


@pytest.mark.proof
def test_of_two_commands_at_once_the_abort_wins_or_comes_after(tried: RolloutUnderLoad) -> None:
    known = trying(tried)

    with ThreadPoolExecutor(2) as both:
        said = list(both.map(tried.say, ("promote", "abort")))
    if tried.known == known and last_command(tried) != "abort":
        tried.say("abort")
    ended = tried.ended(known)

    assert (ended["outcome"], ended["reason"]) == ("Aborted", "AbortCommanded"), said


def last_command(tried: RolloutUnderLoad) -> str:
    return str((tried.shots()[-1].get("command") or {}).get("action", ""))


@pytest.mark.proof
def test_what_was_refused_is_tried_again_when_a_person_says_so(tried: RolloutUnderLoad) -> None:
    known = trying(tried)
    tried.say("abort")
    tried.ended(known)

    tried.say("retry")

    tried.gets(25)


def test_a_model_deleted_in_mid_rollout_leaves_nothing(namespace: str) -> None:
    with RolloutUnderLoad(namespace, WAITING) as tried:
        trying(tried)
        tried.rest()

        kubectl("delete", "model", NAME, "-n", namespace, "--wait=true")

        eventually(lambda: owned(NAME, namespace) == [], "nothing of the model is left")
        its = f"modelyard.dev/model={NAME},modelyard.dev/namespace={namespace}"
        eventually(lambda: items("jobs", "modelyard-system", its) == [], "none of its Jobs is left")
