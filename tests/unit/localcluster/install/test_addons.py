"""KEDA's own objects and our Prometheus, as they are applied here."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from localcluster.install.keda import ADAPTER, OPERATOR, adapted
from localcluster.install.kubernetes import Kubernetes
from localcluster.install.monitoring import from_chart
from localcluster.install.prerequisites import manifest
from localcluster.steps.task import Task
from localcluster.versions import local_image

PLACES = {"prometheus": "image:1", "alertmanager": "image:2", "node_port": "30090", "alerts_port": "30093"}


def deployment(name: str, *arguments: str) -> dict[str, Any]:
    container = {
        "name": name,
        "image": f"somewhere/{name}:main",
        "command": ["/keda"],
        "args": list(arguments),
        "readinessProbe": {"initialDelaySeconds": 20},
        "livenessProbe": {"initialDelaySeconds": 25},
    }
    pod = {"containers": [container]}
    return {"kind": "Deployment", "metadata": {"name": name}, "spec": {"template": {"spec": pod}}}


def container(*objects: dict[str, Any]) -> dict[str, Any]:
    return adapted(copy.deepcopy(objects))[0]["spec"]["template"]["spec"]["containers"][0]


def test_keda_s_programs_run_from_our_images():
    assert container(deployment(OPERATOR))["image"] == local_image("keda-operator")
    assert container(deployment(ADAPTER))["image"] == local_image("keda-adapter")


def test_the_operator_makes_its_own_certificates_whatever_was_said_before():
    found = container(deployment(OPERATOR, "--leader-elect", "--zap-log-level=info", "--enable-cert-rotation=false"))[
        "args"
    ]
    assert found == ["--zap-log-level=info", "--enable-cert-rotation=true", "--enable-webhook-patching=false"]


def test_the_adapter_keeps_its_arguments():
    assert container(deployment(ADAPTER, "--secure-port=6443"))["args"] == ["--secure-port=6443"]


@pytest.mark.parametrize("name", [OPERATOR, ADAPTER])
def test_keda_is_found_ready_soon_and_not_given_up_while_the_machine_is_busy(name: str):
    found = container(deployment(name))
    assert found["readinessProbe"]["initialDelaySeconds"] == 1
    assert min(found[probe]["timeoutSeconds"] for probe in ("readinessProbe", "livenessProbe")) >= 10


def configuration() -> dict[str, Any]:
    objects = list(yaml.safe_load_all(manifest("monitoring.yaml", **PLACES)))
    return yaml.safe_load(next(one for one in objects if one["kind"] == "ConfigMap")["data"]["prometheus.yml"])


def test_prometheus_finds_annotated_pods_and_metrics_ports_and_scrapes_no_pod_twice():
    found = configuration()
    actions = {
        job["job_name"]: [rule["action"] for rule in job["relabel_configs"] if rule.get("regex") == "true"]
        for job in found["scrape_configs"]
        if "relabel_configs" in job
    }
    assert actions == {"annotated-pods": ["keep", "drop"], "metrics-ports": ["drop"]}
    replacements = [rule.get("replacement") for rule in found["scrape_configs"][0]["relabel_configs"]]
    assert "$1:$2" in replacements


def test_what_the_operator_says_of_namespaces_is_kept():
    jobs = {job["job_name"]: job for job in configuration()["scrape_configs"]}
    assert jobs["metrics-ports"]["honor_labels"]
    assert jobs["kubelets"]["honor_labels"]


def test_rules_and_routes_are_the_chart_s_and_lie_where_prometheus_is(tmp_path: Path):
    rules, routes = from_chart(Kubernetes(tmp_path / "kubeconfig"), Task(tmp_path / "log"))
    assert [one["metadata"]["namespace"] for one in (rules, routes)] == ["monitoring", "monitoring"]
    assert "kubectl -n modelyard-system logs deployment/modelyard-operator" in rules["data"]["rules.yaml"]
    assert yaml.safe_load(routes["data"]["alertmanager.yaml"])["route"]["receiver"] == "nobody"
    objects = list(yaml.safe_load_all(manifest("monitoring.yaml", **PLACES)))
    mounted = {
        volume["configMap"]["name"]
        for one in objects
        if one["kind"] == "Deployment"
        for volume in one["spec"]["template"]["spec"]["volumes"]
        if "configMap" in volume
    }
    assert {one["metadata"]["name"] for one in (rules, routes)} <= mounted
    assert set(routes["data"]) == {"alertmanager.yaml"}
