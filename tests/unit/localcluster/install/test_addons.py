"""KEDA's own objects and our Prometheus, as they are applied here."""

import copy
from typing import Any

import pytest
import yaml

from localcluster.install.keda import ADAPTER, OPERATOR, adapted
from localcluster.install.prerequisites import manifest
from localcluster.versions import local_image


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


def test_prometheus_finds_annotated_pods_and_metrics_ports_and_scrapes_no_pod_twice():
    objects = list(yaml.safe_load_all(manifest("prometheus.yaml", prometheus="image:1", node_port="30090")))
    configuration = yaml.safe_load(next(one for one in objects if one["kind"] == "ConfigMap")["data"]["prometheus.yml"])
    actions = {
        job["job_name"]: [rule["action"] for rule in job["relabel_configs"] if rule.get("regex") == "true"]
        for job in configuration["scrape_configs"]
    }
    assert actions == {"annotated-pods": ["keep", "drop"], "metrics-ports": ["drop"]}
    replacements = [rule.get("replacement") for rule in configuration["scrape_configs"][0]["relabel_configs"]]
    assert "$1:$2" in replacements
