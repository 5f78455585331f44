"""Children that somebody deletes or edits come back; what the API server or others add is no drift."""

from typing import Any

import pytest

from modelyard.core.drift import covers
from modelyard.core.names import DESIRED_ANNOTATION, predictor
from modelyard.core.snapshot import Ref
from tests.support.worlds.builders import a_serving_world
from tests.support.worlds.random_events import upgrade
from tests.support.worlds.world import World

OWN = [
    ("Secret", "digits--store"),
    ("ServiceAccount", "digits--serving"),
    ("HTTPRoute", "digits"),
    ("HTTPRoute", "digits--path"),
    ("GRPCRoute", "digits"),
]


def applied(world: World) -> list[tuple[str, str]]:
    return [(desired["kind"], desired["metadata"]["name"]) for desired in world.decide().apply]


def served(world: World) -> Ref:
    return Ref("InferenceService", "demo", world.status.revision)


@pytest.mark.parametrize(("kind", "name"), OWN)
def test_a_deleted_child_is_made_again(kind: str, name: str) -> None:
    world = a_serving_world()
    world.lose(Ref(kind, "demo", name))

    assert applied(world) == [(kind, name)]


@pytest.mark.parametrize(("kind", "name"), OWN)
def test_a_child_whose_label_was_taken_away_gets_it_back(kind: str, name: str) -> None:
    world = a_serving_world()
    world.edit(Ref(kind, "demo", name), lambda child: child["metadata"]["labels"].pop("modelyard.dev/model"))

    assert applied(world) == [(kind, name)]


def test_an_edited_route_is_put_right() -> None:
    world = a_serving_world()
    world.edit(Ref("HTTPRoute", "demo", "digits"), lambda route: route["spec"].update(hostnames=["else.where"]))

    world.settle()

    route = world.object("HTTPRoute", "digits")
    assert route is not None
    assert route["spec"]["hostnames"] == ["digits.demo.models.local"]


def test_a_deleted_inference_service_is_made_again_once_it_is_gone() -> None:
    world = a_serving_world()
    world.lose(served(world))
    assert applied(world) == []

    world.step()
    assert ("InferenceService", world.status.revision) in applied(world)
    world.settle()
    assert world.condition("Ready") == ("True", "Serving")


def test_an_inference_service_edited_by_hand_is_put_right() -> None:
    world = a_serving_world()
    world.edit(
        served(world), lambda service: service["spec"]["predictor"]["model"].update(storageUri="s3://elsewhere/")
    )

    assert applied(world) == [("InferenceService", world.status.revision)]


def test_an_edit_that_leaves_our_fields_alone_is_left_alone() -> None:
    world = a_serving_world()
    world.edit(served(world), lambda service: service["spec"]["predictor"].update(logger={"mode": "all"}))

    assert applied(world) == []


def test_a_live_inference_service_is_not_rewritten_by_a_modelyard_that_would_write_it_differently() -> None:
    world = a_serving_world()
    live = world.api.objects[served(world)]
    live["metadata"]["annotations"][DESIRED_ANNOTATION] = "written-by-another"
    world.edit(served(world), lambda service: service["spec"]["predictor"]["model"].update(readinessProbe={}))

    assert applied(world) == []
    world.settle()
    assert world.kserve.restarts[world.status.revision] == 1


def test_a_new_runtime_restarts_nothing_and_serves_the_next_revision() -> None:
    world = a_serving_world()
    before = world.status.revision
    upgrade("modelyard-triton-cpu-v2").happen(world)

    assert world.settle().empty
    assert (world.status.revision, world.kserve.restarts) == (before, {})

    world.ask(version="2")
    world.settle()
    assert world.revision("2").runtime == "modelyard-triton-cpu-v2"


def test_another_kind_of_hardware_is_another_revision() -> None:
    world = a_serving_world()

    world.ask(serving={"runtime": "gpu"})
    world.settle()

    assert world.revision("1").runtime == "modelyard-triton-v1"
    assert len(world.names("InferenceService")) == 1


def test_the_hash_of_a_changed_runtime_restarts_nothing() -> None:
    world = a_serving_world()
    before = world.status.revision
    for name in (
        "modelyard-triton-cpu-v1-0f1e2d3c",
        "modelyard-triton-cpu-v1-99999999",
        "modelyard-triton-cpu-v2-0f1e2d3c",
    ):
        changed = {"cpu_runtime": name, "gpu_runtime": "modelyard-triton-v1-aaaaaaaa"}
        serving = world.settings.serving.model_copy(update=changed)
        world.settings = world.settings.model_copy(update={"serving": serving})
        world.settle()
        assert world.status.revision == before

    world.ask(version="2")
    world.settle()

    assert world.revision("2").runtime == "modelyard-triton-cpu-v2-0f1e2d3c"


def test_an_unversioned_runtime_name_is_a_family_of_its_own() -> None:
    world = a_serving_world()
    before = world.status.revision
    serving = world.settings.serving.model_copy(update={"gpu_runtime": "our-gpus", "cpu_runtime": "our-cpus"})
    world.settings = world.settings.model_copy(update={"serving": serving})
    world.settle()
    assert world.status.revision == before

    world.ask(serving={"runtime": "gpu"})
    world.settle()

    assert world.revision("1").runtime == "our-gpus"


def test_replicas_are_not_part_of_a_revision() -> None:
    world = a_serving_world()
    before = world.status.revision

    world.ask(serving={"replicas": 2})
    world.settle()

    deployment = world.object("Deployment", predictor(before))
    assert world.status.revision == before
    assert deployment is not None
    assert deployment["spec"]["replicas"] == 2


def test_an_owner_and_a_secret_that_others_added_are_no_drift() -> None:
    world = a_serving_world()
    account = Ref("ServiceAccount", "demo", "digits--serving")
    world.edit(account, lambda child: child["secrets"].insert(0, {"name": "registry-login"}))
    world.edit(account, lambda child: child["metadata"]["ownerReferences"].append({"uid": "somebody"}))

    assert applied(world) == []


@pytest.mark.parametrize(
    ("observed", "desired", "covered"),
    [
        ({"a": 1, "added": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1}, {"a": 2}, False),
        ([1, 2], [1, 2], True),
        ([1, 2], [1], False),
        ([{"a": 1, "added": 2}], [{"a": 1}], True),
        ("text", {"a": 1}, False),
        ("text", ["text"], False),
        ({"secrets": [{"name": "x"}]}, {"secrets": [{"name": "y"}]}, False),
        ({"secrets": [{"name": "x"}, {"name": "y"}]}, {"secrets": [{"name": "y"}]}, True),
    ],
)
def test_observed_covers_wanted(observed: Any, desired: Any, covered: bool) -> None:
    assert covers(observed, desired) is covered
