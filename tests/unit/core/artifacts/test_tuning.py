"""`spec.tune`: one more step of the optimization's Job; what was measured is in the status of who serves it."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from modelyard.api.model import ModelSpec
from modelyard.api.optimization import ORIGINAL
from modelyard.api.quantity import amount
from modelyard.api.report import OptimizationSummary
from modelyard.api.tuning.report import TunedSummary
from modelyard.api.tuning.spec import cores
from modelyard.core.artifacts.optimization_summary import sentence, summary
from modelyard.core.names import optimize_job_name
from modelyard.core.resources.build_jobs import optimize_job
from modelyard.core.snapshot import ResolvedEntry
from tests.support.objects.reports import FASTER
from tests.support.worlds.builders import a_built_world, a_model, settings
from tests.support.worlds.world import World

SLO = {"latency": {"percentile": 99, "threshold": "50ms"}}
WANTED = {"percentile": 99.0, "threshold": 0.05, "cpus": 1}
ENTRY = ResolvedEntry("digits", "1", "sha256:" + "1" * 64)


def tuned(
    *, changed: bool, rate: float | None = 240.0, base: OptimizationSummary | None = None, cpus: int = 1
) -> OptimizationSummary:
    """What the report of a tuned build says."""
    figures = TunedSummary(
        requests_per_second=rate, at="p99<50ms", cpus=cpus, changed=changed, reason="It was measured."
    )
    plain = OptimizationSummary(
        goal="throughput", variant=ORIGINAL, runtime="onnxruntime", reason="It was measured.", tried=0
    )
    return (base or plain).model_copy(update={"tuned": figures})


def a_tuned_world(gained: OptimizationSummary, **spec: Any) -> World:
    world = a_built_world(slo=SLO, tune={}, **spec)
    world.gained = gained
    world.settle()
    return world


def command(**spec: Any) -> list[str]:
    """What the Job runs."""
    job = optimize_job(a_model(slo=SLO, **spec), ENTRY, "sha256:" + "2" * 64, "cpu", settings())
    container = job["spec"]["template"]["spec"]["containers"][0]
    return container.get("command", []) + container.get("args", [])


def test_the_job_is_told_what_to_keep_and_with_how_many_cores() -> None:
    words = command(tune={})

    assert json.loads(words[words.index("--tune") + 1]) == WANTED
    assert "--optimize" not in words


def test_a_job_that_optimizes_tunes_too() -> None:
    words = command(tune={"cpus": 2}, optimize={})

    assert json.loads(words[words.index("--tune") + 1])["cpus"] == 2
    assert "--optimize" in words


@pytest.mark.parametrize(
    ("resources", "number"),
    [
        ({}, 1),
        ({"requests": {"cpu": "500m"}}, 1),
        ({"requests": {"cpu": "1"}, "limits": {"cpu": "2500m"}}, 3),
        ({"limits": {"memory": "1Gi"}}, 1),
    ],
)
def test_a_replicas_cores_are_what_it_may_use(resources: dict[str, dict[str, str]], number: int) -> None:
    assert cores(resources) == number


def test_resources_of_the_model_decide_how_it_is_measured() -> None:
    words = command(tune={}, serving={"resources": {"limits": {"cpu": 4}}})

    assert json.loads(words[words.index("--tune") + 1])["cpus"] == 4


def test_settings_that_are_worth_it_are_rolled_out_and_the_capacity_is_in_the_status() -> None:
    world = a_tuned_world(tuned(changed=True))

    assert [revision.digest for revision in world.status.revisions] == [world.optimized_of("1")]
    assert world.status.optimization is not None
    assert world.status.optimization.variant == "original, tuned"
    capacity = world.status.capacity
    assert capacity is not None
    assert (capacity.requests_per_second, capacity.at, capacity.cpu) == (240.0, "p99<50ms", 1.0)
    assert capacity.digest == world.optimized_of("1")
    assert capacity.measured


@pytest.mark.parametrize(
    ("limit", "measured_with", "rate"), [("100m", 1, 24.0), ("1500m", 2, 180.0), ("1", 1, 240.0), ("4", 2, 240.0)]
)
def test_a_replica_that_may_use_less_than_was_measured_with_takes_on_its_share(
    limit: str, measured_with: int, rate: float
) -> None:
    world = a_tuned_world(tuned(changed=True, cpus=measured_with), serving={"resources": {"limits": {"cpu": limit}}})

    for _ in range(3):
        capacity = world.status.capacity
        assert capacity is not None
        assert capacity.requests_per_second == pytest.approx(rate)
        assert capacity.cpu == min(float(amount(limit)), measured_with)
        world.settle()


def test_usual_settings_are_not_rolled_out_again_but_their_capacity_is_known() -> None:
    world = a_tuned_world(tuned(changed=False))

    assert [revision.digest for revision in world.status.revisions] == [world.build_of("1")]
    assert world.status.capacity is not None
    assert world.status.capacity.digest == world.build_of("1")


def test_a_variant_is_tuned_as_well() -> None:
    world = a_tuned_world(tuned(changed=True, base=FASTER), optimize={})

    assert world.status.optimization is not None
    assert world.status.optimization.variant == "openvino-int8, tuned"
    assert "optimized as openvino-int8: 3.1x faster" in world.message("Built")
    assert world.message("Built").endswith("It was measured.")


def test_without_a_figure_there_is_no_capacity() -> None:
    assert a_tuned_world(tuned(changed=False, rate=None)).status.capacity is None


def test_what_was_measured_of_one_version_is_not_told_of_the_next() -> None:
    world = a_tuned_world(tuned(changed=True))
    world.gained = tuned(changed=True, rate=None)

    world.ask(version="2")
    world.settle()

    assert (world.status.version, world.status.capacity) == ("2", None)


def test_the_job_has_the_name_of_an_optimization() -> None:
    world = a_built_world(slo=SLO, tune={})
    world.builders.tries = 10_000
    world.run_until(lambda: world.condition("Reconciling")[1] == "Optimizing")

    assert world.names("Job") == [optimize_job_name(world.optimized_of("1"))]
    assert world.condition("Serving") == ("True", "Answering")


def test_what_is_known_stays_while_the_registry_is_away() -> None:
    world = a_tuned_world(tuned(changed=True))
    world.model["status"].pop("entry")
    world.registry_away = True

    world.look()

    assert world.status.optimization is not None
    assert world.status.capacity is not None


def test_gpus_are_not_tuned_and_nothing_is_asked_of_a_job_without_a_reason() -> None:
    model = a_model(slo=SLO, tune={})

    assert model.spec.build_options("gpu") == {}
    with pytest.raises(ValueError, match="asks for no optimization"):
        optimize_job(a_model(), ENTRY, "sha256:" + "2" * 64, "cpu", settings())


@pytest.mark.parametrize("slo", [None, {"errorRate": "1%"}])
def test_something_must_be_kept(slo: dict[str, Any] | None) -> None:
    source = {"name": "digits", "version": "1"}

    with pytest.raises(ValidationError, match=r"tune needs slo\.latency"):
        ModelSpec.model_validate({"source": source, "tune": {}, **({"slo": slo} if slo else {})})


def test_it_is_said_once() -> None:
    assert sentence(tuned(changed=True)) == "; It was measured."
    assert summary(tuned(changed=False)) == ORIGINAL
