"""Objects of others under names that a Model needs: they stay as they are, and the Model says whose name it lacks."""

from typing import Any

import pytest

from modelyard.core.names import MODEL_LABEL, job_name, predictor
from modelyard.core.snapshot import Ref
from tests.support.worlds.apiserver import copied
from tests.support.worlds.builders import a_built_world, a_new_world, a_serving_world
from tests.support.worlds.world import World

FIXED = [
    ("HTTPRoute", "digits"),
    ("HTTPRoute", "digits--path"),
    ("GRPCRoute", "digits"),
    ("Secret", "digits--store"),
    ("ServiceAccount", "digits--serving"),
]


def stranger(world: World, kind: str, name: str, namespace: str = "demo", **labels: str) -> Ref:
    """Somebody else's object under a name of ours, as it was before anything happened."""
    metadata = {"name": name, "namespace": namespace, "labels": {"team": "shop", **labels}}
    world.api.create(
        {"kind": kind, "metadata": metadata, "spec": {"rules": [{"backendRefs": []}]}, "data": {"password": "precious"}}
    )
    return Ref(kind, namespace, name)


def live(world: World, steps: int = 30) -> None:
    """Some passes, and ten seconds whenever there is nothing to do."""
    for _ in range(steps):
        plan = world.look()
        if not world.step() and not plan.apply and plan.status is None:
            world.sleep(plan.requeue_after or 10.0)


def everything_but(world: World, *refs: Ref) -> set[Ref]:
    return set(world.api.objects) - set(refs)


@pytest.mark.parametrize(("kind", "name"), FIXED)
@pytest.mark.parametrize("labels", [{}, {MODEL_LABEL: "digits"}], ids=["unlabelled", "with our label"])
def test_nothing_is_begun_while_a_name_is_taken(kind: str, name: str, labels: dict[str, str]) -> None:
    world = a_new_world()
    taken = stranger(world, kind, name, **labels)
    before = copied(world.api.objects[taken])

    live(world)

    assert world.api.objects[taken] == before
    assert not everything_but(world, taken)
    assert world.condition("Ready") == ("False", "NameTaken")
    assert world.condition("Stalled") == ("True", "NameTaken")
    assert f"{kind} demo/{name}" in world.message("Ready")
    assert ("Warning", "NameTaken") in world.said


@pytest.mark.parametrize(("kind", "name"), FIXED)
def test_nothing_is_begun_either_when_the_artifact_is_there_already(kind: str, name: str) -> None:
    world = a_built_world()
    taken = stranger(world, kind, name)

    live(world)
    world.sleep(3600)
    live(world)

    assert not everything_but(world, taken)
    assert world.condition("Ready") == ("False", "NameTaken")


def test_every_taken_name_is_said_at_once() -> None:
    world = a_new_world()
    for kind, name in FIXED:
        stranger(world, kind, name)

    live(world, steps=4)

    assert all(f"{kind} demo/{name}" in world.message("Ready") for kind, name in FIXED)


@pytest.mark.parametrize(("kind", "name"), FIXED)
def test_it_goes_on_by_itself_once_the_name_is_free(kind: str, name: str) -> None:
    world = a_built_world()
    taken = stranger(world, kind, name)
    live(world)
    world.api.remove(taken)

    world.settle()

    assert world.condition("Ready")[0] == "True"
    assert world.object(kind, name) is not None


@pytest.mark.parametrize(("kind", "name"), FIXED)
def test_what_was_handed_over_becomes_the_models(kind: str, name: str) -> None:
    world = a_built_world()
    taken = stranger(world, kind, name)
    world.api.edit(taken, lambda thing: thing["metadata"].update(annotations={"modelyard.dev/adopt": "true"}))

    world.settle()

    owners = world.api.objects[taken]["metadata"]["ownerReferences"]
    assert [owner["uid"] for owner in owners] == [world.model["metadata"]["uid"]]
    assert world.condition("Ready")[0] == "True"


@pytest.mark.parametrize(("kind", "name"), FIXED)
def test_a_name_that_is_taken_while_the_model_serves_is_left_alone(kind: str, name: str) -> None:
    world = a_serving_world()
    world.promises.excused.add(predictor(world.revision("1").name))
    world.api.remove(Ref(kind, "demo", name))
    taken = stranger(world, kind, name)
    before = copied(world.api.objects[taken])

    live(world, steps=12)

    after = {key: value for key, value in world.api.objects[taken].items() if key != "status"}
    assert after == {key: value for key, value in before.items() if key != "status"}
    assert world.condition("Ready") == ("False", "NameTaken")
    assert world.stage_of("1") == "Serving"


def test_what_serves_keeps_its_users_when_its_owner_was_taken_from_it() -> None:
    world = a_serving_world()
    stable = world.revision("1").name
    world.api.edit(Ref("InferenceService", "demo", stable), lambda thing: thing["metadata"].pop("ownerReferences"))
    live(world, steps=4)
    world.ask(version="2", rollout={"strategy": "Canary", "steps": [{"weight": 10}]})
    live(world)

    assert dict(world.weights())[predictor(stable)] == 90
    assert stable in world.names("InferenceService")
    assert f"InferenceService demo/{stable} belongs to somebody else" in world.message("Ready")


def test_pods_never_run_with_a_secret_of_others() -> None:
    world = a_serving_world()
    world.api.remove(Ref("Secret", "demo", "digits--store"))
    stranger(world, "Secret", "digits--store")
    served = world.names("InferenceService")

    world.ask(version="2")
    live(world)

    assert world.names("InferenceService") == served
    assert "Secret demo/digits--store" in world.message("Ready")


def test_a_job_of_others_is_neither_believed_nor_ended() -> None:
    world = a_new_world()
    name, namespace = job_name(world.build_of("1")), world.settings.operator.namespace
    taken = stranger(world, "Job", name, namespace)
    before = copied(world.api.objects[taken])

    live(world, steps=12)

    ended = {**world.api.objects[taken], "status": None}
    assert ended == {**before, "status": None}
    assert world.condition("Built") == ("False", "NameTaken")
    assert f"Job {namespace}/{name} belongs to somebody else" in world.message("Ready")


@pytest.mark.parametrize("kind", ["InferenceService", "Deployment", "Service", "HTTPRoute", "BackendTrafficPolicy"])
def test_strangers_with_our_label_are_no_children(kind: str) -> None:
    world = a_serving_world(serving={"replicas": 2})
    taken = stranger(world, kind, "digits--preview", **{MODEL_LABEL: "digits"})
    world.api.edit(taken, lambda thing: thing["spec"].update(replicas=7))
    before = copied(world.api.objects[taken])

    plan: Any = world.decide()

    assert plan.empty
    assert world.api.objects[taken] == before
    assert taken not in plan.delete


def test_a_restarted_operator_says_it_again() -> None:
    world = a_new_world()
    stranger(world, "HTTPRoute", "digits")
    live(world)

    world.restart()
    live(world, steps=6)

    assert world.condition("Ready") == ("False", "NameTaken")
    assert not everything_but(world, Ref("HTTPRoute", "demo", "digits"))


@pytest.mark.parametrize(("kind", "name"), FIXED)
def test_a_new_model_whose_build_is_there_already_begins_with_nothing_either(kind: str, name: str) -> None:
    world = a_new_world()
    world.store.add(world.build_of("1"))
    taken = stranger(world, kind, name)

    live(world, steps=6)

    assert not everything_but(world, taken)
    assert world.condition("Ready") == ("False", "NameTaken")


def test_names_that_are_not_needed_yet_are_asked_for_again_and_stay_said() -> None:
    world = a_serving_world()
    world.promises.excused.add(predictor(world.revision("1").name))
    taken = [("HTTPRoute", "digits"), ("Secret", "digits--store")]
    for kind, name in taken:
        world.api.remove(Ref(kind, "demo", name))
        stranger(world, kind, name)
    live(world, steps=3)
    for ref, _ in world.api.of_kind("Service"):
        world.api.remove(ref)

    waits = []
    for _ in range(8):
        world.look()
        waits.append(world.look().requeue_after)
        world.sleep(10.0)

    assert 0 not in waits, "asked again in vain at once"
    assert all(f"{kind} demo/{name}" in world.message("Ready") for kind, name in taken)
