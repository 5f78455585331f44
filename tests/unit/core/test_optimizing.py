"""`spec.optimize`: the plain artifact serves first, the optimized one follows, and nothing plain is lost on the way."""

from typing import Any

import pytest

from modelyard.api.model import Model
from modelyard.api.optimization import Progress
from modelyard.core.conditions import timestamp
from modelyard.core.desired.building import optimize_job
from modelyard.core.names import NAMESPACE_LABEL, optimize_job_name
from modelyard.core.snapshot import Failure, Ref, ResolvedEntry
from tests.support.builders import a_built_world, a_new_world
from tests.support.reports import FASTER
from tests.support.world import AWAY, World

PLATFORM = "modelyard-system"
FOREVER = 10_000
ENTRY = ResolvedEntry("digits", "2", "sha256:" + "2" * 64)
TOO_SMALL = Failure("BudgetTooSmall", "30s are over before anything was tried: raise spec.optimize.budget.")
BROKE = Failure("BuildFailed", "Job modelyard-system/optimize-1 failed: its pod ran out of memory.", retry=True)
UNREACHED = Failure("Unreachable", "The builder could not reach the store.", retry=True)


def an_optimizing_world(**optimize: Any) -> World:
    """The plain artifact of version 1 is in the store, and the Job of the optimized one never ends by itself."""
    world = a_built_world(optimize=optimize)
    world.builders.tries = FOREVER
    world.run_until(lambda: world.condition("Ready")[1] == "Optimizing")
    return world


def an_optimized_world(**optimize: Any) -> World:
    """The optimized artifact of version 1 serves and all is calm."""
    world = a_built_world(optimize=optimize)
    world.settle()
    return world


def a_failing_world(failure: Failure, **optimize: Any) -> World:
    """The optimization of version 1 has failed."""
    world = a_built_world(optimize=optimize)
    world.builders.ends[job_of(world)] = failure
    world.settle()
    return world


def job_of(world: World, version: str = "1") -> str:
    return optimize_job_name(world.optimized_of(version))


def jobs(world: World) -> list[str]:
    return world.names("Job")


def digests(world: World) -> list[str]:
    """Builds of the revisions there are."""
    return [one.digest for one in world.status.revisions]


def optimization(world: World) -> Any:
    found = world.status.optimization
    assert found is not None
    return found


def heard(world: World, seconds_ago: float = 0.0, **progress: Any) -> None:
    """What the Job wrote of its progress."""
    at = timestamp(world.now - seconds_ago)
    said = {"done": 4, "planned": 9, "spent_seconds": 60.0, "at": at, **progress}
    world.progress[world.optimized_of("1")] = Progress.model_validate(said)


def test_the_plain_artifact_serves_while_variants_are_tried() -> None:
    world = an_optimizing_world()

    assert digests(world) == [world.build_of("1")]
    assert world.condition("Serving") == ("True", "Answering")
    assert world.condition("Built") == ("False", "Optimizing")
    assert world.condition("Ready") == ("False", "Optimizing")
    assert world.condition("Reconciling") == ("True", "Optimizing")
    assert world.condition("Stalled")[0] == "False"
    assert world.message("Built") == (f"Job {PLATFORM}/{job_of(world)} starts; the plain artifact serves meanwhile.")


def test_the_optimized_artifact_takes_over_by_the_models_own_strategy() -> None:
    world = an_optimizing_world()
    world.store.add(world.optimized_of("1"))

    world.settle()

    assert digests(world) == [world.optimized_of("1")]
    assert world.status.rollout is not None
    assert [one.outcome for one in world.status.rollout.history] == ["Promoted"]
    assert jobs(world) == []
    assert world.condition("Built") == ("True", "Published")
    assert world.condition("Ready") == ("True", "Serving")
    assert "optimized as openvino-int8: 3.1x faster" in world.message("Built")


def test_what_was_gained_is_in_the_status() -> None:
    world = an_optimized_world()

    found = optimization(world)

    assert (found.variant, found.summary) == ("openvino-int8", "openvino-int8 3.1x")
    assert found.message == world.message("Built")


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
    assert {one.digest for one in world.asked} == {world.optimized_of("1")}


@pytest.mark.parametrize(
    ("progress", "said", "column"),
    [
        ({}, "tries variants: 4 of 9;", "4/9"),
        ({"best": 3.14, "best_name": "openvino-int8"}, "4 of 9, best so far 3.1x (openvino-int8);", "4/9"),
        ({"done": 0, "planned": 0}, "tries variants: 0 of 0;", "0/0"),
    ],
)
def test_it_says_how_far_it_is(progress: dict[str, Any], said: str, column: str) -> None:
    world = an_optimizing_world()
    heard(world, **progress)

    world.look()

    assert said in world.message("Built")
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
    world.gained = FASTER.model_copy(update={"variant": "original", "reason": "No variant was faster."})

    world.settle()

    assert world.message("Built").endswith("is in the store; the original stays: No variant was faster.")
    assert optimization(world).summary == "original"
    assert digests(world) == [world.optimized_of("1")]


@pytest.mark.parametrize("failure", [TOO_SMALL, BROKE], ids=["a user's mistake", "a Job that broke down"])
def test_a_failed_optimization_leaves_the_plain_artifact_serving(failure: Failure) -> None:
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


@pytest.mark.parametrize("failure", [TOO_SMALL, BROKE])
def test_a_failure_is_remembered_when_its_job_is_long_gone(failure: Failure) -> None:
    world = a_failing_world(failure)
    said = world.message("Built")
    world.lose(Ref("Job", PLATFORM, job_of(world)))

    world.settle()

    assert world.builders.started.count(job_of(world)) == 1
    assert world.message("Built") == said


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
    world = a_failing_world(BROKE)
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


def test_what_failed_for_want_of_something_outside_is_tried_again_when_its_job_is_gone() -> None:
    world = a_failing_world(UNREACHED)

    assert world.condition("Built") == ("False", "Unreachable")
    assert world.condition("Stalled")[0] == "False"
    assert "the plain artifact serves, and it is tried again within the hour" in world.message("Built")

    world.builders.ends.clear()
    world.lose(Ref("Job", PLATFORM, job_of(world)))
    world.settle()
    assert digests(world) == [world.optimized_of("1")]


def test_a_very_long_sentence_leaves_room_for_what_to_do() -> None:
    world = a_failing_world(Failure("InvalidEntry", "x" * 5000))

    assert len(world.message("Built")) <= 1000
    assert world.message("Built").endswith("it is tried again.")
    assert len(optimization(world).failure) == 1000


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
    assert [one.outcome for one in world.status.rollout.history[:1]] == ["Promoted"]
    assert digests(world) == [world.optimized_of("2")]
    outcomes = [one.outcome for one in world.status.rollout.history]
    assert set(outcomes) == {"Promoted"}


def a_world_whose_plain_version_2_was_refused() -> World:
    world = a_built_world(rollout={"strategy": "Canary", "abortedFor": "10s"})
    world.settle()
    world.builders.tries = FOREVER
    world.ask(version="2", optimize={})
    world.run_until(lambda: world.stage_of("2") == "Starting")
    world.ask(rollout={"strategy": "Canary", "abortedFor": "10s", "command": {"id": "1", "action": "abort"}})
    world.settle()
    return world


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
    assert {one.digest for one in world.asked} == {world.optimized_of("1")}
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


def test_with_wait_a_failed_optimization_is_a_failed_build() -> None:
    world = a_failing_world(TOO_SMALL, wait=True)

    assert world.status.revisions == []
    assert world.condition("Stalled") == ("True", "BudgetTooSmall")
    assert world.status.build is not None
    assert (world.status.build.failure, world.status.build.reason) == (TOO_SMALL.message, "BudgetTooSmall")
    assert "nothing new is served; change spec.optimize" in world.message("Built")


def test_wait_may_be_given_up_while_variants_are_tried() -> None:
    world = a_built_world(optimize={"wait": True})
    world.builders.tries = FOREVER
    world.look()
    world.ask(optimize={})

    world.run_until(lambda: world.condition("Ready")[1] == "Optimizing")

    assert digests(world) == [world.build_of("1")]
    assert world.builders.started == [job_of(world)]


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
    wanted = optimize_job(Model.model_validate(world.model), ENTRY, world.optimized_of("2"), "cpu", world.settings)
    elsewhere = {**wanted["metadata"], "labels": {**wanted["metadata"]["labels"], NAMESPACE_LABEL: "elsewhere"}}
    world.api.create({**wanted, "metadata": elsewhere})

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
    assert world.condition("Ready") == ("False", AWAY.reason)
    assert digests(world) == [world.build_of("1")]
    assert world.decide().apply == ()


def test_without_optimization_the_plain_artifact_comes_back_by_the_strategy() -> None:
    world = an_optimized_world()
    world.ask(optimize=None)

    world.settle()

    assert digests(world) == [world.build_of("1")]
    assert world.status.optimization is None


def test_a_store_that_is_away_takes_nothing_from_what_serves() -> None:
    world = an_optimized_world()
    said = world.message("Built")
    world.store_away = True

    world.restart()
    world.settle()

    assert digests(world) == [world.optimized_of("1")]
    assert world.condition("Ready") == ("True", "Serving")
    assert world.message("Built") == said
    assert optimization(world).variant == "openvino-int8"


def test_a_refused_optimized_revision_is_not_tried_anew_because_the_store_was_away() -> None:
    world = a_built_world(rollout={"strategy": "Canary", "abortedFor": "10s"})
    world.settle()
    world.ask(optimize={})
    world.run_until(lambda: world.optimized_of("1") in digests(world))
    world.ask(rollout={"strategy": "Canary", "abortedFor": "10s", "command": {"id": "1", "action": "abort"}})
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
    assert {one.digest for one in world.asked} == {world.build_of("1"), world.optimized_of("1")}


def test_the_events_tell_the_story() -> None:
    world = an_optimized_world()

    reasons = [reason for _, reason in world.said]

    assert reasons.count("Optimizing") == 1
    assert reasons.index("Optimizing") < reasons.index("Published")


def test_a_failure_is_a_warning() -> None:
    world = a_failing_world(TOO_SMALL)

    assert ("Warning", "BudgetTooSmall") in world.said
