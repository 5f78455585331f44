"""Entries that have to be signed: nothing is built or started of one that is not, and what serves goes on."""

from typing import Any

import pytest

from modelyard.core.names import job_name
from modelyard.core.resources.build_jobs import optimize_job
from modelyard.core.snapshot import Failure, ResolvedEntry, StartCheck, Verification
from modelyard.settings import Settings
from modelyard.signing_settings import SigningSettings
from tests.support.worlds.builders import a_model, settings
from tests.support.worlds.world import World

VERIFY = {"keys": [{"configMap": {"name": "model-keys"}}]}
SOURCE = {"name": "digits", "version": "1", "verify": VERIFY}
MISSING = Failure("SignatureMissing", "entry.json of digits:2 is signed by nobody.")
INVALID = Failure("SignatureInvalid", "model.onnx of digits:2 is not what a signed.")
AWAY = Failure("Unreachable", "The API server does not answer.", retry=True)
ASKED = Failure("Asking", "It has been asked.", retry=True, pending=True)
POLICIES = (("alice", "bob"), ("carol",))


def a_world(platform: Settings | None = None, **source: Any) -> World:
    """A Model whose entry is to be signed, and is."""
    world = World(platform or settings(), a_model(source={**SOURCE, **source}))
    world.signing.verification = Verification(POLICIES)
    return world


def serving() -> World:
    """The same once version 1 serves."""
    world = a_world()
    world.build_everything()
    world.settle()
    assert world.condition("Reconciling") == ("False", "Done")
    return world


def ask(world: World, version: str) -> None:
    """Somebody asks for another version, with the same keys."""
    world.model["spec"]["source"] = {**SOURCE, "version": version}
    world.model["metadata"]["generation"] += 1


def test_the_pods_of_a_signed_build_check_it_before_they_serve() -> None:
    world = serving()

    (revision,) = world.status.revisions
    served = world.object("InferenceService", revision.name)
    assert served is not None
    container = served["spec"]["predictor"]["model"]
    assert container["command"] == ["python3", "-I", "-S", "-c", "check", "tritonserver"]
    assert {item["name"]: item["value"] for item in container["env"]} == {
        "MODELYARD_BUILD": world.build_of("1"),
        "MODELYARD_BUILD_KEYS": "key",
    }
    assert revision.verified is True


def test_a_model_without_keys_is_served_as_before() -> None:
    world = World(settings(), a_model())
    world.build_everything()
    world.settle()

    (revision,) = world.status.revisions
    served = world.object("InferenceService", revision.name)
    assert served is not None
    assert "command" not in served["spec"]["predictor"]["model"]
    assert revision.verified is None


def test_the_job_signs_and_verifies_with_all_keys_and_only_the_builder_sees_the_private_one() -> None:
    world = a_world()
    world.look()

    job = world.api.get("Job", world.settings.operator.namespace, job_name(world.build_of("1")))
    assert job is not None
    pod = job["spec"]["template"]["spec"]
    (builder,) = pod["containers"]
    assert builder["command"][-5:] == ["--sign", "--verify", "alice,bob", "--verify", "carol"]
    environment = {item["name"]: item.get("value") for item in builder["env"]}
    assert environment["MODELYARD_SIGNING_KEY_FILE"] == "/var/run/modelyard/build-key/private.pem"
    assert environment["MODELYARD_BUILDER_IMAGE"] == builder["image"]
    (volume,) = [item for item in pod["volumes"] if item["name"] == "build-key"]
    assert volume["secret"]["secretName"] == "modelyard-build-key"
    assert [item["key"] for item in volume["secret"]["items"]] == ["private.pem"]


def test_a_training_sidecar_does_not_get_the_builders_key() -> None:
    platform = settings()
    build = platform.build.model_copy(update={"train_image": "trainer:1"})
    platform = platform.model_copy(update={"build": build})
    model = a_model(source=SOURCE, optimize={"train": True})

    job = optimize_job(model, ResolvedEntry("digits", "1", "sha256:1"), "sha256:" + "2" * 64, "cpu", platform, POLICIES)

    pod = job["spec"]["template"]["spec"]
    (trainer,) = pod["initContainers"]
    assert "--sign" in pod["containers"][0]["command"]
    assert "build-key" not in str(trainer)


@pytest.mark.parametrize("failure", [MISSING, INVALID], ids=lambda failure: failure.reason)
def test_a_first_version_that_is_not_signed_is_neither_built_nor_served(failure: Failure) -> None:
    world = a_world()
    world.signing.verification = Verification(POLICIES, failure)
    world.settle()

    assert world.condition("EntryResolved") == ("False", failure.reason)
    assert world.message("EntryResolved") == failure.message
    assert world.condition("Stalled") == ("True", failure.reason)
    assert world.names("Job") == []
    assert world.names("InferenceService") == []


@pytest.mark.parametrize("failure", [MISSING, INVALID], ids=lambda failure: failure.reason)
def test_a_new_version_that_is_badly_signed_leaves_the_stable_one_alone(failure: Failure) -> None:
    world = serving()
    before = world.status.revisions[0]
    ask(world, "2")
    world.signing.verification = Verification(POLICIES, failure)
    world.settle()

    (revision,) = world.status.revisions
    assert (revision.name, revision.weight, revision.ready) == (before.name, 100, True)
    assert world.condition("Serving")[0] == "True"
    assert world.condition("EntryResolved") == ("False", failure.reason)

    world.signing.verification = Verification(POLICIES)
    world.settle()
    assert world.status.version == "2"


@pytest.mark.parametrize("away", [AWAY, ASKED], ids=lambda failure: failure.reason)
def test_what_was_verified_stays_while_keys_or_registry_do_not_answer(away: Failure) -> None:
    world = serving()
    world.signing.verification = Verification((), away)
    world.signing.start_check = away
    world.settle()

    assert world.condition("EntryResolved") == ("True", "Found")
    assert world.condition("Ready")[0] == "True"
    ask(world, "2")
    world.settle()
    assert world.names("InferenceService") == [world.status.revisions[0].name], "nothing new was verified"
    assert world.status.version == "1"


def test_nothing_is_started_before_the_builders_keys_are_known() -> None:
    world = a_world()
    world.build_everything()
    world.signing.start_check = Failure(
        "InvalidKey", "Secret modelyard-system/modelyard-build-key has no keys.", retry=True
    )
    world.settle()

    assert world.condition("EntryResolved") == ("Unknown", "InvalidKey")
    assert world.names("InferenceService") == []
    world.signing.start_check = StartCheck("check", ("key",))
    world.settle()
    assert world.condition("Ready")[0] == "True"


def test_a_namespace_demands_signatures_of_every_model_in_it() -> None:
    signing = SigningSettings(namespaces={"demo": "a key", "*": ""})
    world = World(settings(signing=signing), a_model())
    world.signing.verification = Verification((), MISSING)
    world.settle()

    assert world.condition("EntryResolved") == ("False", "SignatureMissing")
    assert signing.of("demo") == "a key"
    assert SigningSettings(namespaces={"*": "theirs"}).of("elsewhere") == "theirs"
    assert SigningSettings().of("demo") == ""


def test_taking_verify_away_makes_a_revision_that_checks_nothing() -> None:
    world = serving()
    world.model["spec"]["source"] = {"name": "digits", "version": "1"}
    world.model["metadata"]["generation"] += 1
    world.builders.digests[job_name(world.build_of("1"))] = world.build_of("1")
    world.settle()

    (revision,) = world.status.revisions
    assert revision.verified is None
