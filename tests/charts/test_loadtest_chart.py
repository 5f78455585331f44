"""charts/loadtest: the suite against one Model, by a schedule and as a Helm test, with its SLO in the values."""

from pathlib import Path
from typing import Any

import pytest

from loadtests.scenario import Scenario, read_scenario
from tests.support.repository.charts import LOADTEST, complaint, objects, one, pod_templates, template

TENSORS = {"tensors": [{"name": "input", "datatype": "FP32", "shape": [1, 1, 8, 8]}]}
WHOM = {"model": "digits", "namespace": "demo", "inputs": TENSORS}


def rendered(scenario: dict[str, Any] | None = None, **values: Any) -> list[dict[str, Any]]:
    return objects(template(LOADTEST, {"scenario": WHOM | (scenario or {}), **values}, "digits-slo"))


def read(made: list[dict[str, Any]], folder: Path) -> Scenario:
    """The scenario as the suite reads it in the pod."""
    for name, content in one(made, "ConfigMap", "digits-slo-loadtest")["data"].items():
        (folder / name).write_text(content)
    return read_scenario(folder / "digits-slo.yaml")


def test_what_the_values_say_is_a_scenario_the_suite_takes(tmp_path: Path) -> None:
    scenario = read(rendered(), tmp_path)

    assert (scenario.model, scenario.namespace, scenario.duration) == ("digits", "demo", "60s")
    assert scenario.arrivals(tmp_path).highest == 20
    assert scenario.slo.latency is not None
    assert (scenario.slo.latency.threshold, scenario.slo.error_rate) == ("100ms", "1%")


def test_another_load_and_slo_replace_the_defaults(tmp_path: Path) -> None:
    load = {"ramp": {"from": 5, "to": 60, "over": "60s"}}
    slo = {"latency": {"threshold": "50ms"}, "errorRate": "0.5%"}
    scenario = read(rendered({"load": load, "duration": "90s", "slo": slo, "grpcShare": 0}), tmp_path)

    assert (scenario.arrivals(tmp_path).highest, scenario.grpc_share, scenario.slo.error_rate) == (60, 0.0, "0.5%")
    assert scenario.slo.latency is not None
    assert (scenario.slo.latency.percentile, scenario.slo.latency.threshold) == (99, "50ms")


def test_files_travel_with_it(tmp_path: Path) -> None:
    files = {"day.csv": "1\n2\n4\n", "body.json": '{"inputs": []}'}
    made = rendered({"inputs": {}, "request": "body.json", "load": {"trace": {"file": "day.csv"}}}, files=files)

    assert read(made, tmp_path).arrivals(tmp_path).seconds == 3.0
    assert (tmp_path / "body.json").read_text() == files["body.json"]


def test_it_runs_by_a_schedule_only_when_there_is_one_and_always_as_a_helm_test() -> None:
    assert [each["kind"] for each in rendered() if each["kind"] in ("CronJob", "Pod")] == ["Pod"]
    made = rendered(schedule="0 3 * * *", workers=3, pushgateway="http://pushgateway:9091")
    pods = pod_templates(made)

    assert set(pods) == {"CronJob/digits-slo-loadtest", "Pod/digits-slo-loadtest"}
    assert pods["CronJob/digits-slo-loadtest"] == pods["Pod/digits-slo-loadtest"]
    assert one(made, "CronJob", "digits-slo-loadtest")["spec"]["concurrencyPolicy"] == "Forbid"
    assert one(made, "Pod", "digits-slo-loadtest")["metadata"]["annotations"]["helm.sh/hook"] == "test"
    [container] = pods["Pod/digits-slo-loadtest"]["containers"]
    assert container["command"][3:] == [
        "/etc/loadtest/digits-slo.yaml",
        *("--host", "http://modelyard-gateway.envoy-gateway-system.svc.cluster.local"),
        *("--report", "/tmp/loadtest", "--publish", "--pushgateway", "http://pushgateway:9091"),
        *("--", "--processes", "3"),
    ]


def test_its_pods_are_restricted_and_have_no_rights() -> None:
    for name, pod in pod_templates(rendered(schedule="0 3 * * *")).items():
        [container] = pod["containers"]
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"], name
        assert container["securityContext"]["readOnlyRootFilesystem"], name
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
        assert container["resources"]["limits"]["memory"], name


def test_without_a_store_no_keys_are_asked_for() -> None:
    [pod] = pod_templates(rendered(store={"enabled": False})).values()
    [container] = pod["containers"]

    assert "--publish" not in container["command"]
    assert [entry["name"] for entry in container["env"] if entry["name"].startswith("MODELYARD_STORE")] == []


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({}, "name the Model to ask"),
        ({"scenario": {"model": "digits"}}, "name the Model's namespace"),
        ({"scenario": WHOM | {"inputs": {}}}, "say what is sent"),
        ({"scenario": WHOM | {"request": "a.json"}}, "not both"),
        ({"scenario": WHOM | {"load": {"rampup": {}}}}, "rampup"),
        ({"scenario": WHOM | {"duration": "60"}}, "scenario.duration"),
        ({"scenario": WHOM, "workers": 0}, "workers"),
        ({"scenario": WHOM, "pushgateway": "pushgateway:9091"}, "pushgateway"),
        ({"scenario": WHOM, "image": "docker.io/modelyard/builder"}, "image"),
        ({"scenario": WHOM, "cron": "0 3 * * *"}, "cron"),
    ],
)
def test_values_that_could_not_be_used_are_refused(values: dict[str, Any], word: str) -> None:
    assert word in complaint(LOADTEST, values)
