"""A good candidate is promoted by evidence, step by step, and no request fails; the same again is never refused.

A fifth of what comes over HTTP are requests that no server can read: a client's mistakes are nobody's failures.
"""

from tests.support.cluster.rollout_under_load import (
    BROKEN_CLIENT,
    PICTURES,
    SMALL,
    STRICT,
    RolloutUnderLoad,
    a_canary,
    unharmed,
)
from tests.support.repository.proof import PROOF

REQUESTS = 20_000 if PROOF else 1_500
RATE = 60 if PROOF else 25
SAME_AGAIN = 20 if PROOF else 1
STEPS = (5, 25, 50) if PROOF else (25, 50)


def test_a_good_candidate_is_promoted_through_all_steps_and_fails_no_request(namespace: str) -> None:
    bake = "150s" if PROOF else "10s"
    with RolloutUnderLoad(
        namespace,
        a_canary(*STEPS, bake=bake),
        (*PICTURES, *BROKEN_CLIENT),
        PICTURES,
        slo=STRICT,
        rate=60 if PROOF else 25,
    ) as tried:
        tried.ask(version="2")
        candidate = tried.reaches("Baking")["candidate"]
        before = tried.pods(candidate)
        ended = tried.ended()
        assert tried.alone() == candidate
        counts = tried.rest()

        assert (ended["outcome"], ended["revision"], ended["failedRequests"]) == ("Promoted", candidate, 0)
        unharmed(counts, tried.stable, candidate)
        assert sum(count["requests"] for count in counts) >= REQUESTS
        assert tried.pods(candidate) == before, "promotion restarts no pod"
        shares = tried.shares(candidate)
        assert shares == sorted(shares), "the share only grows"
        assert set(STEPS) < set(shares)


def test_the_same_artifact_as_a_new_revision_is_never_refused(namespace: str) -> None:
    with RolloutUnderLoad(namespace, a_canary(50, bake="5s"), PICTURES) as tried:
        for known in range(SAME_AGAIN):
            asked = {"requests": {**SMALL["requests"], "cpu": f"{110 + known}m"}, "limits": SMALL["limits"]}
            tried.ask(serving={"resources": asked})
            ended = tried.ended(known)
            assert (ended["outcome"], ended["version"]) == ("Promoted", "1"), ended["message"]
            tried.alone()
            counts = tried.rest()
            tried.resume_load()

        unharmed(counts, *(count for one in counts for count in one["revisions"]))
