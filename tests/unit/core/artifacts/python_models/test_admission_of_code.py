"""A Python model is built and served where its Model trusts its author, and on CPUs."""

from typing import Any

import pytest

from modelyard.api.status import RevisionStatus
from modelyard.core.artifacts.python_models import refused_code
from modelyard.core.artifacts.resolve import known_entry
from modelyard.core.resources.build_jobs import job, optimize_job
from modelyard.core.resources.serving import inference_service
from modelyard.core.snapshot import Failure, ResolvedEntry
from tests.support.worlds.builders import a_model, a_new_world, settings
from tests.support.worlds.world import World

ENTRY = ResolvedEntry("greeter", "1", "sha256:" + "1" * 64, python=True)
DIGEST = "sha256:" + "ab" * 32


def a_world(**source: Any) -> World:
    """A world whose registry has Python models alone."""
    world = a_new_world(source={"name": "digits", "version": "1", **source})
    plain = world._entry

    def found(model: Any) -> ResolvedEntry | Failure:
        entry = plain(model)
        assert isinstance(entry, ResolvedEntry)
        return ResolvedEntry(entry.name, entry.version, entry.digest, python=True)

    world._entry = found  # pyright: ignore
    return world


def test_a_python_model_that_nobody_trusts_is_not_built() -> None:
    world = a_world()

    world.settle()

    assert world.builders.started == []
    assert world.condition("EntryResolved") == ("False", "CodeNotTrusted")
    assert world.condition("Stalled") == ("True", "CodeNotTrusted")
    assert "Write source.trustCode: true if you trust them" in world.message("EntryResolved")


def test_one_that_is_trusted_is_served_as_every_other_is() -> None:
    world = a_world(trustCode=True)

    world.settle()

    assert world.condition("Serving") == ("True", "Answering")
    assert world.status.entry is not None
    assert world.status.entry.python


def test_what_takes_it_back_leaves_alone_what_serves() -> None:
    world = a_world(trustCode=True)
    world.settle()
    before = [revision.name for revision in world.status.revisions]

    world.ask(version="1")
    world.settle()

    assert world.condition("EntryResolved") == ("False", "CodeNotTrusted")
    assert [revision.name for revision in world.status.revisions] == before


@pytest.mark.parametrize("hardware", ["cpu", "gpu"])
def test_it_is_served_on_cpus_only(hardware: str) -> None:
    model = a_model(source={"name": "greeter", "version": "1", "trustCode": True})

    refused = refused_code(model, ENTRY, hardware)

    assert (refused is None) is (hardware == "cpu")
    if refused is not None:
        assert (refused.reason, refused.retry) == ("UnsupportedModel", False)
        assert refused.message.endswith("write serving.runtime: cpu.")


def test_while_the_registry_is_away_it_is_still_known_to_be_one() -> None:
    known = {"name": "greeter", "version": "1", "digest": ENTRY.digest, "python": True}
    model = a_model(source={"name": "greeter", "version": "1"}, status={"entry": known})

    assert known_entry(model, Failure("Unreachable", "away", retry=True)) == ENTRY


@pytest.mark.parametrize("python", [False, True])
def test_the_builder_is_told_that_it_may(python: bool) -> None:
    entry = ResolvedEntry("greeter", "1", ENTRY.digest, python=python)
    jobs = (
        job("greeter", entry, DIGEST, "cpu", settings()),
        optimize_job(a_model(optimize={}), entry, DIGEST, "cpu", settings()),
    )

    for made in jobs:
        [builder] = made["spec"]["template"]["spec"]["containers"]
        assert ("--trust-code" in builder["command"]) is python


def test_no_variable_with_a_key_is_given_to_the_server() -> None:
    revision = {
        "name": "greeter-0",
        "slot": "a",
        "digest": DIGEST,
        "version": "1",
        "runtime": "cpu",
        "stage": "Starting",
    }

    body = inference_service(
        a_model(), RevisionStatus.model_validate({**revision, "stage_start_time": "now"}), "bucket"
    )

    predictor = body["spec"]["predictor"]
    assert "env" not in predictor["model"]
    assert predictor["automountServiceAccountToken"] is False
