"""While registry, store, logs and Jobs have not answered, nothing is claimed, nothing lost and no rollback late."""

import pytest

from modelyard.api.rollout_status import Outcome, Phase
from modelyard.core.snapshot import Failure
from tests.support.objects.faults import TRUNCATED_MODEL_LOG
from tests.support.worlds.builders import a_built_world, a_new_world, a_serving_world
from tests.support.worlds.optimizing import BROKE, a_failing_world, optimization
from tests.support.worlds.rollouts import a_rollout_world, last, live_until_phase, state, traffic
from tests.support.worlds.world import World

KILLED = Failure("Crashed", "tried 3 times: Triton crashed (SIGSEGV).", retry=True)


def test_a_new_model_is_told_nothing_before_the_registry_has_answered() -> None:
    world = a_built_world()
    world.asking = True
    assert world.look().empty
    world.asking = False

    world.settle()
    assert world.condition("Ready") == ("True", "Serving")
    assert "Asking" not in {reason for _, reason in world.said}


@pytest.mark.parametrize("source", [{"name": "digits", "version": "1"}, {"name": "digits", "alias": "champion"}])
def test_a_restarted_operator_finds_nothing_to_do(source: dict[str, str]) -> None:
    world = a_serving_world(source=source)
    world.restart()
    world.asking = True

    assert world.look().empty


def test_a_new_spec_is_not_called_ready_before_its_entry_is_known() -> None:
    world = a_serving_world()
    world.ask(version="2")
    world.asking = True
    assert world.look().empty
    assert world.status.observed_generation < world.model["metadata"]["generation"]
    world.asking = False

    world.settle()
    assert (world.status.version, world.condition("Ready")) == ("2", ("True", "Serving"))


@pytest.mark.parametrize(("what", "gate"), [("bad", "Errors"), ("slow", "Latency")])
def test_a_bad_candidate_is_out_as_fast_as_ever(what: str, gate: str) -> None:
    ends = []
    for asking in (False, True):
        world = a_rollout_world()
        live_until_phase(world, Phase.ADVANCING)
        world.run_until(lambda world=world: traffic(world).get("2") == 10)
        getattr(world.users, what)["2"] = 0.5
        world.asking = asking
        began = world.now
        live_until_phase(world, Phase.ABORTING)
        ends.append((world.now - began, traffic(world), last(world).outcome, last(world).reason))

    assert ends[0] == ends[1]
    assert ends[1][1:] == ({"1": 100}, Outcome.ABORTED, f"{gate}GateFailed")


def test_a_good_candidate_goes_on_to_its_end() -> None:
    world = a_rollout_world()
    live_until_phase(world, Phase.ADVANCING)
    world.asking = True

    live_until_phase(world, Phase.IDLE)

    assert (last(world).outcome, traffic(world)) == (Outcome.PROMOTED, {"2": 100})


def test_a_spec_that_is_not_understood_yet_gives_nobody_more_traffic() -> None:
    world = a_rollout_world()
    live_until_phase(world, Phase.ADVANCING)
    world.run_until(lambda: traffic(world).get("2") == 10)
    world.ask(version="1")
    world.asking = True
    for _ in range(60):
        world.look()
        world.step()
        world.sleep(1)
    assert traffic(world) == {"1": 90, "2": 10}
    world.asking = False

    live_until_phase(world, Phase.IDLE)
    assert (last(world).outcome, traffic(world)) == (Outcome.ROLLED_BACK, {"1": 100})


def crashed(world: World, *, log: str = "") -> None:
    """The pods of version 2 crash, and their log can be read."""
    revision = world.revision("2").name
    world.kserve.faults[revision] = "crash"
    while world.step():
        pass
    world.logs = {name: log for name in world.names("Pod") if name.startswith(revision)}


def test_a_candidate_without_traffic_is_judged_once_its_log_is_read() -> None:
    world = a_rollout_world()
    live_until_phase(world, Phase.STARTING)
    world.look()
    world.asking = True
    crashed(world, log=TRUNCATED_MODEL_LOG)
    for _ in range(3):
        world.look()
        world.sleep(1)
    assert state(world).phase is Phase.STARTING
    world.asking = False

    live_until_phase(world, Phase.IDLE)
    assert (last(world).reason, "INVALID_PROTOBUF" in last(world).message) == ("HealthGateFailed", True)


def test_a_candidate_with_traffic_goes_after_a_second_whether_its_log_is_read_or_not() -> None:
    world = a_rollout_world(rate=0)
    live_until_phase(world, Phase.ADVANCING)
    world.run_until(lambda: traffic(world).get("2") == 10)
    world.asking = True
    crashed(world)
    looks = 0
    while state(world).phase is Phase.ADVANCING:
        world.sleep(world.look().requeue_after or 0.0)
        looks += 1

    assert looks <= 3
    assert (traffic(world), last(world).reason) == ({"1": 100}, "HealthGateFailed")


def test_the_end_of_a_build_is_not_counted_twice_because_it_is_read_again() -> None:
    world = a_new_world()
    world.builders.ends = dict.fromkeys(world.builders.digests, KILLED)
    world.run_until(lambda: world.condition("Built")[1] == "Crashed")
    before = world.status
    world.restart()
    world.asking = True
    assert world.look().empty
    world.asking = False

    assert world.look().empty
    assert world.status == before


def test_a_build_whose_end_is_being_read_is_neither_made_again_nor_called_failed() -> None:
    world = a_new_world()
    world.builders.ends = dict.fromkeys(world.builders.digests, KILLED)
    world.look()
    while world.step():
        pass
    world.asking = True
    assert world.look().empty
    world.asking = False

    world.look()
    assert world.condition("Built") == ("False", "Crashed")
    assert world.status.build is not None
    assert world.status.build.attempts == 1


def test_the_end_of_an_optimization_is_not_counted_twice_either() -> None:
    world = a_failing_world(BROKE)
    before = optimization(world)
    world.restart()
    world.asking = True
    assert world.look().empty
    world.asking = False
    world.look()

    assert optimization(world) == before
