"""Blue-green: the new version comes up without traffic, is previewed, takes everything at once, and gives it back."""

import httpx

from modelyard.core.names import preview_host
from tests.support.cluster.kubectl import eventually
from tests.support.cluster.models import gateway, host
from tests.support.cluster.rollout_under_load import NAME, RolloutUnderLoad, unharmed

BLUE_GREEN = {"strategy": "BlueGreen", "preview": {"pause": True}, "bake": "10m", "abortScaleDownDelay": "1s"}


def previewed(namespace: str) -> httpx.Response:
    called = {"Host": preview_host(NAME, namespace, host("", "").lstrip("."))}
    return httpx.get(f"http://{gateway()}/v2/health/ready", headers=called, timeout=10)


def test_a_switch_under_load_and_back_is_one_write_each_and_fails_no_request(namespace: str) -> None:
    with RolloutUnderLoad(namespace, BLUE_GREEN) as tried:
        tried.ask(version="2")
        held = tried.until(lambda shot: shot if shot.get("reason") == "PauseStep" else None, "a person is waited for")
        candidate = held["candidate"]
        answered = eventually(lambda: (found := previewed(namespace)).is_success and found, "the preview host answers")
        assert answered.headers["x-modelyard-revision"] == candidate
        assert max(tried.shares(candidate)) == 0

        tried.say("promote")
        tried.until(lambda shot: tried.shares(candidate)[-1] > 99, "the candidate has everything")
        before = tried.pods(tried.stable)
        tried.say("abort")
        ended = tried.ended()
        counts = tried.rest()

        assert (ended["outcome"], ended["reason"]) == ("Aborted", "AbortCommanded")
        unharmed(counts, tried.stable, candidate)
        assert tried.pods(tried.stable) == before, "the old revision stood by at full size"
        whole = [share for share in tried.shares(candidate) if 0.001 < share < 99.999]
        assert whole == [], "between nothing and everything there is no share"
