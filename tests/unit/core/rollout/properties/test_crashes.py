"""Wherever in a rollout the operator is stopped, it goes on to the same end, by the same weights.

`tests.support.worlds.invariants` checks every write of every replay. Four whole rollouts are stopped before a third of
their writes, the other stories before every fifth, from a first one that the commit draws; before all of them with
MODELYARD_PROOF=1.
"""

from typing import Any

import pytest

from modelyard.core.snapshot import Check
from tests.support.repository.proof import sampled
from tests.support.worlds.replays import Story, Told, candidate_share, end, forks
from tests.support.worlds.rollouts import a_rollout_world, state, tell
from tests.support.worlds.world import World

QUICK = {"steps": [{"weight": 10}, {"weight": 50}], "bake": "2s", "abortScaleDownDelay": "5s"}
BLUE_GREEN = {"strategy": "BlueGreen", "preview": {"hold": "2s"}, "bake": "2s"}
SHADOW = {"strategy": "Shadow", "shadow": {"duration": "2s", "then": "Canary"}, "steps": [{"weight": 20}], "bake": "2s"}
AB = {"strategy": "AB", "ab": {"weight": 30, "header": "x-user-id", "duration": "3s"}, "abortScaleDownDelay": "5s"}
PROMOTED, ABORTED = [0, 10, 50, 100], [0, 10, 0]


def asked(examined: dict[str, Check] | None = None, bad: float = 0.0, **rollout: Any) -> Story:
    """Version 2 is asked for; a share of its answers is bad."""

    def begin() -> World:
        world = a_rollout_world(rate=20_000, watched=10, **(QUICK if not rollout.get("strategy") else {}), **rollout)
        world.users.bad["2"] = bad
        world.examined.update(examined or {})
        return world

    return Story(begin)


def reverted(share: int, **rollout: Any) -> Story:
    """The old spec is applied again when version 2 has that share."""

    def happen(world: World) -> None:
        if candidate_share(world) == share and world.model["spec"]["source"]["version"] == "2":
            world.ask(version="1")

    return Story(asked(**rollout).begin, happen)


def told(action: str, share: int) -> Story:
    """A command is given when version 2 has that share."""

    def happen(world: World) -> None:
        if candidate_share(world) == share and state(world).active and "command" not in world.model["spec"]["rollout"]:
            tell(world, action, "1")

    return Story(asked().begin, happen)


def assert_any_stop_is_harmless(story: Story, shares: list[int], every: int) -> None:
    calm = Told(story, story.begin())
    replays = list(forks(calm))

    assert calm.shares == shares
    assert len(replays) > 15
    for number, replay in sampled(replays, every):
        replay.to_the_end()
        assert replay.shares == shares, f"stopped before write {number}"
        assert end(replay.world) == end(calm.world), f"stopped before write {number}"


@pytest.mark.parametrize(
    ("story", "shares"),
    [
        pytest.param(asked(), PROMOTED, id="a good canary"),
        pytest.param(asked(bad=0.5), ABORTED, id="a canary that fails"),
        pytest.param(reverted(50), [0, 10, 50, 0], id="a canary rolled back by its old spec"),
        pytest.param(asked(**BLUE_GREEN), [0, 100], id="blue-green"),
    ],
)
def test_stopped_before_any_of_its_writes_a_rollout_reaches_the_same_end_by_the_same_weights(
    story: Story, shares: list[int]
) -> None:
    assert_any_stop_is_harmless(story, shares, every=3)


@pytest.mark.parametrize(
    ("story", "shares"),
    [
        pytest.param(asked(loadTest={}), PROMOTED, id="a canary after a load test"),
        pytest.param(
            asked({"loadTest": Check(False, "It missed the SLO.")}, loadTest={}), [0], id="a load test that fails"
        ),
        pytest.param(reverted(100), [0, 10, 50, 100, 0], id="a bake rolled back by its old spec"),
        pytest.param(told("abort", 10), ABORTED, id="a canary aborted by a command"),
        pytest.param(told("promote", 10), [0, 10, 100], id="a canary promoted by a command"),
        pytest.param(reverted(100, **BLUE_GREEN), [0, 100, 0], id="blue-green and back"),
        pytest.param(asked(**SHADOW), [0, 20, 100], id="a shadow that goes on as a canary"),
        pytest.param(asked(**AB), [0, 30, 0], id="an A/B test"),
        pytest.param(asked(strategy="Recreate"), [0, 100], id="recreate"),
        pytest.param(asked(strategy="Immediate"), [0, 100], id="immediate"),
    ],
)
def test_so_does_every_other_story(story: Story, shares: list[int]) -> None:
    assert_any_stop_is_harmless(story, shares, every=5)


def test_what_the_operator_keeps_in_memory_is_gone_after_a_stop() -> None:
    world = asked().begin()
    world.run_until(lambda: candidate_share(world) == 10)
    seen = bool(world.snapshot().traffic.windows and world.probes)

    world.restart()

    assert seen
    assert (world.snapshot().traffic.windows, world.probes) == ((), {})
