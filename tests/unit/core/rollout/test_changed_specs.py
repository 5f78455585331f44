"""What becomes of a rollout when somebody asks for something else in the middle of it."""

import pytest

from modelyard.api.rollout_status import Outcome, Phase
from tests.support.worlds.rollouts import (
    a_rollout_world,
    last,
    live_until,
    live_until_ended,
    live_until_phase,
    state,
    traffic,
)
from tests.support.worlds.world import BROKEN, World


def a_world_at(weight: int) -> World:
    world = a_rollout_world()
    world.run_until(lambda: traffic(world).get("2") == weight, 4000)
    return world


@pytest.mark.parametrize("weight", [10, 50, 100])
def test_asking_for_the_stable_again_rolls_back_at_once(weight: int) -> None:
    world = a_world_at(weight)

    world.ask(version="1")
    world.look()

    assert traffic(world) == {"1": 100}
    assert (last(world).outcome, last(world).reason) == (Outcome.ROLLED_BACK, "Reverted")
    world.settle()
    assert world.condition("Ready") == ("True", "Serving")
    assert [revision.version for revision in world.status.revisions] == ["1"]


def test_a_third_wish_drops_the_candidate_and_starts_from_the_stable() -> None:
    world = a_world_at(10)
    world.entries["4"] = f"sha256:{'4' * 64}"
    world.store.add(world.build_of("4"))

    world.ask(version="4")
    world.look()
    dropped = traffic(world)
    live_until(world, lambda rollout: traffic(world).get("4") == 10)

    assert dropped == {"1": 100}
    assert (last(world).outcome, last(world).reason) == (Outcome.SUPERSEDED, "Superseded")
    assert world.stage_of("2") is None


def test_a_wish_that_cannot_be_built_drops_the_candidate_and_leaves_the_stable() -> None:
    world = a_world_at(10)

    world.ask(version=BROKEN)
    world.settle()

    assert (traffic(world), last(world).outcome) == ({"1": 100}, Outcome.SUPERSEDED)
    assert world.condition("Stalled")[0] == "True"
    assert state(world).phase is Phase.BUILDING


def test_an_unknown_entry_holds_the_rollout_until_the_spec_is_mended() -> None:
    world = a_world_at(10)

    world.ask(version="9")
    live_until_phase(world, Phase.HOLDING)
    held = traffic(world)
    world.ask(version="2")
    live_until_ended(world)

    assert held == {"1": 90, "2": 10}
    assert last(world).outcome is Outcome.PROMOTED


def test_what_was_refused_is_tried_again_after_something_else_was_wanted() -> None:
    world = a_rollout_world()
    world.users.bad["2"] = 1.0
    live_until_ended(world)
    world.users.bad.clear()

    world.ask(version="1")
    world.settle()
    forgotten = state(world).rejected
    world.ask(version="2")
    live_until_ended(world)

    assert forgotten == ""
    assert last(world).outcome is Outcome.PROMOTED


def test_a_refused_build_stays_refused_while_the_store_is_away() -> None:
    world = a_rollout_world()
    world.users.bad["2"] = 1.0
    live_until_ended(world)
    world.settle()

    world.store_away = True
    world.look()

    assert state(world).phase is Phase.IDLE


def test_going_back_after_a_promotion_is_a_rollout_of_its_own() -> None:
    world = a_rollout_world()
    live_until_ended(world)

    world.ask(version="1")
    live_until_ended(world)
    world.settle()

    assert [record.outcome for record in state(world).history] == [Outcome.PROMOTED, Outcome.PROMOTED]
    assert traffic(world) == {"1": 100}


def test_a_strategy_changed_in_mid_rollout_is_for_the_next() -> None:
    world = a_world_at(10)

    world.ask(rollout={"strategy": "Immediate"})
    live_until_ended(world)

    assert (last(world).strategy, last(world).outcome) == ("Canary", Outcome.PROMOTED)


def test_a_rollout_is_remembered_ten_times() -> None:
    world = a_rollout_world(rate=2000)
    for number in range(12):
        world.ask(version="12"[number % 2])
        world.look()
        world.ask(version="21"[number % 2])
        live_until_ended(world)

    assert len(state(world).history) == 10


def test_a_row_of_failed_candidates_does_not_push_out_what_had_the_traffic() -> None:
    world = a_rollout_world(rate=2000)
    live_until_ended(world)
    for version in "12":
        world.ask(version=version)
        live_until_ended(world)
    for _ in range(8):
        world.ask(version="1")
        world.run_until(lambda: state(world).candidate != "")
        world.ask(version="2")
        live_until_ended(world)

    records = state(world).history
    promoted = [record for record in records if record.outcome is Outcome.PROMOTED]

    assert len(records) == 10
    assert [(record.version, record.stable_version) for record in promoted] == [("2", "1"), ("1", "2"), ("2", "1")]
    assert records == sorted(records, key=lambda record: record.end_time, reverse=True)
