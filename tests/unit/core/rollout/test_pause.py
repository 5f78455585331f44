"""A pause stops the clock: what a person holds loses none of its time, and gains none."""

from typing import Any

import pytest

from modelyard.api.rollout_status import PAUSES, Outcome, PauseRecord, Phase, RolloutStatus
from modelyard.core.conditions import epoch, timestamp
from modelyard.core.rollout.clock import paused_seconds, with_pauses
from tests.support.worlds.rollouts import (
    a_rollout_world,
    last,
    live_until,
    live_until_ended,
    live_until_phase,
    state,
    tell,
    traffic,
)
from tests.support.worlds.world import World

WEEKEND = 60 * 3600.0


def sleep_over_the_weekend(world: World) -> None:
    """No look for most of it: the users' requests of sixty hours need not be counted one by one."""
    rate, world.users.rate = world.users.rate, 0
    world.now += WEEKEND
    world.look()
    world.users.rate = rate
    world.sleep(2)
    world.look()


def paused_at_its_first_weight(**rollout: Any) -> World:
    world = a_rollout_world(**rollout)
    live_until(world, lambda rollout: traffic(world).get("2") == 10)
    tell(world, "pause")
    live_until(world, lambda rollout: rollout.paused and rollout.phase is Phase.HOLDING)
    return world


def test_who_pauses_on_friday_and_resumes_on_monday_finds_the_rollout_as_it_was() -> None:
    world = paused_at_its_first_weight(maxDuration="10m")
    sleep_over_the_weekend(world)

    tell(world, "resume")
    world.look()

    assert state(world).phase is not Phase.ABORTING
    live_until_phase(world, Phase.IDLE)
    assert last(world).outcome is Outcome.PROMOTED


def test_what_is_left_of_max_duration_goes_on_after_a_pause() -> None:
    world = a_rollout_world(rate=0, watched=0, maxDuration="90s")
    live_until_phase(world, Phase.ADVANCING)
    world.sleep(20)
    begun = epoch(state(world).start_time)
    tell(world, "pause")
    world.look()
    before = world.now - begun
    world.now += WEEKEND
    tell(world, "resume")
    world.look()
    resumed = world.now

    live_until_phase(world, Phase.ABORTING)

    assert last(world).reason == "Inconclusive"
    assert 89 <= before + world.now - resumed <= 92


@pytest.mark.parametrize(
    "at", [{"steps": [{"weight": 10, "pause": True}, {"weight": 50}]}, {"preview": {"pause": True}}]
)
def test_a_step_with_a_pause_waits_longer_than_max_duration(at: dict[str, Any]) -> None:
    strategy = "BlueGreen" if "preview" in at else "Canary"
    world = a_rollout_world(rate=2000, strategy=strategy, maxDuration="5m", bake="10s", **at)
    live_until(world, lambda rollout: rollout.reason == "PauseStep")

    world.now += WEEKEND
    world.look()
    waits = (state(world).phase, state(world).reason)
    tell(world, "resume")
    live_until_phase(world, Phase.IDLE)

    assert waits == (Phase.HOLDING, "PauseStep")
    assert last(world).outcome is Outcome.PROMOTED


def test_the_hold_of_a_step_waits_while_it_is_paused() -> None:
    world = a_rollout_world(steps=[{"weight": 50, "hold": "1m"}], rate=2000)
    live_until(world, lambda rollout: traffic(world).get("2") == 50 and world.revision("2").programmed_time != "")
    begun = world.now
    world.sleep(20)
    tell(world, "pause")
    world.look()
    world.now += WEEKEND
    tell(world, "resume")
    world.look()

    live_until_phase(world, Phase.BAKING)

    assert 60 <= world.now - begun - WEEKEND <= 75


def test_a_bake_goes_on_where_the_pause_began() -> None:
    world = a_rollout_world(bake="1m")
    live_until_phase(world, Phase.BAKING)
    world.run_until(lambda: traffic(world) == {"2": 100})
    begun = world.now
    live_until(world, lambda rollout: world.now - begun >= 30)
    tell(world, "pause")
    live_until(world, lambda rollout: rollout.reason == "Paused")
    sleep_over_the_weekend(world)
    tell(world, "resume")

    live_until_phase(world, Phase.IDLE)

    assert last(world).outcome is Outcome.PROMOTED
    assert 60 <= world.now - begun - WEEKEND <= 80


def test_a_pause_while_the_artifact_is_built_is_told_and_taken_back() -> None:
    world = a_rollout_world()
    world.store.discard(world.build_of("2"))
    live_until_phase(world, Phase.BUILDING)

    tell(world, "pause")
    world.look()
    paused = state(world)
    tell(world, "resume")
    world.look()
    resumed = state(world)

    assert (paused.phase, paused.reason) == (Phase.BUILDING, "Paused")
    assert (resumed.phase, resumed.reason) == (Phase.BUILDING, "Building")
    assert "artifact of the candidate comes first" in resumed.message


def test_a_candidate_that_starts_in_a_pause_gets_no_request_and_no_time_is_taken_from_it() -> None:
    world = a_rollout_world()
    world.mute.add(world.build_of("2"))
    live_until_phase(world, Phase.STARTING)
    tell(world, "pause")
    world.look()
    explained = (state(world).reason, state(world).message)
    world.now += WEEKEND
    world.look()
    world.mute.clear()
    for _ in range(60):
        world.step()
        world.look()
        world.sleep(1)
    waits = (state(world).phase, traffic(world))

    tell(world, "resume")
    world.look()
    assert state(world).reason != "Paused"
    live_until_phase(world, Phase.IDLE)

    assert explained[0] == "Paused"
    assert "gets no traffic" in explained[1]
    assert waits == (Phase.STARTING, {"1": 100})
    assert last(world).outcome is Outcome.PROMOTED


@pytest.mark.parametrize(("fault", "least"), [("nodes", 20), ("slow", 200)])
def test_pods_that_fail_without_users_have_their_patience_after_the_pause(fault: str, least: float) -> None:
    world = a_rollout_world(strategy="BlueGreen", preview={"hold": "10m"})
    live_until_phase(world, Phase.PREVIEWING)
    world.kserve.faults[world.revision("2").name] = fault
    world.step()
    world.look()
    tell(world, "pause")
    world.look()
    world.now += WEEKEND
    world.look()
    paused = state(world).phase

    tell(world, "resume")
    resumed = world.now
    live_until_phase(world, Phase.IDLE)

    assert paused is Phase.HOLDING
    assert least <= world.now - resumed <= least + 110


def test_a_pause_that_comes_while_something_else_holds_is_told_and_ends_with_resume() -> None:
    world = a_rollout_world()
    live_until(world, lambda rollout: traffic(world).get("2") == 10)
    world.users.rate = 0
    live_until(world, lambda rollout: rollout.reason == "NoTraffic")

    tell(world, "pause")
    world.look()
    paused = state(world).reason
    tell(world, "resume")
    world.look()

    assert (paused, state(world).reason) == ("Paused", "NoTraffic")


def test_a_pause_an_earlier_release_did_not_date_began_with_its_hold() -> None:
    world = paused_at_its_first_weight(maxDuration="10m")
    for name in ("pauses", "heldStartTime"):
        world.model["status"]["rollout"].pop(name)
    world.now += WEEKEND
    tell(world, "resume")
    world.look()

    live_until_phase(world, Phase.IDLE)

    assert last(world).outcome is Outcome.PROMOTED


def test_many_pauses_are_remembered_by_their_length() -> None:
    rollout = RolloutStatus(phase=Phase.ADVANCING)
    for number in range(3 * PAUSES):
        rollout = with_pauses(rollout.model_copy(update={"paused": True}), 1000.0 + 100 * number)
        rollout = with_pauses(rollout.model_copy(update={"paused": False}), 1000.0 + 100 * number + 10)

    assert len(rollout.pauses) <= PAUSES
    assert paused_seconds(rollout, 0.0, 1e6) == pytest.approx(3 * PAUSES * 10)


def test_only_what_lies_between_the_two_moments_is_counted() -> None:
    pauses = [PauseRecord(start_time=timestamp(100), end_time=timestamp(200)), PauseRecord(start_time=timestamp(300))]
    rollout = RolloutStatus(phase=Phase.ADVANCING, pauses=pauses)

    assert paused_seconds(rollout, 150, 400) == pytest.approx(50 + 100)
    assert epoch(rollout.pauses[1].start_time) == 300


def test_a_new_rollout_begins_without_the_pauses_of_the_last() -> None:
    world = paused_at_its_first_weight()
    tell(world, "abort")
    live_until_ended(world)

    assert (state(world).pauses, state(world).paused) == ([], False)
