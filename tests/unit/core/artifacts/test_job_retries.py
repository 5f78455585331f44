"""A Job that failed for no fault of the model's is made again, later and later; one the model failed is not."""

from datetime import datetime
from itertools import pairwise

import pytest

from modelyard.core.artifacts.job_retries import FIRST, LONGEST, Retry, pause
from modelyard.core.conditions import epoch
from modelyard.core.names import job_name, optimize_job_name
from modelyard.core.snapshot import Failure
from tests.support.worlds.builders import a_new_world, a_serving_world
from tests.support.worlds.optimizing import a_failing_world, digests, job_of, optimization
from tests.support.worlds.world import World

KILLED = Failure("Crashed", "tried 3 times: Triton crashed (SIGSEGV).", retry=True)
REFUSED = Failure("UnsupportedModel", "Triton cannot serve this model: no such operator.")


def a_world_whose_builds_fail(failure: Failure = KILLED) -> World:
    """A new Model whose first Job has failed."""
    world = a_new_world()
    world.builders.ends[job_name(world.build_of("1"))] = failure
    world.run_until(lambda: world.condition("Built")[1] == failure.reason)
    return world


def made(world: World) -> int:
    """How often the Job of version 1 was made."""
    return world.builders.started.count(job_name(world.build_of("1")))


def next_attempt(world: World) -> float:
    """Seconds from now until the status says that the next Job is made."""
    assert world.status.build is not None
    return epoch(world.status.build.next_attempt_time) - world.now


def until_made(world: World, times: int) -> None:
    """Runs until the Job was made so often and its end is counted."""
    world.run_until(lambda: made(world) == times and bool(world.status.build and world.status.build.next_attempt_time))


def test_pauses_grow_to_half_an_hour_and_no_further() -> None:
    pauses = [pause(attempts) for attempts in range(1, 100)]

    assert pauses[:6] == [60.0, 120.0, 240.0, 480.0, 960.0, 1800.0]
    assert all(before <= after for before, after in pairwise(pauses))
    assert (pauses[0], pauses[-1]) == (FIRST, LONGEST)


def test_a_failure_is_counted_once_however_often_it_is_seen() -> None:
    first = Retry().counted(1000.0)

    assert first.counted(1030.0) == first
    assert (first.due_in(1030.0), first.due(1030.0)) == (30.0, False)
    assert first.due(1060.0)
    assert first.under_way() == Retry(attempts=1)
    assert not Retry(attempts=1).due(1060.0)


def test_what_was_met_and_when_it_is_tried_again_is_said() -> None:
    world = a_world_whose_builds_fail()

    due = datetime.fromtimestamp(world.now + FIRST).astimezone().astimezone(tz=None)
    assert next_attempt(world) == FIRST
    assert world.condition("Built") == ("False", "Crashed")
    assert world.condition("Stalled")[0] == "False"
    assert world.condition("Reconciling") == ("True", "Crashed")
    assert world.message("Built").startswith(
        "tried 3 times: Triton crashed (SIGSEGV); that was Job 1, and it is tried "
    )
    assert f":{due:%M:%S}Z." in world.message("Built")


def test_a_very_long_sentence_still_says_when_it_is_tried_again() -> None:
    world = a_world_whose_builds_fail(Failure("Crashed", "x" * 5000, retry=True))

    assert len(world.message("Built")) == 1000
    assert world.message("Built").endswith("Z.")


def test_the_failed_job_stays_for_its_log_until_the_next_is_due() -> None:
    world = a_world_whose_builds_fail()
    world.look()
    world.sleep(FIRST - 1)

    plan = world.look()

    assert (plan.empty, made(world)) == (True, 1)
    assert plan.requeue_after == pytest.approx(1.0)

    world.sleep(1)
    plan = world.look()
    assert [ref.name for ref in plan.delete] == [job_name(world.build_of("1"))]
    [job] = world.look().apply
    assert job["metadata"]["name"] == job_name(world.build_of("1"))


@pytest.mark.parametrize("failures", [1, 2])
def test_a_machine_that_failed_once_or_twice_costs_only_time(failures: int) -> None:
    world = a_world_whose_builds_fail()
    until_made(world, failures)
    world.builders.ends.clear()

    world.settle()

    assert made(world) == failures + 1
    assert world.condition("Ready") == ("True", "Serving")
    assert world.status.build is not None
    assert (world.status.build.attempts, world.status.build.next_attempt_time) == (0, "")


def test_a_machine_that_always_fails_is_tried_for_ever_at_most_every_half_hour() -> None:
    world, pauses = a_world_whose_builds_fail(), []
    for times in range(1, 9):
        until_made(world, times)
        pauses.append(next_attempt(world))

    assert pauses == [60.0, 120.0, 240.0, 480.0, 960.0, 1800.0, 1800.0, 1800.0]
    assert world.condition("Stalled")[0] == "False"
    assert "that was Job 8" in world.message("Built")


def test_a_models_own_fault_is_not_tried_again() -> None:
    world = a_world_whose_builds_fail(REFUSED)
    world.settle()
    world.sleep(10 * LONGEST)
    world.settle()

    assert made(world) == 1
    assert world.condition("Stalled") == ("True", "UnsupportedModel")


def test_whoever_deletes_the_failed_job_does_not_wait() -> None:
    world = a_world_whose_builds_fail()
    world.api.delete(next(ref for ref, _ in world.api.of_kind("Job")))

    [job] = world.look().apply

    assert job["metadata"]["name"] == job_name(world.build_of("1"))
    assert world.status.build is not None
    assert (world.status.build.attempts, world.status.build.next_attempt_time) == (1, "")


def test_a_restarted_operator_waits_no_longer_and_no_shorter() -> None:
    world = a_world_whose_builds_fail()
    world.look()
    world.sleep(20)
    world.restart()

    assert world.look().requeue_after == pytest.approx(FIRST - 20)
    assert made(world) == 1


def test_the_count_survives_a_store_that_is_away() -> None:
    world = a_world_whose_builds_fail()
    before = world.status.build
    world.store_away = True
    world.look()

    assert world.status.build == before
    assert world.condition("Built")[0] == "Unknown"


def test_another_version_starts_its_own_count() -> None:
    world = a_world_whose_builds_fail()
    world.ask(version="2")

    world.settle()

    assert world.condition("Ready") == ("True", "Serving")
    assert world.stage_of("2") == "Serving"


def test_what_serves_is_left_alone_meanwhile() -> None:
    world = a_serving_world()
    before, weights = world.status.revisions, world.weights()
    world.store.discard(world.build_of("2"))
    world.builders.ends[job_name(world.build_of("2"))] = KILLED
    world.ask(version="2")
    world.run_until(lambda: world.condition("Built")[1] == "Crashed")
    for _ in range(5):
        world.sleep(LONGEST)
        world.look()
        world.step()

    assert world.status.revisions == before
    assert world.weights() == weights
    assert world.condition("Serving")[0] == "True"


def test_an_optimization_waits_and_is_made_again_beside_what_serves() -> None:
    world = a_failing_world(KILLED)
    job = optimize_job_name(world.optimized_of("1"))

    assert optimization(world).attempts == 1
    assert epoch(optimization(world).next_attempt_time) <= world.now + FIRST
    world.run_until(lambda: optimization(world).attempts == 2)
    assert world.builders.started.count(job) == 2
    assert digests(world) == [world.build_of("1")]

    world.builders.ends.clear()
    world.settle()
    assert digests(world) == [world.optimized_of("1")]
    assert (optimization(world).attempts, optimization(world).next_attempt_time) == (0, "")


def test_an_optimization_that_is_waited_for_tells_in_the_build_when_it_is_tried_again() -> None:
    world = a_failing_world(KILLED, wait=True)

    assert world.status.revisions == []
    assert world.condition("Stalled")[0] == "False"
    assert world.status.build is not None
    assert (world.status.build.attempts, world.status.build.failure) == (1, "")
    assert world.status.build.next_attempt_time == optimization(world).next_attempt_time
    assert "nothing new is served; that was Job 1" in world.message("Built")


def test_an_optimization_that_is_put_off_does_not_wake_anybody() -> None:
    world = a_failing_world(KILLED)
    world.ask(version="9")

    world.settle()

    assert job_of(world) not in world.builders.started[1:]
