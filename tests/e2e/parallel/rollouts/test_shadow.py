"""A shadow: a candidate with wrong outputs is reported with its numbers, and users never see one of its answers."""

from tests.support.cluster.kubectl import run
from tests.support.cluster.rollout_under_load import PICTURES, RolloutUnderLoad, unharmed

SHADOW = {
    "strategy": "Shadow",
    "shadow": {"percent": 50, "duration": "5s", "samples": 20, "maxDisagreement": "5%"},
    "abortScaleDownDelay": "1s",
}


def test_wrong_outputs_are_reported_and_users_see_nothing(namespace: str) -> None:
    version = run("python", "-m", "tests.support.artifacts.bad_models", "wrong").stdout.strip()
    with RolloutUnderLoad(namespace, SHADOW, PICTURES) as tried:
        tried.ask("digits-wrong", version)
        ended = tried.ended()
        counts = tried.rest()

        assert (ended["outcome"], ended["reason"]) == ("Aborted", "OutputsDiffer"), ended["message"]
        unharmed(counts, tried.stable)
        assert {who for count in counts for who in count["revisions"]} == {tried.stable}
        assert ended["requests"] > 0, "it was asked copies of what users asked"
        report = tried.shots()[-1]["report"]
        assert report["shadow"], "the findings are kept"
