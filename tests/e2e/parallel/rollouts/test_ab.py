"""An A/B test: a share of the users gets the candidate, each always the same side; it ends with a report."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.support.cluster.kubectl import eventually
from tests.support.cluster.models import gateway, host
from tests.support.cluster.rollout_under_load import NAME, RolloutUnderLoad, unharmed

USERS = 1000
VISITS = 3
CHI_SQUARE = 15.1
"""One degree of freedom: a fair split goes beyond it once in 10,000 times."""
SPLIT = {"strategy": "AB", "ab": {"weight": 30, "header": "x-user-id"}, "abortScaleDownDelay": "1s"}


def visited(namespace: str, users: int = USERS) -> list[set[str]]:
    """Who answered each of the users."""
    with httpx.Client(base_url=f"http://{gateway()}", timeout=20) as client, ThreadPoolExecutor(4) as pool:

        def visits(user: int) -> set[str]:
            headers = {"Host": host(NAME, namespace), "x-user-id": f"user-{user}"}
            answers = [client.get(f"/v2/models/{NAME}/ready", headers=headers) for _ in range(VISITS)]
            return {one.headers["x-modelyard-revision"] for one in answers if one.is_success}

        return list(pool.map(visits, range(users)))


def test_a_thousand_users_keep_their_side_and_the_report_compares_both(namespace: str) -> None:
    with RolloutUnderLoad(namespace, SPLIT, rate=5) as tried:
        tried.ask(version="2")
        tried.reaches("Splitting")
        candidate = tried.gets(30)["candidate"]
        tried.until(lambda _: tried.shares(candidate)[-1] > 1, "the route splits the users")

        eventually(lambda: any(candidate in side for side in visited(namespace, 20)), "Envoy splits the users")
        sides = visited(namespace)
        tried.until(lambda shot: (shot.get("report") or {}).get("sides"), "there is a report")
        tried.say("abort")
        ended = tried.ended()
        counts = tried.rest()

        assert [len(side) for side in sides] == [1] * USERS, "a user saw both sides"
        split = Counter(next(iter(side)) for side in sides)
        expected = USERS * 0.3
        assert (split[candidate] - expected) ** 2 * (1 / expected + 1 / (USERS - expected)) < CHI_SQUARE, split
        unharmed(counts, tried.stable, candidate)
        assert (ended["outcome"], ended["reason"]) == ("Aborted", "AbortCommanded")
        report = tried.shots()[-1]["report"]["sides"]
        assert report["errors"]["candidate"]["requests"] > USERS * VISITS * 0.2
        assert report["share"]["asked"] == 0.3
