"""The scenarios that come along, the schema for editors, and the command that runs one."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from loadtests.__main__ import SCENARIOS, main, scenario_file
from loadtests.scenario import Scenario, read_scenario, schema
from modelyard.errors import InvalidSettings
from tests.support.cluster.locust import REQUEST
from tests.support.repository.charts import PLATFORM
from tests.support.servers import inference_server, one_port
from tests.support.servers.inference_server import Manners
from tests.unit.loadtests.reports.test_reports import a_report

FILES = sorted(SCENARIOS.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_scenario_can_be_run_and_is_as_the_schema_says(path: Path) -> None:
    scenario = read_scenario(path)

    jsonschema.validate(yaml.safe_load(path.read_text()), schema())
    arrivals = scenario.arrivals(SCENARIOS)
    assert arrivals.planned(arrivals.seconds) > 100
    assert scenario.inputs or (SCENARIOS / scenario.request).is_file()
    assert scenario_file(path.stem) == path


def test_the_loads_that_the_platforms_chart_brings_for_rollouts_are_scenarios() -> None:
    shipped = yaml.safe_load((PLATFORM / "values.yaml").read_text())["config"]["check"]["scenarios"]

    for written in shipped.values():
        scenario = Scenario.model_validate({"model": "digits", **written})
        assert scenario.arrivals(SCENARIOS).planned(scenario.arrivals(SCENARIOS).seconds) > 100


def test_the_schema_for_editors_is_the_types_own() -> None:
    """Else: python -m loadtests.scenario > loadtests/scenarios/schema.json"""
    assert json.loads((SCENARIOS / "schema.json").read_text()) == schema()


def test_a_scenario_that_does_not_exist_is_answered_with_those_that_do(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidSettings, match="name a file, or one of digits-limit, digits-ramp"):
        scenario_file("no-such")

    assert main(["no-such"]) == 2
    assert "there is no scenario no-such" in capfd.readouterr().err


def test_two_reports_are_compared_or_refused_with_a_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.json").write_text(json.dumps(a_report()))

    assert main(["compare", str(tmp_path / "a.json"), str(tmp_path / "a.json")]) == 0
    assert "p99.9 ms" in capfd.readouterr().out
    assert main(["compare", str(tmp_path / "a.json")]) == 2
    assert main(["compare", str(tmp_path / "a.json"), "none.json"]) == 2
    assert "none.json cannot be read" in capfd.readouterr().err


def test_one_command_runs_a_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "body.json").write_bytes(REQUEST)
    scenario = tmp_path / "short.yaml"
    manners = {name: Manners() for name in inference_server.REVISIONS}
    with inference_server.running(manners) as served, one_port.in_front(*served) as url:
        scenario.write_text(
            "model: double\nnamespace: demo\nload: {ramp: {from: 5, to: 20, over: 2s}}\nduration: 3s\n"
            f"request: body.json\nhost: {url}\n"
        )

        code = main([str(scenario), "--report", "out"])

    assert code == 0
    report = json.loads((tmp_path / "out" / "short.json").read_text())
    assert report["requests"] == 45
    assert len(report["parts"]) == 2
