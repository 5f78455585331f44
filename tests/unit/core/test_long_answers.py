"""Answers from outside that are longer or odder than a status takes: they are cut, and every decision is made."""

import json
import math
from typing import Any

import pytest

from modelyard.api.optimization import Progress
from modelyard.api.report import OptimizationSummary
from modelyard.core.artifacts.optimization_summary import optimized, times
from modelyard.core.snapshot import MAX_REASON, MAX_SENTENCE, Check, Failure, OptimizedBuild, Probe
from tests.support.worlds.builders import a_new_world, a_serving_world
from tests.support.worlds.rollouts import a_rollout_world, live_until_phase, state
from tests.support.worlds.world import World

LONG = "ü𝄞" * 5000
BAD = Failure(LONG, LONG)


def stored_sizes(world: World) -> list[int]:
    """Length of every text in the status."""
    texts: list[str] = []

    def walk(value: Any) -> None:
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            texts.append(inner) if isinstance(inner, str) else walk(inner)

    walk(world.model["status"])
    return [len(text) for text in texts]


def test_sentences_and_reasons_are_cut_as_they_come_in() -> None:
    assert (len(BAD.reason), len(BAD.message)) == (MAX_REASON, MAX_SENTENCE)
    assert len(Probe(False, LONG).message) == len(Check(None, LONG).message) == MAX_SENTENCE


def test_a_report_has_only_numbers_that_the_api_server_reads() -> None:
    report = Check(True, report={"p99": math.nan, "rows": [1, math.inf, {"x": -math.inf, "ok": 0.5}]}).report

    assert json.loads(json.dumps(report, allow_nan=False)) == {"p99": None, "rows": [1, None, {"x": None, "ok": 0.5}]}


@pytest.mark.parametrize("retry", [False, True])
def test_a_builder_that_says_too_much_is_quoted_in_part(retry: bool) -> None:
    world = a_new_world()
    world.look()
    world.builders.failed = dict.fromkeys(world.names("Job"), Failure("Odd" * 99, LONG, retry))
    for job in world.api.of_kind("Job"):
        job[1]["status"] = {"failed": 1}

    world.look()

    assert world.condition("Built")[1] == ("Odd" * 99)[:MAX_REASON]
    assert max(stored_sizes(world)) <= 1024


def test_a_warm_up_that_says_too_much_is_quoted_in_part() -> None:
    world = a_rollout_world()
    world.mute.add(world.build_of("2"))
    live_until_phase(world, state(world).phase.STARTING)
    world.probes = {world.revision("2").name: Probe(False, LONG)}

    world.decide()
    world.look()

    assert max(stored_sizes(world)) <= 1024


def test_an_optimization_of_absurd_figures_fits_its_columns() -> None:
    summary = OptimizationSummary(
        goal="latency", runtime="onnxruntime", variant="v" * 500, speedup=1e300, quality_loss=-1e300, size_ratio=1e300,
        reason=LONG, tried=3,
    )  # fmt: skip

    told = optimized("sha256:1", summary, "It is there.")

    assert (told.speedup, len(told.summary), len(told.variant)) == ("1e+300x", 160, 128)
    assert [times(3.14), times(1.04), times(-1e9)] == ["3.1x", "1.04x", "-1e+09x"]


def test_an_optimization_under_way_may_plan_more_than_a_column_holds() -> None:
    world = a_serving_world()
    world.ask(optimize={})
    progress = Progress(
        done=1, planned=10**300, doing=LONG, spent_seconds=1.0, at="2027-01-15T08:00:00Z", best=1e300, best_name=LONG
    )
    world._optimization = lambda digest: OptimizedBuild(progress=progress)  # type: ignore[method-assign]

    world.look()

    assert world.status.optimization is not None
    assert len(world.status.optimization.summary) == 160
    assert len(world.status.optimization.message) <= 1000
