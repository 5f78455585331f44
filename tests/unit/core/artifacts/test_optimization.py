"""`spec.optimize`: the plain artifact serves first, the optimized one follows, and nothing plain is lost on the way."""

from typing import Any

import pytest

from modelyard.core.snapshot import Ref
from tests.support.objects.reports import FASTER
from tests.support.worlds.builders import a_built_world, a_new_world
from tests.support.worlds.optimizing import (
    FOREVER,
    PLATFORM,
    a_world_whose_plain_version_2_was_refused,
    an_optimized_world,
    an_optimizing_world,
    digests,
    heard,
    job_of,
    jobs,
    optimization,
)


def test_the_plain_artifact_serves_while_variants_are_tried() -> None:
    world = an_optimizing_world()

    assert digests(world) == [world.build_of("1")]
    assert world.condition("Serving") == ("True", "Answering")
    assert world.condition("Built") == ("False", "Optimizing")
    assert world.condition("Ready") == ("True", "Serving")
    assert world.condition("Reconciling") == ("True", "Optimizing")
    assert world.condition("Stalled")[0] == "False"
    assert world.message("Built") == (f"Job {PLATFORM}/{job_of(world)} starts; the plain artifact serves meanwhile.")


def test_a_suspended_job_is_said_and_what_serves_goes_on() -> None:
    world = an_optimizing_world()
    job = Ref("Job", PLATFORM, job_of(world))
    world.edit(job, lambda made: made["spec"].update(suspend=True))
    world.look()

    assert world.condition("Ready") == ("True", "Serving")
    assert world.condition("Built") == ("False", "JobSuspended")
    assert world.condition("Stalled")[0] == "False"
    assert world.message("Built") == (
        f"Job {PLATFORM}/{job.name} is suspended, by a person or a queue of Jobs; the plain artifact serves meanwhile."
    )
    world.edit(job, lambda made: made["spec"].update(suspend=False))
    world.look()
    assert world.condition("Built") == ("False", "Optimizing")


def test_the_optimized_artifact_takes_over_by_the_models_own_strategy() -> None:
    world = an_optimizing_world()
    world.store.add(world.optimized_of("1"))

    world.settle()

    assert digests(world) == [world.optimized_of("1")]
    assert world.status.rollout is not None
    assert [record.outcome for record in world.status.rollout.history] == ["Promoted"]
    assert jobs(world) == []
    assert world.condition("Built") == ("True", "Published")
    assert world.condition("Ready") == ("True", "Serving")
    assert "optimized as openvino-int8: 3.1x faster" in world.message("Built")


def test_what_was_gained_is_in_the_status() -> None:
    world = an_optimized_world()

    status = optimization(world)

    assert (status.variant, status.summary) == ("openvino-int8", "openvino-int8 3.1x")
    assert status.message == world.message("Built")


def test_the_job_starts_once_the_plain_artifact_is_there() -> None:
    world = a_new_world(optimize={})
    world.look()

    assert jobs(world) == [f"build-{world.build_of('1')[7:23]}"]
    assert optimization(world).message == "Variants are tried once the plain artifact is in the store."

    world.run_until(lambda: job_of(world) in jobs(world))
    assert world.builders.started[0].startswith("build-")


def test_a_plain_artifact_that_cannot_be_built_is_not_optimized() -> None:
    world = a_new_world(optimize={}, source={"name": "digits", "version": "3"})

    world.settle()

    assert world.condition("Stalled") == ("True", "UnsupportedModel")
    assert job_of(world, "3") not in world.builders.started


def test_what_is_in_the_store_already_is_wished_at_once() -> None:
    world = a_built_world(optimize={})
    world.store.add(world.optimized_of("1"))

    world.settle()

    assert world.builders.started == []
    assert digests(world) == [world.optimized_of("1")]
    assert {warmup.digest for warmup in world.asked} == {world.optimized_of("1")}


@pytest.mark.parametrize(
    ("progress", "doing", "column"),
    [
        ({}, "tries variants: 4 of 9;", "4/9"),
        ({"best": 3.14, "best_name": "openvino-int8"}, "4 of 9, best so far 3.1x (openvino-int8);", "4/9"),
        ({"done": 0, "planned": 0}, "starts;", ""),
        ({"done": 0, "planned": 0, "doing": "training student"}, "prepares (training student);", ""),
    ],
)
def test_it_says_how_far_it_is(progress: dict[str, Any], doing: str, column: str) -> None:
    world = an_optimizing_world()
    heard(world, **progress)

    world.look()

    assert doing in world.message("Built")
    assert optimization(world).summary == column


def test_how_far_it_is_is_looked_up_every_five_seconds() -> None:
    world = an_optimizing_world()

    assert world.decide().requeue_after == 5


def test_a_job_that_says_nothing_is_told_of() -> None:
    world = an_optimizing_world()
    heard(world, seconds_ago=100)
    world.look()
    assert "no sign of life" not in world.message("Built")

    heard(world, seconds_ago=200)
    world.look()
    assert "4 of 9 (no sign of life for 3 min);" in world.message("Built")


def test_a_job_whose_pod_waits_for_a_node_is_not_called_silent() -> None:
    world = an_optimizing_world()
    heard(world, seconds_ago=600)
    world.api.say(Ref("Job", PLATFORM, job_of(world)), {"active": 1})

    world.look()

    assert "no sign of life" not in world.message("Built")


def test_a_job_that_never_said_a_word_is_silent_since_it_was_started() -> None:
    world = an_optimizing_world()
    world.sleep(600)

    world.look()

    assert "starts (no sign of life for 10 min);" in world.message("Built")


def test_the_original_may_stay() -> None:
    world = a_built_world(optimize={})
    world.gained = FASTER.model_copy(
        update={"variant": "original", "reason": "the original stays: no variant was faster."}
    )

    world.settle()

    assert world.message("Built").endswith("is in the store; the original stays: no variant was faster.")
    assert optimization(world).summary == "original"
    assert digests(world) == [world.build_of("1")], "the same model is not rolled out twice"
    assert jobs(world) == []
    assert world.condition("Ready") == ("True", "Serving")


def test_the_original_is_served_as_the_optimized_build_by_those_who_wait_for_one() -> None:
    world = a_built_world(optimize={"wait": True})
    world.gained = FASTER.model_copy(
        update={"variant": "original", "reason": "the original stays: no variant was faster."}
    )

    world.settle()

    assert digests(world) == [world.optimized_of("1")]


def test_a_finished_optimization_does_not_interrupt_the_plain_artifacts_rollout() -> None:
    world = an_optimized_world()
    world.ask(version="2")
    world.run_until(lambda: world.stage_of("2") == "Starting")
    world.store.add(world.optimized_of("2"))

    world.look()
    assert world.status.rollout is not None
    assert (world.status.rollout.active, world.build_of("2") in digests(world)) == (True, True)
    assert world.condition("Built") == ("True", "Published")

    world.settle()
    assert [record.outcome for record in world.status.rollout.history[:1]] == ["Promoted"]
    assert digests(world) == [world.optimized_of("2")]
    outcomes = [record.outcome for record in world.status.rollout.history]
    assert set(outcomes) == {"Promoted"}


def test_what_was_made_of_a_refused_version_is_not_tried() -> None:
    world = a_world_whose_plain_version_2_was_refused()

    assert jobs(world) == []
    assert digests(world) == [world.build_of("1")]
    assert world.condition("Ready") == ("False", "AbortCommanded")
    assert world.condition("Built") == ("True", "Published")
    assert optimization(world).message == "The rollout refused version 2, so it is not optimized."

    world.store.add(world.optimized_of("2"))
    world.settle()
    assert digests(world) == [world.build_of("1")]
    assert optimization(world).variant == "openvino-int8"


def test_a_refused_version_that_is_tried_again_is_optimized_too() -> None:
    world = a_world_whose_plain_version_2_was_refused()
    world.builders.tries = 0
    world.ask(rollout={"strategy": "Immediate", "command": {"id": "2", "action": "retry"}})

    world.settle()

    assert digests(world) == [world.optimized_of("2")]


def test_with_wait_nothing_plain_is_served_or_even_built() -> None:
    world = a_new_world(optimize={"wait": True})
    world.look()
    assert jobs(world) == [job_of(world)]
    assert world.condition("Ready") == ("False", "Optimizing")
    assert world.condition("Serving") == ("False", "NoRevision")
    assert "nothing new is served meanwhile" in world.message("Built")

    world.settle()

    assert world.builders.started == [job_of(world)]
    assert {warmup.digest for warmup in world.asked} == {world.optimized_of("1")}
    assert world.condition("Ready") == ("True", "Serving")


def test_with_wait_the_version_before_serves_until_the_new_one_is_optimized() -> None:
    world = an_optimized_world(wait=True)
    world.builders.tries = FOREVER
    world.ask(version="2")
    for _ in range(5):
        world.look()
        world.step()

    assert digests(world) == [world.optimized_of("1")]
    assert world.condition("Built") == ("False", "Optimizing")
    assert world.status.build is not None
    assert world.status.build.digest == world.optimized_of("2")


def test_wait_may_be_given_up_while_variants_are_tried() -> None:
    world = a_built_world(optimize={"wait": True})
    world.builders.tries = FOREVER
    world.look()
    world.ask(optimize={})

    world.run_until(lambda: world.condition("Reconciling")[1] == "Optimizing")

    assert digests(world) == [world.build_of("1")]
    assert world.builders.started == [job_of(world)]


def test_without_optimization_the_plain_artifact_comes_back_by_the_strategy() -> None:
    world = an_optimized_world()
    world.ask(optimize=None)

    world.settle()

    assert digests(world) == [world.build_of("1")]
    assert world.status.optimization is None


def test_the_events_tell_the_story() -> None:
    world = an_optimized_world()

    reasons = [reason for _, reason in world.said]

    assert reasons.count("Optimizing") == 1
    assert reasons.index("Optimizing") < reasons.index("Published")
