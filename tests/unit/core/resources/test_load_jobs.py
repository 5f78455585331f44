"""The Job of a load test that a person asks for: the suite in the builder's image, told a scenario."""

import json
from typing import Any

import pytest

from modelyard.core.resources.load_jobs import FILES, MOST_BYTES, LoadTestRequest, scenario_job
from modelyard.errors import InvalidSettings
from tests.support.worlds.builders import settings

REQUEST = LoadTestRequest("digits", "demo", "mine.yaml", {"mine.yaml": "bW9kZWw="}, 90.0, 1)


def container(job: dict[str, Any]) -> dict[str, Any]:
    [only] = job["spec"]["template"]["spec"]["containers"]
    return only


def test_it_runs_the_suite_on_the_gateway_with_the_scenario_in_a_variable() -> None:
    work = container(scenario_job(REQUEST, "now", settings()))

    command = " ".join(work["command"])
    assert command.startswith(f"python -m loadtests mine.yaml --host {settings().gateway.url} ")
    assert command.endswith("-- --model digits --namespace demo")
    variables = {row["name"]: row.get("value") for row in work["env"]}
    assert json.loads(variables[FILES] or "") == dict(REQUEST.files)
    assert variables["PYTHONPATH"] == "/opt"


def test_workers_are_processes_of_one_pod_and_get_a_core_each() -> None:
    job = scenario_job(REQUEST._replace(workers=4), "now", settings())

    assert container(job)["command"][-2:] == ["--processes", "4"]
    assert container(job)["resources"]["requests"]["cpu"] == "2"
    assert container(scenario_job(REQUEST, "now", settings()))["resources"]["requests"]["cpu"] == settings().check.cpu


def test_no_rollout_takes_it_for_a_gate_and_it_goes_by_itself() -> None:
    job = scenario_job(REQUEST, "now", settings())

    assert not [label for label in job["metadata"]["labels"] if label.startswith("modelyard.dev/")]
    assert job["metadata"]["namespace"] == "modelyard-system"
    assert job["spec"]["ttlSecondsAfterFinished"] > 0
    assert 90 < job["spec"]["activeDeadlineSeconds"] < 600
    assert job["spec"]["template"]["spec"]["automountServiceAccountToken"] is False


def test_two_of_them_have_names_of_their_own() -> None:
    names = {scenario_job(REQUEST, stamp, settings())["metadata"]["name"] for stamp in ("now", "then")}

    assert len(names) == 2


def test_files_that_do_not_fit_are_refused_with_what_to_do() -> None:
    large = REQUEST._replace(files={"mine.yaml": "a" * MOST_BYTES})

    with pytest.raises(InvalidSettings, match="take them from a build"):
        scenario_job(large, "now", settings())
