"""Who asked for a revision, why, which entry it is and what the gates said: kept with how its rollout ended."""

import pytest

from modelyard.api.rollout_status import Outcome
from tests.support.worlds.rollouts import a_rollout_world, last, live_until, live_until_ended, state
from tests.support.worlds.world import World

SAID = {"modelyard.dev/reason": "  a better\nrecall ", "modelyard.dev/changed-by": "alice"}


def annotated(world: World, **more: str) -> None:
    """Whoever changed the Model says who and why."""
    annotations = {**SAID, **{f"modelyard.dev/{name.replace('_', '-')}": value for name, value in more.items()}}
    world.model["metadata"]["annotations"] = annotations


def test_a_promotion_keeps_who_why_which_entry_and_the_evidence() -> None:
    world = a_rollout_world()
    annotated(world)

    live_until_ended(world)

    cause = last(world).cause
    assert cause is not None
    assert (cause.reason, cause.changed_by) == ("a better recall", "alice")
    assert cause.digest == world.status.entry.digest
    assert last(world).evidence.startswith(("latency Pass: ", "errors Pass: "))
    assert state(world).cause is None


def test_what_is_said_later_is_not_about_the_rollout_under_way() -> None:
    world = a_rollout_world()
    annotated(world)
    live_until(world, lambda rollout: rollout.candidate != "")

    annotated(world, reason="something else")
    live_until_ended(world)

    assert last(world).cause.reason == "a better recall"


@pytest.mark.parametrize(("version", "reason"), [("2", "a better recall"), ("1", "")])
def test_a_reason_given_for_another_version_says_nothing_of_this_one(version: str, reason: str) -> None:
    world = a_rollout_world()
    annotated(world, changed_to=version)

    live_until_ended(world)

    assert last(world).outcome is Outcome.PROMOTED
    assert last(world).cause.reason == reason


def test_a_very_long_reason_is_cut() -> None:
    world = a_rollout_world()
    annotated(world, reason="x" * 10_000, changed_by="y" * 1_000)

    live_until_ended(world)

    assert (len(last(world).cause.reason), len(last(world).cause.changed_by)) == (256, 128)
