"""The answer to a command says what came of it, also when something else happened in the same pass."""

import pytest

from modelyard.api.rollout_status import Outcome, Phase
from tests.support.worlds.builders import a_built_world
from tests.support.worlds.rollouts import a_rollout_world, last, live_until, live_until_phase, state, tell, traffic
from tests.support.worlds.world import World


def answer(world: World) -> str:
    command = state(world).command
    assert command is not None
    return command.answer


def a_world_at_its_first_weight(rate: float = 20, **rollout: str) -> World:
    world = a_rollout_world(rate=rate, **rollout)
    live_until(world, lambda rollout: traffic(world).get("2") == 10)
    return world


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("promote", "Refused: errors:"),
        ("pause", "Refused: the rollout has just ended: errors:"),
    ],
)
def test_a_candidate_that_fails_in_the_same_pass_is_neither_promoted_nor_paused(action: str, words: str) -> None:
    world = a_world_at_its_first_weight(rate=200)
    world.step()
    world.users.bad["2"] = 1.0
    world.sleep(5)

    tell(world, action)
    world.look()

    assert traffic(world) == {"1": 100}
    assert answer(world).startswith(words)


def test_who_resumes_what_is_held_is_told_so() -> None:
    world = a_world_at_its_first_weight()
    tell(world, "pause")
    live_until_phase(world, Phase.HOLDING)
    world.users.away = True
    world.sleep(60)
    world.look()

    tell(world, "resume")
    world.look()

    assert state(world).reason == "NoMetrics"
    assert answer(world).startswith("The pause is over, but it is held: ")


def test_who_resumes_what_fails_in_the_same_pass_is_told_so() -> None:
    world = a_world_at_its_first_weight(rate=200)
    tell(world, "pause")
    live_until_phase(world, Phase.HOLDING)
    world.step()
    world.look()
    world.users.bad["2"] = 1.0
    world.sleep(5)

    tell(world, "resume")
    world.look()

    assert last(world).outcome is Outcome.ABORTED
    assert answer(world).startswith("The pause is over, and so is the rollout: errors:")


def test_a_promotion_waits_for_the_replicas_it_needs() -> None:
    world = a_world_at_its_first_weight()
    world.model["status"]["rollout"]["replicas"] = 4
    world.ask(scaling={"minReplicas": 1, "maxReplicas": 8})

    tell(world, "promote")
    world.look()

    assert traffic(world) == {"1": 90, "2": 10}
    assert "as soon as it has 4 replicas that are ready; then it bakes" in answer(world)


def test_who_aborts_what_had_no_traffic_is_told_so() -> None:
    world = a_rollout_world()
    world.mute.add(world.build_of("2"))
    live_until_phase(world, Phase.STARTING)

    tell(world, "abort")
    world.look()

    assert answer(world) == f"Revision {last(world).revision} is given up; it had no traffic."


def test_an_abort_of_what_the_spec_has_left_already_says_why_it_ends() -> None:
    world = a_world_at_its_first_weight()
    world.ask(version="1")

    tell(world, "abort")
    world.look()

    assert last(world).outcome is Outcome.ROLLED_BACK
    assert answer(world).startswith("It ends for another reason: The spec asks for the stable revision")


def test_a_pause_before_the_first_weight_says_that_the_candidate_starts() -> None:
    world = a_rollout_world()
    live_until_phase(world, Phase.STARTING)

    tell(world, "pause")
    world.look()

    assert answer(world) == "The candidate may start, but gets no traffic until resume."


@pytest.mark.parametrize("strategy", ["Immediate", "Recreate"])
def test_what_has_no_steps_cannot_be_paused(strategy: str) -> None:
    world = a_rollout_world(strategy=strategy)
    live_until(world, lambda rollout: rollout.active)

    tell(world, "pause")
    world.look()

    assert answer(world).startswith(f"Refused: a revision of strategy {strategy} has no steps to pause at")
    assert not state(world).paused


def test_a_first_revision_cannot_be_paused() -> None:
    world = a_built_world(rollout={"strategy": "Canary"})
    world.look()

    tell(world, "pause")
    world.look()

    assert answer(world).startswith("Refused: the first revision has no steps to pause at")


def test_a_check_that_is_begun_again_while_the_candidate_fails_is_refused() -> None:
    world = a_rollout_world(strategy="Canary", loadTest={"requestsPerSecond": 50, "duration": "60s"})
    live_until_phase(world, Phase.TESTING)
    world.kserve.faults[world.revision("2").name] = "memory"
    world.model["status"]["rollout"]["gates"] = [{"name": "loadTest", "verdict": "Hold", "attempts": 4}]
    world.step()

    tell(world, "retry")
    world.look()

    assert last(world).outcome is Outcome.ABORTED
    assert answer(world).startswith("Refused: the rollout has just ended: health:")
