"""Recreate: the old revision goes before the new one comes, for hardware that holds only one."""

from tests.support.cluster.rollout_under_load import CLEAN, RolloutUnderLoad


def test_the_old_revision_has_gone_before_the_new_one_comes_and_answers_end_in_the_new(namespace: str) -> None:
    with RolloutUnderLoad(namespace, {"strategy": "Recreate"}, CLEAN) as tried:
        tried.ask(version="2")
        ended = tried.ended()
        tried.rest()
        tried.resume_load()
        counts = tried.rest()[-2:]

        assert (ended["outcome"], ended["version"]) == ("Promoted", "2"), ended["message"]
        beside = [sight.thing for sight in tried.model.seen if len(sight.thing["status"].get("revisions", [])) > 1]
        assert beside == [], "at no time there were two"
        assert {who for count in counts for who in count["revisions"]} == {ended["revision"]}
        assert [count["failures"] for count in counts] == [0, 0]
