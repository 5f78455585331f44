"""What goes wrong with an optimization, or is no longer wanted: what serves goes on, and no Job runs for nobody."""

from typing import Any

import pytest

from modelyard.api.model import Model
from modelyard.core.names import NAMESPACE_LABEL, optimize_job_name
from modelyard.core.resources.build_jobs import optimize_job
from modelyard.core.snapshot import Failure, Ref, ResolvedEntry
from tests.support.worlds.builders import a_built_world
from tests.support.worlds.optimizing import (
    BROKE,
    PLATFORM,
    TOO_SMALL,
    UNREACHED,
    a_failing_world,
    a_world_whose_plain_version_2_was_refused,
    an_optimized_world,
    an_optimizing_world,
    digests,
    job_of,
    jobs,
    optimization,
)
from tests.support.worlds.world import AWAY

ENTRY = ResolvedEntry("digits", "2", "sha256:" + "2" * 64)


def test_an_optimization_that_failed_for_good_leaves_the_plain_artifact_serving() -> None:
    failure = TOO_SMALL
    world = a_failing_world(failure)

    assert digests(world) == [world.build_of("1")]
    assert world.condition("Serving")[0] == "True"
    assert world.condition("Built") == ("False", failure.reason)
    assert world.condition("Stalled") == ("True", failure.reason)
    assert world.condition("Reconciling")[0] == "False"
    assert world.message("Built").startswith(failure.message.rstrip("."))
    assert "the plain artifact serves; change spec.optimize or remove it" in world.message("Built")
    assert (optimization(world).failure, optimization(world).summary) == (failure.message, "failed")


def test_a_failed_optimization_does_not_hold_the_plain_artifacts_rollout() -> None:
    world = a_failing_world(TOO_SMALL)
    world.builders.ends[optimize_job_name(world.optimized_of("2"))] = TOO_SMALL
    world.ask(version="2")

    world.settle()

    assert digests(world) == [world.build_of("2")]


def test_a_failure_for_good_is_remembered_when_its_job_is_long_gone() -> None:
    world = a_failing_world(TOO_SMALL)
    message = world.message("Built")
    world.lose(Ref("Job", PLATFORM, job_of(world)))

    world.settle()

    assert world.builders.started.count(job_of(world)) == 1
    assert world.message("Built") == message


def test_a_failure_is_remembered_while_the_store_is_away() -> None:
    world = a_failing_world(TOO_SMALL)
    world.store_away = True
    world.look()

    assert world.condition("Built") == ("False", "BudgetTooSmall")


def test_a_failure_is_remembered_while_the_entry_is_not_known() -> None:
    world = a_failing_world(TOO_SMALL)
    world.ask(version="9")
    world.look()

    assert optimization(world).failure == TOO_SMALL.message


def test_another_wish_is_tried_after_a_failure() -> None:
    world = a_failing_world(TOO_SMALL)
    world.ask(optimize={"budget": "20m"})

    world.settle()

    assert digests(world) == [world.optimized_of("1")]
    assert world.condition("Ready") == ("True", "Serving")


def test_the_same_wish_written_again_is_tried_again() -> None:
    world = a_failing_world(TOO_SMALL)
    failed = job_of(world)
    world.ask(optimize=None)
    world.settle()
    assert world.status.optimization is None
    assert jobs(world) == []

    world.builders.ends.clear()
    world.ask(optimize={})
    world.settle()

    assert world.builders.started.count(failed) == 2
    assert digests(world) == [world.optimized_of("1")]


@pytest.mark.parametrize("failure", [UNREACHED, BROKE], ids=["the store was away", "a Job that broke down"])
def test_what_failed_for_no_fault_of_the_models_is_tried_again_at_once_when_its_job_is_gone(failure: Failure) -> None:
    world = a_failing_world(failure)

    assert world.condition("Built") == ("False", failure.reason)
    assert world.condition("Stalled")[0] == "False"
    assert digests(world) == [world.build_of("1")]
    assert "the plain artifact serves; that was Job 1, and it is tried again at 20" in world.message("Built")

    world.builders.ends.clear()
    world.lose(Ref("Job", PLATFORM, job_of(world)))
    world.settle()
    assert digests(world) == [world.optimized_of("1")]


def test_a_very_long_sentence_leaves_room_for_what_to_do() -> None:
    world = a_failing_world(Failure("InvalidEntry", "x" * 5000))

    assert len(world.message("Built")) <= 1000
    assert world.message("Built").endswith("it is tried again.")
    assert len(optimization(world).failure) == 1000


def test_with_wait_a_failed_optimization_is_a_failed_build() -> None:
    world = a_failing_world(TOO_SMALL, wait=True)

    assert world.status.revisions == []
    assert world.condition("Stalled") == ("True", "BudgetTooSmall")
    assert world.status.build is not None
    assert (world.status.build.failure, world.status.build.reason) == (TOO_SMALL.message, "BudgetTooSmall")
    assert "nothing new is served; change spec.optimize" in world.message("Built")


@pytest.mark.parametrize("later", [None, {"budget": "20m"}, {"goal": "size", "wait": True}])
def test_an_optimization_nobody_wants_any_more_is_ended(later: dict[str, Any] | None) -> None:
    world = an_optimizing_world()
    dropped = job_of(world)
    world.ask(optimize=later)

    world.look()

    assert dropped not in jobs(world)
    assert (world.status.optimization is None) == (later is None)


def test_an_optimization_of_an_earlier_version_is_ended() -> None:
    world = an_optimizing_world()
    dropped = job_of(world)
    world.ask(version="2")

    world.look()

    assert dropped not in jobs(world)


def test_an_optimization_another_models_job_makes_is_left_to_that_model() -> None:
    world = a_world_whose_plain_version_2_was_refused()
    job = optimize_job(Model.model_validate(world.model), ENTRY, world.optimized_of("2"), "cpu", world.settings)
    elsewhere = {**job["metadata"], "labels": {**job["metadata"]["labels"], NAMESPACE_LABEL: "elsewhere"}}
    world.api.create({**job, "metadata": elsewhere})

    world.look()

    assert jobs(world) == [job_of(world, "2")]


def test_an_optimization_goes_on_while_it_is_not_known_what_is_wished() -> None:
    world = an_optimizing_world()
    world.ask(alias="nobody")
    world.registry_away = True

    world.look()

    assert jobs(world) == [job_of(world)]


def test_an_optimization_goes_on_while_the_store_is_away() -> None:
    world = an_optimizing_world()
    world.store_away = True

    world.look()

    assert jobs(world) == [job_of(world)]
    assert world.condition("Built") == ("Unknown", AWAY.reason)
    assert world.condition("Reconciling") == ("True", AWAY.reason)
    assert digests(world) == [world.build_of("1")]
    assert world.decide().apply == ()


def test_a_store_that_is_away_takes_nothing_from_what_serves() -> None:
    world = an_optimized_world()
    message = world.message("Built")
    world.store_away = True

    world.restart()
    world.settle()

    assert digests(world) == [world.optimized_of("1")]
    assert world.condition("Ready") == ("True", "Serving")
    assert world.message("Built") == message
    assert optimization(world).variant == "openvino-int8"


def test_a_refused_optimized_revision_is_not_tried_anew_because_the_store_was_away() -> None:
    world = a_built_world(rollout={"strategy": "Canary", "abortScaleDownDelay": "10s"})
    world.settle()
    world.ask(optimize={})
    world.run_until(lambda: world.optimized_of("1") in digests(world))
    world.ask(rollout={"strategy": "Canary", "abortScaleDownDelay": "10s", "command": {"id": "1", "action": "abort"}})
    world.settle()
    assert digests(world) == [world.build_of("1")]
    assert world.condition("Stalled") == ("True", "AbortCommanded")

    world.store_away = True
    world.model["status"].pop("optimization")
    world.settle()
    world.calm_down()
    world.settle()

    assert digests(world) == [world.build_of("1")]
    assert world.condition("Stalled") == ("True", "AbortCommanded")


def test_an_optimized_artifact_that_vanished_is_made_again_and_the_one_that_serves_stays() -> None:
    world = an_optimized_world()
    world.store.discard(world.optimized_of("1"))
    revision = world.status.revision

    world.settle()

    assert world.builders.started.count(job_of(world)) == 2
    assert world.status.revision == revision
    assert {warmup.digest for warmup in world.asked} == {world.build_of("1"), world.optimized_of("1")}


def test_a_failure_is_a_warning() -> None:
    world = a_failing_world(TOO_SMALL)

    assert ("Warning", "BudgetTooSmall") in world.said
