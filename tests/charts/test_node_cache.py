"""`nodeCache` of the platform's chart: a cache on every node, and pods of Models that are sent there."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard.settings import Settings
from tests.support.repository.charts import NAMESPACE, PLATFORM, complaint, helm, objects, one, template

TAINT = {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}
VALUES = {"nodeCache": {"size": "10Gi", "nodeSelector": {"pool": "models"}, "tolerations": [TAINT]}}


@pytest.fixture(scope="module")
def rendered() -> list[dict[str, Any]]:
    return objects(template(PLATFORM, VALUES))


def test_it_keeps_builds_in_a_volume_of_that_size_on_the_nodes_of_models(rendered: list[dict[str, Any]]) -> None:
    pod = one(rendered, "DaemonSet", "modelyard-nodecache")["spec"]["template"]["spec"]
    [container] = pod["containers"]

    assert (pod["nodeSelector"], pod["tolerations"]) == ({"pool": "models"}, [TAINT])
    assert container["args"] == ["nodecache", "--folder", "/cache", "--keys", "/keys", "--size", "10Gi"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert volumes["cache"]["emptyDir"] == {"sizeLimit": "10Gi"}
    assert volumes["keys"]["secret"]["secretName"] == "modelyard-store-reader"


def test_its_pods_may_run_where_pod_security_is_restricted(rendered: list[dict[str, Any]]) -> None:
    pod = one(rendered, "DaemonSet", "modelyard-nodecache")["spec"]["template"]["spec"]
    [container] = pod["containers"]

    assert not [volume for volume in pod["volumes"] if "hostPath" in volume]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert container["resources"]["limits"]["memory"]


def test_no_key_is_in_its_environment(rendered: list[dict[str, Any]]) -> None:
    [container] = one(rendered, "DaemonSet", "modelyard-nodecache")["spec"]["template"]["spec"]["containers"]

    assert {row["name"]: row["value"] for row in container["env"]} == {
        "MODELYARD_LOG_LEVEL": "info",
        "MODELYARD_STORE_ENDPOINT": f"http://modelyard-store.{NAMESPACE}.svc.cluster.local:8333",
        "MODELYARD_STORE_BUCKET": "modelyard",
        "MODELYARD_STORE_REGION": "us-east-1",
    }


def test_pods_of_models_are_sent_there_and_build_jobs_are_not(
    rendered: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = one(rendered, "Service", "modelyard-nodecache")
    file = tmp_path / "config.yaml"
    file.write_text(one(rendered, "ConfigMap", "modelyard-operator")["data"]["config.yaml"])
    monkeypatch.setenv("MODELYARD_CONFIG", str(file))
    store = Settings.read().store

    assert store.serving_endpoint == f"http://modelyard-nodecache.{NAMESPACE}.svc.cluster.local:8334"
    assert store.endpoint == f"http://modelyard-store.{NAMESPACE}.svc.cluster.local:8333"
    assert [port["port"] for port in service["spec"]["ports"]] == [8334]


@pytest.mark.parametrize(
    ("version", "kept_to_the_node"),
    [("1.33.4", {"internalTrafficPolicy": "Local"}), ("1.34.0", {"trafficDistribution": "PreferSameNode"})],
)
def test_pods_reach_the_cache_of_their_own_node(version: str, kept_to_the_node: dict[str, str]) -> None:
    words = ("template", "modelyard", PLATFORM, "-n", NAMESPACE, "--kube-version", version, "-f", "-")
    service = one(objects(helm(*words, stdin=yaml.safe_dump(VALUES)).stdout), "Service", "modelyard-nodecache")["spec"]

    told = ("internalTrafficPolicy", "trafficDistribution")
    assert {name: service[name] for name in told if name in service} == kept_to_the_node


def test_it_stays_when_the_release_goes_because_pods_of_models_are_sent_there(rendered: list[dict[str, Any]]) -> None:
    for kind in ("DaemonSet", "Service"):
        annotations = one(rendered, kind, "modelyard-nodecache")["metadata"]["annotations"]
        assert annotations["helm.sh/resource-policy"] == "keep"


def test_nothing_of_it_is_there_unless_somebody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = objects(template(PLATFORM))
    file = tmp_path / "config.yaml"
    file.write_text(one(made, "ConfigMap", "modelyard-operator")["data"]["config.yaml"])
    monkeypatch.setenv("MODELYARD_CONFIG", str(file))

    assert not [each for each in made if "nodecache" in each["metadata"]["name"]]
    assert Settings.read().store.serving_endpoint == ""


@pytest.mark.parametrize("size", ["10GB", "much", "-1Gi", "10"])
def test_what_is_no_size_is_refused(size: str) -> None:
    assert "nodeCache.size" in complaint(PLATFORM, {"nodeCache": {"size": size}})
