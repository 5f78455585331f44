"""From an applied Model to its first answer: build, pods, warm-up, traffic. Every station says where it stands."""

from typing import Any

import pytest

from modelyard.core.names import build_digest, job_name, predictor
from modelyard.core.plan import Scale
from modelyard.core.reporting.passing_words import STANDS
from modelyard.core.snapshot import Failure, Ref
from tests.support.worlds.builders import a_built_world, a_new_world, a_serving_world
from tests.support.worlds.world import AWAY, World

BUILD = "build-" + build_digest("sha256:" + "1" * 64, "digits", {})[7:23]


def kinds_applied(world: World) -> list[str]:
    return [desired["kind"] for desired in world.decide().apply]


def test_an_artifact_that_is_not_in_the_store_is_built_and_nothing_else_is_made() -> None:
    world = a_new_world()

    plan = world.decide()

    assert [(desired["kind"], desired["metadata"]["name"]) for desired in plan.apply] == [("Job", BUILD)]
    assert plan.delete == ()
    assert plan.warmups == ()


def test_while_it_is_built_the_model_says_so() -> None:
    world = a_new_world()

    world.look()

    assert world.condition("EntryResolved") == ("True", "Found")
    assert world.condition("Built") == ("False", "Building")
    assert world.condition("Ready") == ("False", "Building")
    assert world.condition("Reconciling") == ("True", "Building")
    assert world.condition("Stalled") == ("False", "Building")
    assert world.condition("Serving") == ("False", "NoRevision")
    assert world.condition("Routed") == ("False", "NoRevision")
    assert BUILD in world.message("Built")


def test_a_service_that_is_missing_is_named_whatever_else_is_there() -> None:
    world = a_built_world()
    world.look()
    [revision] = world.status.revisions
    said = f"Service {predictor(revision.name)} is not there: KServe makes it, and the routes follow."
    assert (world.condition("Routed"), world.message("Routed")) == (("False", "Publishing"), said)

    world.settle()
    world.lose(Ref("Service", "demo", predictor(revision.name)))
    world.look()

    assert world.message("Routed") == said


def test_a_job_that_runs_is_left_alone() -> None:
    world = a_new_world()
    world.look()

    assert world.decide().empty


def test_an_artifact_is_built_once_and_its_job_removed() -> None:
    world = a_new_world()

    world.settle()

    assert world.builders.started == [BUILD]
    assert world.names("Job") == []


def test_a_job_that_is_being_removed_is_not_removed_again() -> None:
    world = a_new_world()
    world.look()
    world.build_everything()
    world.api.objects[Ref("Job", "modelyard-system", BUILD)]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert world.decide().delete == ()


def test_a_build_refused_for_good_is_said_and_never_repeated() -> None:
    world = a_new_world(source={"name": "digits", "version": "3"})

    world.settle()

    assert world.condition("Built") == ("False", "UnsupportedModel")
    assert world.condition("Stalled") == ("True", "UnsupportedModel")
    assert world.condition("Reconciling") == ("False", "UnsupportedModel")
    assert "another opset" in world.message("Built")
    assert ("Warning", "UnsupportedModel") in world.said
    assert world.names("InferenceService") == []


def test_a_refused_build_is_remembered_when_its_job_is_long_gone() -> None:
    world = a_new_world(source={"name": "digits", "version": "3"})
    world.settle()
    world.lose(Ref("Job", "modelyard-system", job_name(world.build_of("3"))))

    plan = world.decide()

    assert plan.empty


def test_a_very_long_sentence_of_a_builder_is_cut() -> None:
    world = a_new_world(source={"name": "digits", "version": "3"})
    world.builders.ends[job_name(world.build_of("3"))] = Failure("InvalidEntry", "x" * 5000)

    world.settle()

    assert world.status.build is not None
    assert len(world.status.build.failure) == 1000


def test_a_build_that_broke_down_is_repeated_at_once_when_its_job_is_gone() -> None:
    world = a_new_world()
    world.builders.ends[BUILD] = Failure("Unreachable", "The builder could not reach the store.", retry=True)
    world.run_until(lambda: world.condition("Built")[1] == "Unreachable")
    world.look()

    assert world.condition("Built") == ("False", "Unreachable")
    assert world.condition("Stalled")[0] == "False"
    assert kinds_applied(world) == []

    world.lose(Ref("Job", "modelyard-system", BUILD))
    assert kinds_applied(world) == ["Job"]


def test_a_store_that_is_away_is_waited_for() -> None:
    world = a_new_world()
    world.store_away = True

    world.settle()

    assert world.condition("Built") == ("Unknown", AWAY.reason)
    assert world.condition("Stalled")[0] == "False"
    assert world.names("Job") == []


def test_an_artifact_in_the_store_is_served_at_once() -> None:
    world = a_built_world()

    world.look()

    revision = world.revision("1")
    assert world.names("InferenceService") == [revision.name]
    assert world.names("Secret") == ["digits--store"]
    assert world.names("ServiceAccount") == ["digits--serving"]
    assert (revision.slot, revision.stage, revision.ready, revision.weight) == ("a", "Starting", False, 0)
    assert world.condition("Serving") == ("False", "Starting")


def test_routes_wait_for_the_service_and_warm_ups_for_the_routes() -> None:
    world = a_built_world()
    world.look()
    assert world.names("HTTPRoute") == []

    world.step()
    world.look()
    assert world.names("HTTPRoute") == ["digits", "digits--path"]
    assert world.names("GRPCRoute") == ["digits"]
    world.kserve.step()
    assert world.decide().warmups == ()

    world.gateway.step()
    [warmup] = world.decide().warmups
    assert (warmup.revision, warmup.model, warmup.host) == (
        world.revision("1").name,
        "digits",
        "digits.demo.models.local",
    )


def test_a_revision_whose_pods_are_not_ready_is_not_asked() -> None:
    world = a_built_world()
    world.look()
    world.kserve.faults[world.revision("1").name] = "slow"

    world.settle()

    assert world.asked == []
    assert world.condition("Serving") == ("False", "StartTimedOut")


def test_too_few_ready_replicas_are_not_enough() -> None:
    world = a_built_world(serving={"replicas": 2})
    world.run_until(lambda: "HTTPRoute" in {ref.kind for ref in world.api.objects})
    world.step()
    world.settle()
    deployment = Ref("Deployment", "demo", predictor(world.revision("1").name))
    world.api.say(deployment, {"readyReplicas": 1})
    world.restart()
    world.ask(version="2")
    world.ask(version="1")

    assert world.decide().warmups == ()
    world.look()
    assert not world.revision("1").ready


def test_ready_is_not_served_until_the_warm_up_is_answered() -> None:
    world = a_built_world()
    world.mute.add(world.build_of("1"))

    world.settle()

    assert world.stage_of("1") == "Starting"
    assert world.condition("Ready") == ("False", "WarmupFailed")
    assert world.condition("Stalled")[0] == "False"
    assert "no healthy upstream." in world.message("Serving")


def test_an_answered_warm_up_takes_the_traffic_and_the_model_is_ready() -> None:
    world = a_serving_world()

    revision = world.revision("1")
    assert (revision.stage, revision.ready, revision.weight) == ("Serving", True, 100)
    assert world.weights() == [(predictor(revision.name), 100), (predictor(revision.name), 0)]
    assert world.condition("Ready") == ("True", "Serving")
    assert world.condition("Reconciling") == ("False", "Done")
    assert world.condition("Stalled") == ("False", "Done")
    assert world.condition("Routed") == ("True", "Accepted")
    assert (world.status.version, world.status.revision, world.status.traffic) == ("1", revision.name, "100%")
    assert world.status.url == "http://digits.demo.models.local"
    assert world.status.path_url == "http://10.0.0.1:30080/demo/digits"
    assert world.status.grpc == "digits.demo.models.local:80"


def test_one_warm_up_is_enough() -> None:
    assert len(a_serving_world().asked) == 1


def test_without_a_public_address_there_is_no_path_address() -> None:
    world = a_built_world()
    gateway = world.settings.gateway.model_copy(update={"public_url": ""})
    world.settings = world.settings.model_copy(update={"gateway": gateway})

    world.settle()

    assert world.status.path_url == ""


def test_ready_is_not_said_before_the_gateway_carries_the_routes() -> None:
    world = a_built_world()
    world.run_until(lambda: world.asked != [])
    route = Ref("HTTPRoute", "demo", "digits")
    world.api.edit(route, lambda published: published["spec"].update(hostnames=["elsewhere"]))

    world.look()

    assert world.condition("Ready") == ("False", "Publishing")
    assert world.condition("Serving") == ("True", "Answering")

    world.settle()
    assert world.condition("Ready") == ("True", "Serving")


def test_a_new_model_is_written_of_when_it_is_built_starts_and_serves() -> None:
    world = a_new_world()
    statuses = list[dict[str, Any]]()

    def answered() -> bool:
        plan = world.look()
        statuses.extend([plan.status] if plan.status is not None else [])
        return world.condition("Ready")[0] == "True"

    while not answered():
        world.step()
    plan = world.settle()

    said = [next(each["reason"] for each in status["conditions"] if each["type"] == "Ready") for status in statuses]
    assert said == ["Building", "Starting", "Serving"]
    assert world.said == [("Normal", reason) for reason in said]
    assert statuses[-1]["revisions"][0]["programmedTime"] != ""
    assert plan.empty


def test_what_a_start_waits_for_is_written_when_it_has_stood_for_some_seconds() -> None:
    world = a_built_world()
    world.look()
    world.kserve.faults[world.revision("1").name] = "slow"
    world.gateway.asleep = True
    world.step()
    world.look()

    plan = world.decide()
    assert plan.status is None
    assert plan.requeue_after == STANDS

    world.sleep(STANDS)
    world.look()
    said = "HTTPRoute digits waits for Gateway modelyard-system/modelyard to accept it."
    assert (world.condition("Routed"), world.message("Routed")) == (("False", "Publishing"), said)
    assert world.status.url == "http://digits.demo.models.local"


@pytest.mark.parametrize(
    ("spec", "current", "expected"),
    [
        ({"serving": {"replicas": 3}}, 1, 3),
        ({"serving": {"replicas": 3}}, 5, 3),
        ({"scaling": {"minReplicas": 2, "maxReplicas": 4}}, 1, 2),
        ({"scaling": {"minReplicas": 2, "maxReplicas": 4}}, 9, 4),
        ({}, 0, 1),
    ],
)
def test_replicas_outside_the_range_are_brought_to_its_nearer_end(
    spec: dict[str, dict[str, int]], current: int, expected: int
) -> None:
    world = a_serving_world(**spec)
    deployment = Ref("Deployment", "demo", predictor(world.revision("1").name))
    world.api.edit(deployment, lambda deployed: deployed["spec"].update(replicas=current))

    assert world.decide().scale == (Scale(deployment, expected),)


def test_replicas_an_autoscaler_chose_within_the_range_are_left_alone() -> None:
    world = a_serving_world(scaling={"minReplicas": 1, "maxReplicas": 4})
    deployment = Ref("Deployment", "demo", predictor(world.revision("1").name))
    world.api.edit(deployment, lambda deployed: deployed["spec"].update(replicas=3))

    assert world.decide().scale == ()


def test_a_model_that_is_being_deleted_is_left_to_its_owner_references() -> None:
    world = a_serving_world()
    world.model["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert world.decide().empty
