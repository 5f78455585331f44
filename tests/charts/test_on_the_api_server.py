"""A real API server accepts, strictly, every rendering of the charts and every sample."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard.api.model import Model
from modelyard.api.rollout import Strategy
from tests.support.objects.placements import RIGHT
from tests.support.operator.real_apiserver import RealApiServer
from tests.support.repository.charts import MODEL, NAMESPACE, PLATFORM, ROOT, objects, template

pytestmark = pytest.mark.integration

WORKLOADS = ("Deployment", "StatefulSet", "Job", "Pod")
OUTSIDE = {"ServiceMonitor", "PodMonitor", "PrometheusRule"}
SAMPLES = sorted((ROOT / "manifests").glob("*.yaml"))
PRESETS = sorted((MODEL / "presets").glob("*.yaml"))

EVERY_PLACEMENT = {name: value for serving in RIGHT.values() for name, value in serving.items()}
PLATFORM_VALUES: dict[str, dict[str, Any]] = {
    "the defaults": {},
    "node ports and a volume by name": {
        "embeddedStore": {
            "service": {"type": "NodePort", "nodePort": 30833},
            "volumeName": "modelyard-store",
            "storageClassName": "",
        },
        "gateway": {
            "envoyImage": "registry.example/envoy:1.39.3",
            "replicas": 2,
            "service": {"type": "NodePort", "nodePort": 30080},
        },
    },
    "traces": {"gateway": {"tracing": {"enabled": True}}},
    "everything inside the cluster": {"gateway": {"service": {"type": "ClusterIP"}}},
    "a store and a gateway of your own": {
        "embeddedStore": {"enabled": False},
        "store": {"existingSecrets": {"writer": "s3-writer", "reader": "s3-reader"}},
        "gateway": {"create": False},
        "config": {"store": {"endpoint": "https://s3.example"}, "gateway": {"name": "shared", "namespace": "edge"}},
    },
    "a private registry, policies and placement": {
        "imagePullSecrets": ["registry"],
        "networkPolicy": {"enabled": True},
        "operator": {
            "replicas": 3,
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "tolerations": [{"key": "platform", "operator": "Exists", "effect": "NoSchedule"}],
            "serviceAccountAnnotations": {"example.com/role": "reader"},
            "podAnnotations": {"example.com/digest": "1"},
        },
        "builder": {"serviceAccountAnnotations": {"example.com/role": "writer"}},
    },
    "no runtimes of ours": {"runtimes": {"cpu": {"enabled": False}, "gpu": {"enabled": False}}},
}

MODEL_VALUES: dict[str, dict[str, Any]] = {
    "a version": {"source": {"version": "1"}},
    "a placement": {"source": {"version": "1"}, "serving": {**EVERY_PLACEMENT, "topologySpreadConstraints": []}},
    "an alias of another entry": {"source": {"name": "sentences", "alias": "champion"}},
    "everything": {
        "labels": {"team": "vision"},
        "annotations": {"example.com/owner": "vision"},
        "source": {"version": "2"},
        "slo": {
            "latency": {"percentile": 99.5, "threshold": "50ms"},
            "errorRate": "0.1%",
            "availability": "99.9%",
        },
        "serving": {"runtime": "cpu", "resources": {"requests": {"cpu": 1, "memory": "1Gi"}}},
        "scaling": {"minReplicas": 1, "maxReplicas": 3},
        "optimize": {
            "goal": "size",
            "maxQualityLoss": "0.5%",
            "precisions": ["fp16", "int8"],
            "budget": "30m",
            "wait": True,
        },
        "rollout": {
            "strategy": "Canary",
            "steps": [{"weight": 10, "hold": "2m"}, {"weight": 40, "pause": True}],
            "bake": "1h30m",
            "maxDuration": "4h",
            "maxRegression": "10%",
            "abortScaleDownDelay": "1h",
            "onInconclusive": "Hold",
            "loadTest": {},
        },
    },
    "an optimization with every default": {"source": {"version": "2"}, "optimize": {}},
    "a preview": {"source": {"version": "2"}, "rollout": {"strategy": "BlueGreen", "preview": {"pause": True}}},
    "a shadow": {"source": {"version": "2"}, "rollout": {"strategy": "Shadow", "shadow": {"then": "Canary"}}},
    "two kinds of users": {"source": {"version": "2"}, "rollout": {"strategy": "AB", "ab": {"cookie": "side"}}},
}


@pytest.mark.parametrize("values", PLATFORM_VALUES.values(), ids=PLATFORM_VALUES.keys())
def test_the_platform_is_accepted_with(apiserver: RealApiServer, values: dict[str, Any]) -> None:
    found = objects(template(PLATFORM, values))

    assert apiserver.complaint(yaml.safe_dump_all(found)) == ""


def test_objects_behind_the_prometheus_operator_are_the_only_ones_not_checked_here(apiserver: RealApiServer) -> None:
    on = {"enabled": True}
    parts = ("serviceMonitor", "podMonitor", "prometheusRule", "rulesConfigMap", "alertmanagerConfig", "dashboards")
    everything = {"monitoring": dict.fromkeys(parts, on), "networkPolicy": on}

    rendered = objects(template(PLATFORM, everything))
    known = [each for each in rendered if each["kind"] not in OUTSIDE]

    assert {each["kind"] for each in rendered if each not in known} == OUTSIDE
    assert apiserver.complaint(yaml.safe_dump_all(known)) == ""


@pytest.mark.parametrize("values", MODEL_VALUES.values(), ids=MODEL_VALUES.keys())
def test_a_model_is_accepted_with(apiserver: RealApiServer, values: dict[str, Any]) -> None:
    [model] = objects(template(MODEL, values, "digits", "demo"))

    assert apiserver.complaint(yaml.safe_dump(model)) == ""
    assert model["spec"]["source"]["name"] == values["source"].get("name", "digits")
    for part in ("slo", "serving", "scaling", "optimize", "rollout"):
        assert model["spec"].get(part) == values.get(part)


@pytest.mark.parametrize("file", PRESETS, ids=lambda file: file.stem)
def test_a_preset_is_accepted_and_its_file_says_the_same(apiserver: RealApiServer, file: Path) -> None:
    version = {"source": {"version": "2"}}

    [model] = objects(template(MODEL, {**version, "preset": file.stem}, "digits", "demo"))
    [by_file] = objects(template(MODEL, {**version, **yaml.safe_load(file.read_text())}, "digits", "demo"))

    assert apiserver.complaint(yaml.safe_dump(model)) == ""
    assert model == by_file
    assert model["spec"]["rollout"]["strategy"].lower() == file.stem.lower()


@pytest.mark.parametrize("file", sorted((MODEL / "presets" / "autoscaling").glob("*.yaml")), ids=lambda file: file.stem)
def test_a_preset_of_autoscaling_is_accepted_and_fields_of_scaling_replace_its_own(
    apiserver: RealApiServer, file: Path
) -> None:
    version = {"source": {"version": "1"}}
    [ready] = objects(template(MODEL, {**version, "autoscaling": file.stem}, "digits", "demo"))
    own = {**version, "autoscaling": file.stem, "scaling": {"maxReplicas": 20}}
    [changed] = objects(template(MODEL, own, "digits", "demo"))
    set_by_file = yaml.safe_load(file.read_text())["scaling"]

    assert ready["spec"]["scaling"] == set_by_file
    assert changed["spec"]["scaling"] == {**set_by_file, "maxReplicas": 20}
    assert apiserver.complaint(yaml.safe_dump(changed)) == ""


def test_a_field_of_the_rollout_replaces_the_one_of_the_preset(apiserver: RealApiServer) -> None:
    values = {
        "source": {"version": "2"},
        "preset": "ab",
        "rollout": {"ab": {"cookie": "side"}, "abortScaleDownDelay": "1h"},
    }

    [model] = objects(template(MODEL, values, "digits", "demo"))

    assert model["spec"]["rollout"] == {"strategy": "AB", "ab": {"cookie": "side"}, "abortScaleDownDelay": "1h"}
    assert apiserver.complaint(yaml.safe_dump(model)) == ""


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_a_sample_is_accepted(apiserver: RealApiServer, file: Path) -> None:
    text = file.read_text()

    assert apiserver.complaint(text) == ""
    models = [one for one in objects(text) if one["kind"] == "Model"]
    assert [Model.model_validate(keyless(one)).namespace for one in models] == ["demo"]


def test_there_is_a_sample_for_every_part_of_a_spec() -> None:
    specs = [one["spec"] for file in SAMPLES for one in objects(file.read_text()) if one["kind"] == "Model"]

    assert {part for spec in specs for part in spec} == {
        "source", "slo", "serving", "scaling", "optimize", "rollout", "monitoring", "retrain",
    }  # fmt: skip
    assert {key for spec in specs for key in spec["source"]} == {"name", "version", "alias"}
    assert {spec["rollout"]["strategy"] for spec in specs if "rollout" in spec} == set(Strategy)
    assert {spec["source"]["name"] for spec in specs} <= {folder.name for folder in (ROOT / "model-repo").iterdir()}


def test_pods_of_the_platform_pass_the_restricted_security_standard(apiserver: RealApiServer) -> None:
    level = [f"pod-security.kubernetes.io/{mode}=restricted" for mode in ("enforce", "warn")]
    apiserver.run("kubectl", "label", "--overwrite", "namespace", NAMESPACE, *level)
    workloads = [
        one for one in objects(template(PLATFORM)) if one["kind"] in ("Deployment", "StatefulSet", "Job", "Pod")
    ]

    how = ("--server-side", "--dry-run=server", "--force-conflicts", "-f", "-")  # Helm may own them on this server
    done = apiserver.run("kubectl", "apply", *how, stdin=yaml.safe_dump_all(workloads))

    assert len(workloads) == 5
    assert done.returncode == 0, done.stderr
    assert "violate" not in done.stderr


def keyless(document: dict[str, Any]) -> dict[str, Any]:
    """The parts of an object that a Model type reads."""
    return {part: document[part] for part in ("metadata", "spec")}


def test_a_placement_is_handed_on_as_it_is_and_an_empty_list_too() -> None:
    [model] = objects(template(MODEL, MODEL_VALUES["a placement"]))

    assert model["spec"]["serving"] == {**EVERY_PLACEMENT, "topologySpreadConstraints": []}
