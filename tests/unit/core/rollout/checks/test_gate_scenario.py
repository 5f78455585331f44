"""A rollout whose load test names a scenario of the platform: the same suite with that load, or a sentence."""

import base64
import json
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from modelyard.api.rollout import LoadTest
from modelyard.api.rollout_status import Outcome, Phase
from modelyard.core.resources.check_jobs import FILES
from modelyard.settings import CheckSettings, GateScenario, Settings
from tests.support.repository.charts import PLATFORM
from tests.support.worlds.builders import a_built_world
from tests.support.worlds.rollouts import (
    CANARY,
    a_rollout_world,
    last,
    live_until,
    live_until_ended,
    live_until_phase,
    state,
    traffic,
)
from tests.support.worlds.world import World

SPIKE = {"load": {"spike": {"base": 10, "peak": 40, "at": "20s", "for": "20s"}}, "duration": "90s"}


def knowing(**scenarios: dict[str, Any]) -> CheckSettings:
    return CheckSettings.model_validate({"scenarios": scenarios})


def a_tested_world(named: str = "campaign", **scenarios: dict[str, Any]) -> World:
    world = a_rollout_world(**{**CANARY, "loadTest": {"scenario": named}})
    world.settings = world.settings.model_copy(update={"check": knowing(**scenarios)})
    return world


def job_of(world: World) -> dict[str, Any]:
    """The Job of the load test, once it was made."""
    jobs: list[dict[str, Any]] = []

    def made(_: Any) -> bool:
        jobs.extend(job for _, job in world.api.of_kind("Job") if "modelyard.dev/check" in job["metadata"]["labels"])
        return bool(jobs)

    live_until(world, made)
    return jobs[0]


def container(job: dict[str, Any]) -> dict[str, Any]:
    return job["spec"]["template"]["spec"]["containers"][0]


def scenario_in(job: dict[str, Any]) -> dict[str, Any]:
    files = next(row["value"] for row in container(job)["env"] if row["name"] == FILES)
    return yaml.safe_load(base64.b64decode(json.loads(files)["campaign.yaml"]))


def test_the_load_is_the_scenarios_and_the_promises_are_the_models() -> None:
    job = job_of(a_tested_world(campaign=SPIKE))

    assert scenario_in(job) == {"model": "digits", "namespace": "demo", **SPIKE}
    words = container(job)["command"]
    given = [words[words.index(flag) + 1] for flag in ("--error-rate", "--latency", "--percentile")]
    assert words[:4] == ["python", "-m", "loadtests", "campaign.yaml"]
    assert given == ["0.01", "0.05", "99"]
    assert words[words.index("--build") + 1].startswith("sha256:")
    assert "--publish" in words
    assert job["spec"]["activeDeadlineSeconds"] == 90 + 180


def test_a_scenario_with_requests_of_its_own_sends_those() -> None:
    tensors = {"tensors": [{"name": "input", "datatype": "FP32", "shape": [1, 4]}]}
    job = job_of(a_tested_world(campaign={**SPIKE, "inputs": tensors, "grpcShare": 1.0}))

    assert scenario_in(job)["inputs"] == tensors
    assert scenario_in(job)["grpcShare"] == 1.0
    assert "--build" not in container(job)["command"]


def test_one_that_stands_it_is_promoted() -> None:
    world = a_tested_world(campaign=SPIKE)

    live_until_ended(world)

    assert last(world).outcome is Outcome.PROMOTED


def test_an_unknown_scenario_begins_nothing_and_says_which_there_are() -> None:
    world = a_tested_world("holiday", campaign=SPIKE, morning=SPIKE)

    live_until(world, lambda rollout: rollout.reason == "UnknownScenario")
    world.look()

    assert (state(world).phase, traffic(world), len(world.names("InferenceService"))) == (Phase.BUILDING, {"1": 100}, 1)
    assert world.condition("Stalled") == ("True", "UnknownScenario")
    assert world.condition("Serving")[0] == "True"
    assert "holiday is no load that this platform knows (steady, campaign, morning)" in world.message("Ready")

    world.ask(rollout={**CANARY, "loadTest": {"scenario": "morning"}})
    live_until_ended(world)
    assert last(world).outcome is Outcome.PROMOTED


def test_one_that_is_taken_away_meanwhile_holds_the_rollout() -> None:
    world = a_tested_world(campaign=SPIKE)
    live_until_phase(world, Phase.TESTING)

    world.settings = world.settings.model_copy(update={"check": knowing(morning=SPIKE)})
    live_until(world, lambda rollout: rollout.reason == "UnknownScenario")
    held = state(world).phase
    world.settings = world.settings.model_copy(update={"check": knowing(campaign=SPIKE)})
    live_until_ended(world)

    assert (held, last(world).outcome) == (Phase.HOLDING, Outcome.PROMOTED)


def test_a_first_revision_is_not_load_tested_and_so_not_kept_back() -> None:
    world = a_built_world(rollout={**CANARY, "loadTest": {"scenario": "holiday"}})

    world.settle()

    assert traffic(world) == {"1": 100}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"load": {}}, "write one shape of load: steady, ramp, spike, steps"),
        ({"load": {"trace": {"file": "a.csv"}}}, "a trace needs a file"),
        ({"load": {"steady": {"rate": 1}, "ramp": {}}}, "write one shape of load"),
        ({"load": {"steady": {"rate": 1}}, "duration": "soon"}, "String should match pattern"),
        ({"load": {"steady": {"rate": 1}}, "laod": {}}, "Extra inputs are not permitted"),
    ],
)
def test_a_scenario_that_cannot_be_one_is_refused_with_the_settings(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        GateScenario.model_validate(wrong)


@pytest.mark.parametrize(
    "options", [{"scenario": "campaign", "duration": "60s"}, {"scenario": "campaign", "requestsPerSecond": 5}]
)
def test_a_rate_beside_a_scenario_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="requestsPerSecond and duration are for scenario steady"):
        LoadTest.model_validate(options)


def test_the_loads_that_the_chart_brings_can_be_run() -> None:
    shipped = yaml.safe_load((PLATFORM / "values.yaml").read_text())["config"]["check"]["scenarios"]

    assert sorted(Settings.read(check={"scenarios": shipped}).check.scenarios) == ["campaign", "morning"]
