"""What a person may tell a rollout, when, and what is answered."""

import pytest

from modelyard.api.rollout_status import Outcome, Phase
from tests.support.worlds.builders import a_built_world
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


def answer(world: World) -> str:
    command = state(world).command
    assert command is not None
    return command.answer


def a_world_at_its_first_weight() -> World:
    world = a_rollout_world(rate=20)
    live_until(world, lambda rollout: traffic(world).get("2") == 10)
    return world


def test_abort_takes_the_traffic_away_and_refuses_the_candidate() -> None:
    world = a_world_at_its_first_weight()

    tell(world, "abort")
    world.look()

    assert traffic(world) == {"1": 100}
    live_until_phase(world, Phase.IDLE)
    assert (last(world).outcome, last(world).reason) == (Outcome.ABORTED, "AbortCommanded")
    assert state(world).rejected == last(world).revision


def test_promote_skips_the_steps_but_not_the_bake() -> None:
    world = a_world_at_its_first_weight()

    tell(world, "promote")
    world.look()
    world.run_until(lambda: traffic(world) == {"2": 100})

    assert state(world).phase is Phase.BAKING
    assert world.stage_of("1") == "Standby"


def test_a_second_promote_ends_the_bake() -> None:
    world = a_world_at_its_first_weight()
    tell(world, "promote", "1")
    world.run_until(lambda: traffic(world) == {"2": 100})

    tell(world, "promote", "2")
    world.look()

    assert (state(world).phase, last(world).outcome) == (Phase.IDLE, Outcome.PROMOTED)
    assert last(world).reason == "PromoteCommanded"


def test_abort_works_after_a_promote_as_long_as_it_bakes() -> None:
    world = a_world_at_its_first_weight()
    tell(world, "promote", "1")
    world.run_until(lambda: traffic(world) == {"2": 100})

    tell(world, "abort", "2")
    world.look()

    assert traffic(world) == {"1": 100}
    assert last(world).outcome is Outcome.ABORTED


def test_a_pause_keeps_the_weight_until_resume() -> None:
    world = a_world_at_its_first_weight()
    world.users.rate = 2000

    tell(world, "pause")
    live_until(world, lambda rollout: rollout.reason == "Paused")
    for _ in range(120):
        world.look()
        world.sleep(1)
    held = (state(world).phase, traffic(world))
    tell(world, "resume")
    live_until_ended(world)

    assert held == (Phase.HOLDING, {"1": 90, "2": 10})
    assert last(world).outcome is Outcome.PROMOTED


def test_a_pause_does_not_keep_a_bad_candidate() -> None:
    world = a_world_at_its_first_weight()
    tell(world, "pause")
    live_until_phase(world, Phase.HOLDING)

    world.users.bad["2"] = 1.0
    live_until_ended(world)

    assert last(world).outcome is Outcome.ABORTED


def test_who_resumes_from_a_pause_of_their_own_has_not_ended_the_steps() -> None:
    world = a_rollout_world(steps=[{"weight": 10, "pause": True}, {"weight": 50}])
    live_until_phase(world, Phase.ADVANCING)
    tell(world, "pause")
    live_until(world, lambda rollout: rollout.paused)

    tell(world, "resume")

    live_until(world, lambda rollout: rollout.reason == "PauseStep")
    assert state(world).step == 0


def test_a_step_that_pauses_waits_for_resume_however_long_it_takes() -> None:
    world = a_rollout_world(rate=2000, steps=[{"weight": 10, "pause": True}, {"weight": 50}])
    live_until(world, lambda rollout: rollout.reason == "PauseStep")
    for _ in range(60):
        world.look()
        world.sleep(1)
    waited = (state(world).phase, state(world).reason)

    tell(world, "resume")
    live_until_phase(world, Phase.ADVANCING, step=1)

    assert waited == (Phase.HOLDING, "PauseStep")


def test_retry_tries_a_refused_candidate_once_more() -> None:
    world = a_rollout_world()
    world.users.bad["2"] = 1.0
    live_until_ended(world)
    world.settle()
    world.users.bad.clear()

    tell(world, "retry")
    live_until_ended(world)

    assert [record.outcome for record in state(world).history] == [Outcome.PROMOTED, Outcome.ABORTED]


def test_a_command_is_carried_out_once() -> None:
    world = a_world_at_its_first_weight()
    tell(world, "abort", "7")
    live_until_phase(world, Phase.IDLE)
    tell(world, "retry", "8")
    live_until(world, lambda rollout: traffic(world).get("2") == 10)

    world.look()

    assert state(world).command is not None
    assert state(world).phase is Phase.ADVANCING


def test_a_manifest_that_is_applied_again_tells_no_old_command_again() -> None:
    world = a_world_at_its_first_weight()
    tell(world, "pause", "monday")
    world.look()
    for number in range(8):
        tell(world, "resume" if number % 2 == 0 else "pause", f"later-{number}")
        world.look()
    tell(world, "resume", "tuesday")
    world.look()
    answered = answer(world), state(world).command

    tell(world, "pause", "monday")
    world.look()

    assert (state(world).paused, (answer(world), state(world).command)) == (False, answered)
    assert state(world).handled_commands == ["tuesday", *(f"later-{number}" for number in reversed(range(8))), "monday"]


def test_the_last_ten_commands_are_remembered_and_no_more() -> None:
    world = a_world_at_its_first_weight()
    for number in range(11):
        tell(world, "pause" if number % 2 == 0 else "resume", f"{number}")
        world.look()
    tell(world, "pause", "0")
    world.look()

    assert answer(world) == "It is paused already."
    assert state(world).handled_commands == ["0", *(f"{number}" for number in range(10, 1, -1))]


def test_what_was_told_in_an_earlier_rollout_is_not_told_in_the_next() -> None:
    world = a_world_at_its_first_weight()
    tell(world, "abort", "7")
    live_until_phase(world, Phase.IDLE)
    tell(world, "retry", "8")
    live_until(world, lambda rollout: traffic(world).get("2") == 10)

    tell(world, "abort", "7")
    world.look()

    assert (state(world).phase, state(world).handled_commands) == (Phase.ADVANCING, ["8", "7"])


def test_the_command_an_earlier_release_answered_stays_answered() -> None:
    world = a_world_at_its_first_weight()
    tell(world, "pause", "old")
    world.look()
    world.model["status"]["rollout"].pop("handledCommands")

    tell(world, "resume", "new")
    world.look()
    tell(world, "pause", "old")
    world.look()

    assert (state(world).paused, state(world).handled_commands) == (False, ["new", "old"])


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("abort", "apply the spec of the version before"),
        ("promote", "no rollout is under way"),
        ("pause", "no rollout is under way"),
        ("resume", "it is not paused"),
        ("retry", "was not refused before"),
    ],
)
def test_a_command_without_a_rollout_is_refused_with_words(action: str, message: str) -> None:
    world = a_rollout_world()
    live_until_ended(world)
    before = traffic(world)

    tell(world, action)
    world.look()

    assert answer(world).startswith("Refused: ")
    assert message in answer(world)
    assert traffic(world) == before


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("pause", "pause", "paused already"),
        ("abort", "abort", "being aborted already"),
        ("abort", "promote", "`retry` tries the revision again"),
        ("abort", "pause", "no rollout is under way"),
    ],
)
def test_a_command_after_another_is_answered(first: str, second: str, message: str) -> None:
    world = a_world_at_its_first_weight()
    tell(world, first, "1")
    world.look()

    tell(world, second, "2")
    world.look()

    assert message in answer(world)


def test_nothing_is_promoted_before_it_answered() -> None:
    world = a_rollout_world()
    world.mute.add(world.build_of("2"))
    live_until_phase(world, Phase.STARTING)

    tell(world, "promote")
    world.look()

    assert "has not answered" in answer(world)


def test_the_very_first_revision_cannot_be_aborted() -> None:
    world = a_built_world(rollout={"strategy": "Canary"})
    world.look()

    tell(world, "abort")
    world.look()

    assert "no other revision" in answer(world)


def test_a_command_that_is_refused_is_a_warning() -> None:
    world = a_world_at_its_first_weight()

    tell(world, "resume")
    world.look()

    assert ("Warning", "CommandRefused") in world.said
    tell(world, "pause")
    world.look()
    assert ("Normal", "RolloutCommand") in world.said


@pytest.mark.parametrize(("verb", "kind"), [("abort", "Warning"), ("pause", "Normal")])
def test_what_becomes_of_a_rollout_is_a_warning_when_it_went_against_the_candidate(verb: str, kind: str) -> None:
    world = a_world_at_its_first_weight()

    tell(world, verb)
    world.look()

    assert (kind, "RolloutAborted" if verb == "abort" else "RolloutHolding") in world.said
