"""`optimize: {goal: cost}`: what the Job is told, the size that its replicas get, and what cannot be asked for."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from modelyard.api.model import Model
from modelyard.api.optimization import ORIGINAL
from modelyard.api.report import OptimizationSummary
from modelyard.api.tuning.report import TunedSummary
from modelyard.core.artifacts.replica_size import cheapest_size
from modelyard.core.resources.build_jobs import optimize_job
from modelyard.core.snapshot import Failure, OptimizedBuild, ResolvedEntry
from modelyard.settings import PriceSettings
from tests.support.objects.reports import FASTER
from tests.support.worlds.builders import a_built_world, a_model, settings
from tests.support.worlds.world import AWAY, World

SLO = {"latency": {"percentile": 99, "threshold": "50ms"}}
COST: dict[str, Any] = {"slo": SLO, "optimize": {"goal": "cost"}}
ENTRY = ResolvedEntry("digits", "1", "sha256:" + "1" * 64)
DIGEST = "sha256:" + "2" * 64


PLAIN = OptimizationSummary(
    goal="cost", variant=ORIGINAL, runtime="onnxruntime", reason="the cheapest is original on 2 cores.", tried=2
)


def found(
    cpus: int = 2, rate: float = 900.0, *, base: OptimizationSummary = FASTER, changed: bool = True
) -> OptimizationSummary:
    tuned = TunedSummary(requests_per_second=rate, at="p99<50ms", cpus=cpus, changed=changed, reason="It was measured.")
    return base.model_copy(update={"goal": "cost", "tuned": tuned})


def container(prices: PriceSettings, **spec: Any) -> dict[str, Any]:
    job = optimize_job(a_model(**{**COST, **spec}), ENTRY, DIGEST, "cpu", settings(prices=prices))
    return job["spec"]["template"]["spec"]["containers"][0]


def a_cost_world(summary: OptimizationSummary, **spec: Any) -> World:
    world = a_built_world(**{**COST, "rollout": {"strategy": "Immediate"}, **spec})
    world.gained = summary
    world.settle()
    return world


def requests(world: World) -> Any:
    (revision,) = world.status.revisions
    return (revision.resources or {}).get("requests")


def test_the_job_tunes_and_knows_what_resources_cost() -> None:
    made = container(PriceSettings(cpu_core_hour=0.04), serving={"resources": {"limits": {"cpu": "2"}}})
    words = made["command"]

    assert json.loads(words[words.index("--optimize") + 1])["goal"] == "cost"
    assert json.loads(words[words.index("--tune") + 1]) == {"percentile": 99.0, "threshold": 0.05, "cpus": 2}
    assert {"name": "MODELYARD_PRICES_CPU_CORE_HOUR", "value": "0.04"} in made["env"]


def test_without_prices_or_for_another_goal_nothing_is_said_of_them() -> None:
    priced = PriceSettings(cpu_core_hour=0.04)
    names = [row["name"] for row in (*container(PriceSettings())["env"], *container(priced, optimize={})["env"])]

    assert not [name for name in names if "PRICES" in name]


def test_it_may_take_longer_than_another_optimization() -> None:
    jobs = [
        optimize_job(a_model(**{**COST, **more}), ENTRY, DIGEST, "cpu", settings()) for more in ({}, {"optimize": {}})
    ]

    costly, plain = (job["spec"]["activeDeadlineSeconds"] for job in jobs)
    assert costly > plain


def test_a_gpu_by_default_of_the_platform_takes_the_nearest_goal() -> None:
    assert a_model(**COST).spec.build_options("gpu")["optimize"]["goal"] == "throughput"
    assert "tune" not in a_model(**COST).spec.build_options("gpu")


def test_replicas_get_the_cores_that_were_cheapest() -> None:
    world = a_cost_world(found(cpus=2))

    assert world.revision("1").digest == world.optimized_of("1")
    assert requests(world) == {"cpu": "2"}


def test_the_original_with_its_usual_settings_gets_them_too() -> None:
    world = a_cost_world(found(cpus=2, base=PLAIN, changed=False))

    assert world.status.optimization is not None
    assert world.status.optimization.variant == ORIGINAL
    assert requests(world) == {"cpu": "2"}
    assert world.status.capacity is not None
    assert (world.status.capacity.cpu, world.status.capacity.digest) == (2.0, world.revision("1").digest)


@pytest.mark.parametrize(
    ("summary", "spec"),
    [
        (found(base=PLAIN, changed=False, rate=0.0), {}),
        (found(base=PLAIN, changed=False), {"serving": {"resources": {"requests": {"cpu": "500m"}}}}),
    ],
    ids=["nothing keeps the objective", "the spec names cores"],
)
def test_the_original_is_not_rolled_out_again_where_its_size_stays(
    summary: OptimizationSummary, spec: dict[str, Any]
) -> None:
    world = a_cost_world(summary, **spec)

    assert [revision.digest for revision in world.status.revisions] == [world.build_of("1")]


def test_what_the_spec_says_of_cores_wins() -> None:
    resources = {"requests": {"cpu": "500m", "memory": "1Gi"}}

    assert requests(a_cost_world(found(cpus=2), serving={"resources": resources})) == resources["requests"]


def test_memory_that_the_spec_says_stays_beside_the_cores() -> None:
    world = a_cost_world(found(cpus=4), serving={"resources": {"requests": {"memory": "1Gi"}}})

    assert requests(world) == {"memory": "1Gi", "cpu": "4"}


def test_a_store_that_is_away_restarts_nothing() -> None:
    world = a_cost_world(found(cpus=2))
    before = world.names("InferenceService")

    world.store_away = True
    for _ in range(5):
        world.look()
        world.step()
        world.sleep(10)

    assert (world.names("InferenceService"), requests(world)) == (before, {"cpu": "2"})


@pytest.mark.parametrize(
    ("model", "built"),
    [
        (a_model(slo=SLO, optimize={}), found()),
        (a_model(slo=SLO), found()),
        (a_model(**COST), found(rate=0.0)),
        (a_model(**COST), FASTER),
        (a_model(**COST), AWAY),
        (a_model(**COST), None),
        (a_model(**COST, serving={"resources": {"limits": {"cpu": "1"}}}), found()),
    ],
)
def test_where_nothing_was_found_the_size_is_the_specs(
    model: Model, built: OptimizationSummary | Failure | None
) -> None:
    assert cheapest_size(model, DIGEST, OptimizedBuild(built)) is model


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"optimize": {"goal": "cost"}}, "optimize.goal cost needs slo.latency"),
        ({"optimize": {"goal": "cost"}, "slo": {"errorRate": "1%"}}, "optimize.goal cost needs slo.latency"),
        ({**COST, "serving": {"runtime": "gpu"}}, "optimize.goal cost is measured on CPUs"),
    ],
)
def test_what_cannot_be_measured_is_refused(spec: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        a_model(**spec)
