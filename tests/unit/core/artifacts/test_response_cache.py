"""`spec.cache`: a build whose server may keep answers, and servers that are told how many."""

from typing import Any

import pytest
from pydantic import ValidationError

from modelyard.api.optimization import ORIGINAL
from modelyard.api.quantity import bytes_of
from modelyard.api.report import OptimizationSummary
from modelyard.core.artifacts.optimization_summary import summary
from modelyard.core.names import optimize_job_name
from modelyard.core.resources.build_jobs import optimize_job
from modelyard.core.snapshot import Failure, ResolvedEntry
from tests.support.objects.reports import FASTER
from tests.support.worlds.builders import a_built_world, a_model, settings
from tests.support.worlds.world import World

ENTRY = ResolvedEntry("digits", "1", "sha256:" + "1" * 64)
CACHED = OptimizationSummary(
    goal="latency", variant=ORIGINAL, runtime="onnxruntime", reason="Answers are kept.", tried=0, cached=True
)


def a_cached_world(size: str = "64MB", gained: OptimizationSummary = CACHED, **spec: Any) -> World:
    world = a_built_world(cache={"size": size}, **spec)
    world.gained = gained
    world.settle()
    return world


def arguments(world: World) -> list[str]:
    """What the server of the only revision is told beside what the runtime says."""
    (name,) = world.names("InferenceService")
    served = world.object("InferenceService", name)
    assert served is not None
    return served["spec"]["predictor"]["model"].get("args", [])


def test_a_build_of_its_own_serves_with_so_much_memory_for_answers() -> None:
    world = a_cached_world()

    assert world.revision("1").digest == world.optimized_of("1") != world.build_of("1")
    assert world.revision("1").cache == 64_000_000
    assert arguments(world) == ["--cache-config=local,size=64000000"]


def test_another_size_is_another_revision_of_the_same_build() -> None:
    world = a_cached_world()
    before = world.revision("1")

    world.ask(cache={"size": "128Mi"})
    world.settle()

    assert world.revision("1").digest == before.digest
    assert world.revision("1").name != before.name
    assert arguments(world) == [f"--cache-config=local,size={128 * 2**20}"]


def test_without_a_cache_names_and_arguments_are_those_of_before() -> None:
    world = a_cached_world()

    world.ask(cache=None)
    world.settle()

    plain = a_built_world()
    plain.settle()
    assert world.revision("1").name == plain.revision("1").name
    assert arguments(world) == []


def test_the_plain_artifact_serves_meanwhile_and_keeps_nothing() -> None:
    world = a_built_world(cache={"size": "64MB"})
    world.look()

    (revision,) = world.status.revisions
    assert (revision.cache, revision.digest) == (None, world.build_of("1"))


def test_a_model_with_more_than_one_answer_serves_without_and_its_condition_says_why() -> None:
    said = "spec.cache keeps answers, and modelyard.yaml of digits:1 says deterministic: false, so remove spec.cache."
    world = a_built_world(cache={"size": "64MB"})
    world.builders.ends[optimize_job_name(world.optimized_of("1"))] = Failure("UnsupportedModel", said)

    world.settle()

    assert [revision.digest for revision in world.status.revisions] == [world.build_of("1")]
    assert world.condition("Built") == ("False", "UnsupportedModel")
    assert world.message("Built").startswith(said.rstrip("."))
    assert "the plain artifact serves; change spec.optimize or remove it (or spec.tune, spec.cache)" in world.message(
        "Built"
    )


def test_the_job_is_told() -> None:
    job = optimize_job(a_model(cache={"size": "64MB"}), ENTRY, "sha256:" + "2" * 64, "gpu", settings())

    assert job["spec"]["template"]["spec"]["containers"][0]["command"][-1] == "--cache"


def test_a_variant_that_is_cached_says_so() -> None:
    assert summary(CACHED) == "original, cached"
    assert FASTER.cached is False


@pytest.mark.parametrize(
    ("size", "count"), [("1MB", 10**6), ("64MB", 64 * 10**6), ("64M", 64 * 10**6), ("64Mi", 2**26), ("2GB", 2 * 10**9)]
)
def test_sizes_are_bytes(size: str, count: int) -> None:
    assert bytes_of(size) == count


@pytest.mark.parametrize("size", ["0MB", "64", "1kB", "100GB", "64 MB", "-1MB", "64mb", "1.5GB"])
def test_what_is_no_size_is_refused(size: str) -> None:
    with pytest.raises(ValidationError, match="write a size from"):
        a_model(cache={"size": size})
