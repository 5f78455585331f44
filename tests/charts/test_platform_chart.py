"""charts/modelyard: what it renders, refuses and keeps."""

import base64
import json
import re
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from modelyard.api.crd import model_crd
from modelyard.operator.process import HAND_OVER_SECONDS
from modelyard.operator.rbac import RIGHTS
from modelyard.settings import Settings
from tests.support.operator.real_apiserver import RealApiServer
from tests.support.repository.charts import NAMESPACE, PLATFORM, complaint, helm, objects, one, pod_templates, template

KNOWN_BY_THE_CHART = {
    *(f"mlflow.{name}" for name in ("username", "password", "token", "caFile", "webhookSecret")),
    "recorder.installed",
    "recorder.key",
    "signing.keyFile",
    "store.accessKeyId",
    "store.servingEndpoint",
    "store.secretAccessKey",
    "operator.namespace",
    "operator.identity",
}
TRITON = "docker.io/modelyard/triton-cpu:0.1.0"


@pytest.fixture(scope="module")
def rendered() -> list[dict[str, Any]]:
    return objects(template(PLATFORM))


def leaves(tree: Any, at: str = "") -> dict[str, Any]:
    """Every leaf of nested mappings by its dotted path."""
    if not isinstance(tree, dict) or not tree:
        return {at: tree}
    return {path: leaf for key, value in tree.items() for path, leaf in leaves(value, f"{at}.{key}".strip(".")).items()}


def plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def test_the_chart_passes_helms_own_lint() -> None:
    done = helm("lint", "--strict", PLATFORM)

    assert done.returncode == 0, done.stdout


def test_config_has_the_names_and_the_defaults_of_the_settings() -> None:
    defaults = Settings.model_construct().model_dump(by_alias=True)
    wanted = {path: plain(leaf) for path, leaf in leaves(defaults).items() if path not in KNOWN_BY_THE_CHART}

    assert leaves(yaml.safe_load((PLATFORM / "values.yaml").read_text())["config"]) == wanted


def test_the_kubelet_waits_until_the_operator_has_handed_over(rendered: list[dict[str, Any]]) -> None:
    pod = one(rendered, "Deployment", "modelyard-operator")["spec"]["template"]["spec"]

    assert pod["terminationGracePeriodSeconds"] >= HAND_OVER_SECONDS + 5


def test_the_operators_configuration_file_is_read_back_as_settings(
    rendered: list[dict[str, Any]], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(one(rendered, "ConfigMap", "modelyard-operator")["data"]["config.yaml"])
    monkeypatch.setenv("MODELYARD_CONFIG", str(file))

    settings = Settings.read()

    assert settings.operator.namespace == NAMESPACE
    assert settings.store.endpoint == f"http://modelyard-store.{NAMESPACE}.svc.cluster.local:8333"
    assert settings.build == Settings.model_construct().build


def test_a_fraction_may_be_given_on_helms_command_line_where_it_is_text(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = helm("template", "modelyard", PLATFORM, "--set", "config.prices.cpuCoreHour=0.04")
    assert done.returncode == 0, done.stderr
    file = tmp_path / "config.yaml"
    file.write_text(one(objects(done.stdout), "ConfigMap", "modelyard-operator")["data"]["config.yaml"])
    monkeypatch.setenv("MODELYARD_CONFIG", str(file))

    assert Settings.read().prices.cpu_core_hour == 0.04
    refused = helm("template", "modelyard", PLATFORM, "--set", "config.prices.cpuCoreHour=dear").stderr
    assert "config.prices.cpuCoreHour" in refused


def test_the_operator_gets_its_credentials_and_its_name_from_kubernetes(rendered: list[dict[str, Any]]) -> None:
    [container] = pod_templates(rendered)["Deployment/modelyard-operator"]["containers"]
    sources = {each["name"]: each.get("valueFrom") for each in container["env"]}

    assert sources["MODELYARD_STORE_SECRET_ACCESS_KEY"] == {
        "secretKeyRef": {"name": "modelyard-store-reader", "key": "secretAccessKey"}
    }
    assert sources["MODELYARD_OPERATOR_IDENTITY"] == {"fieldRef": {"fieldPath": "metadata.name"}}


@pytest.mark.parametrize(("kind", "scope"), [("ClusterRole", "cluster"), ("Role", "platform")])
def test_the_operator_may_do_exactly_what_its_code_does(rendered: list[dict[str, Any]], kind: str, scope: str) -> None:
    granted = {
        (group, resource, verb)
        for rule in one(rendered, kind, "modelyard-operator")["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    used = {(right.group, right.resource, verb) for right in RIGHTS if right.scope == scope for verb in right.verbs}

    assert granted == used


def test_build_pods_get_no_access_to_the_api_server(rendered: list[dict[str, Any]]) -> None:
    account = one(rendered, "ServiceAccount", "modelyard-builder")
    bound = [
        subject["name"] for each in rendered if each["kind"].endswith("RoleBinding") for subject in each["subjects"]
    ]

    assert account["automountServiceAccountToken"] is False
    assert account["metadata"]["name"] not in bound


@pytest.mark.parametrize(
    ("values", "images"),
    [
        ({}, [TRITON]),
        ({"prePull": {"images": ["docker.io/a:1", "docker.io/a:1"]}}, [TRITON, "docker.io/a:1"]),
        ({"runtimes": {"cpu": {"enabled": False}}, "prePull": {"images": ["docker.io/a:1"]}}, ["docker.io/a:1"]),
    ],
)
def test_images_of_servers_are_kept_on_the_nodes_that_models_run_on(values: dict[str, Any], images: list[str]) -> None:
    taint = {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}
    kept = {"enabled": True, "nodeSelector": {"pool": "models"}, "tolerations": [taint]}
    made = objects(template(PLATFORM, {**values, "prePull": {**values.get("prePull", {}), **kept}}))
    pod = one(made, "DaemonSet", "modelyard-prepull")["spec"]["template"]["spec"]

    assert [container["image"] for container in pod["containers"]] == images
    assert len({container["name"] for container in pod["containers"]}) == len(images)
    assert (pod["nodeSelector"], pod["tolerations"]) == ({"pool": "models"}, [taint])


def test_nothing_is_kept_on_nodes_unless_somebody_asks(rendered: list[dict[str, Any]]) -> None:
    assert [each["kind"] for each in rendered if each["kind"] == "DaemonSet"] == []


def test_every_container_is_restricted_and_says_what_it_needs() -> None:
    pods = pod_templates(objects(template(PLATFORM, {"prePull": {"enabled": True}})))

    assert len(pods) == 6
    for name, pod in pods.items():
        security = pod["securityContext"]
        assert security["runAsNonRoot"], name
        assert security["runAsUser"] >= 1000, name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in pod["containers"]:
            closed = container["securityContext"]
            assert closed["readOnlyRootFilesystem"], name
            assert not closed["allowPrivilegeEscalation"], name
            assert closed["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["requests"], name
            assert container["resources"]["limits"]["memory"], name


def test_every_image_is_pinned(rendered: list[dict[str, Any]]) -> None:
    containers = [container for pod in pod_templates(rendered).values() for container in pod["containers"]]
    runtimes = [each for each in rendered if each["kind"] == "ClusterServingRuntime"]
    containers += [container for runtime in runtimes for container in runtime["spec"]["containers"]]
    config = yaml.safe_load(one(rendered, "ConfigMap", "modelyard-operator")["data"]["config.yaml"])

    images = [container["image"] for container in containers] + [config["build"]["image"]]

    assert len(images) == 8
    assert [image for image in images if not re.search(r":[\w.-]+$", image) or image.endswith(":latest")] == []


def test_runtimes_are_restricted_kept_and_chosen_by_name_alone(rendered: list[dict[str, Any]]) -> None:
    runtimes = runtimes_of(rendered)

    assert set(runtimes) == {"modelyard-triton-cpu-v2", "modelyard-triton-v1"}
    for runtime in runtimes.values():
        [container] = runtime["spec"]["containers"]
        assert runtime["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
        assert [each["autoSelect"] for each in runtime["spec"]["supportedModelFormats"]] == [False]
        ports = {each["name"]: each["containerPort"] for each in container["ports"]}
        assert ports == {"http": 8080, "grpc": 9000, "metrics": 8002}
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["securityContext"]["runAsUser"] == 1000
        assert "readinessProbe" not in container
    gpu = runtimes["modelyard-triton-v1"]["spec"]["containers"][0]
    assert gpu["resources"]["limits"]["nvidia.com/gpu"] == 1


def runtimes_of(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The runtimes by their names without the hash."""
    made = {each["metadata"]["name"]: each for each in found if each["kind"] == "ClusterServingRuntime"}
    assert all(re.fullmatch(r"[a-z0-9-]+-[0-9a-f]{8}", name) for name in made)
    return {name.rpartition("-")[0]: runtime for name, runtime in made.items()}


def chosen(found: list[dict[str, Any]]) -> dict[str, str]:
    """The runtimes that the operator makes new revisions with, by setting."""
    config = yaml.safe_load(one(found, "ConfigMap", "modelyard-operator")["data"]["config.yaml"])
    return {name: config["serving"][name] for name in ("cpuRuntime", "gpuRuntime")}


@pytest.mark.parametrize(
    "changed",
    [
        {"image": "docker.io/modelyard/triton-cpu:0.2.0"},
        {"resources": {"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"memory": "2Gi"}}},
        {"sharedMemory": "1Gi"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_changed_value_of_a_runtime_makes_another_runtime(
    rendered: list[dict[str, Any]], changed: dict[str, Any]
) -> None:
    found = objects(template(PLATFORM, {"runtimes": {"cpu": changed}}))

    before, after = runtimes_of(rendered), runtimes_of(found)
    names = {name: runtime["metadata"]["name"] for name, runtime in after.items()}
    assert names["modelyard-triton-cpu-v2"] != before["modelyard-triton-cpu-v2"]["metadata"]["name"]
    assert names["modelyard-triton-v1"] == before["modelyard-triton-v1"]["metadata"]["name"]
    assert chosen(found) == {"cpuRuntime": names["modelyard-triton-cpu-v2"], "gpuRuntime": names["modelyard-triton-v1"]}


def test_a_runtimes_name_does_not_change_with_the_rest(rendered: list[dict[str, Any]]) -> None:
    found = objects(template(PLATFORM, {"operator": {"replicas": 3}, "gateway": {"replicas": 3}}))

    assert chosen(found) == chosen(rendered)


def test_a_runtime_of_your_own_is_called_as_you_say() -> None:
    own = {"runtimes": {"cpu": {"enabled": False}}, "config": {"serving": {"cpuRuntime": "our-triton"}}}

    assert chosen(objects(template(PLATFORM, own)))["cpuRuntime"] == "our-triton"
    assert "at most 54 characters" in complaint(PLATFORM, {"config": {"serving": {"cpuRuntime": "x" * 55}}})


def test_what_serving_needs_stays_when_the_release_goes(rendered: list[dict[str, Any]]) -> None:
    kept = {
        (each["kind"], each["metadata"]["name"])
        for each in rendered
        if each["metadata"].get("annotations", {}).get("helm.sh/resource-policy") == "keep"
    }

    assert {(kind, name) for kind, name in kept if kind != "ClusterServingRuntime"} == {
        ("CustomResourceDefinition", "models.modelyard.dev"),
        ("GatewayClass", "modelyard"), ("Gateway", "modelyard"), ("EnvoyProxy", "modelyard"),
        ("BackendTrafficPolicy", "modelyard"), ("ClientTrafficPolicy", "modelyard"), ("StatefulSet", "modelyard-store"),
        ("Service", "modelyard-store"),
        *(("Secret", f"modelyard-store-{name}") for name in ("admin", "identities", "reader", "writer")),
    }  # fmt: skip
    assert len([kind for kind, _ in kept if kind == "ClusterServingRuntime"]) == 2


def test_the_store_knows_the_very_credentials_that_its_users_get(rendered: list[dict[str, Any]]) -> None:
    identities = json.loads(one(rendered, "Secret", "modelyard-store-identities")["stringData"]["s3.json"])
    known = {each["name"]: each for each in identities["identities"]}

    for name in ("writer", "reader", "admin"):
        secret = one(rendered, "Secret", f"modelyard-store-{name}")["stringData"]
        [credentials] = known[name]["credentials"]
        assert credentials == {"accessKey": secret["accessKeyId"], "secretKey": secret["secretAccessKey"]}
    assert known["reader"]["actions"] == ["Read:modelyard", "List:modelyard"]
    assert not [action for action in known["writer"]["actions"] if action.startswith("Admin")]
    assert len({each["credentials"][0]["secretKey"] for each in known.values()}) == 3


def test_the_resource_definition_is_the_generated_one_and_stays_when_the_release_goes(
    rendered: list[dict[str, Any]],
) -> None:
    found = one(rendered, "CustomResourceDefinition", "models.modelyard.dev")

    assert found == model_crd()
    assert found["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_a_store_of_your_own_needs_its_secrets_named() -> None:
    own = {"embeddedStore": {"enabled": False}}
    named = {**own, "store": {"existingSecrets": {"writer": "s3-writer", "reader": "s3-reader"}}}

    found = objects(template(PLATFORM, named))

    assert "store.existingSecrets.writer and .reader" in complaint(PLATFORM, own)
    assert "for a store of your own" in complaint(PLATFORM, {"store": {"existingSecrets": {"writer": "s3-writer"}}})
    assert not [each for each in found if each["kind"] in ("Secret", "StatefulSet")]
    config = yaml.safe_load(one(found, "ConfigMap", "modelyard-operator")["data"]["config.yaml"])
    assert config["store"]["writerSecret"] == "s3-writer"
    assert config["store"]["endpoint"] == ""
    [container] = pod_templates(found)["Deployment/modelyard-operator"]["containers"]
    assert {"secretKeyRef": {"name": "s3-reader", "key": "accessKeyId"}} in [
        each.get("valueFrom") for each in container["env"]
    ]


def test_a_gateway_of_your_own_is_used_and_not_made() -> None:
    found = objects(
        template(
            PLATFORM, {"gateway": {"create": False}, "config": {"gateway": {"name": "shared", "namespace": "edge"}}}
        )
    )

    made = ("Gateway", "GatewayClass", "EnvoyProxy", "BackendTrafficPolicy", "ClientTrafficPolicy")
    assert not [each for each in found if each["kind"] in made]
    config = yaml.safe_load(one(found, "ConfigMap", "modelyard-operator")["data"]["config.yaml"])
    assert (config["gateway"]["name"], config["gateway"]["namespace"]) == ("shared", "edge")


def test_what_is_behind_flags_appears_with_them() -> None:
    behind = {"ServiceMonitor", "PodMonitor", "PrometheusRule", "NetworkPolicy"}
    on = {"enabled": True}
    flags = {
        "monitoring": {"serviceMonitor": on, "podMonitor": on, "prometheusRule": on},
        "networkPolicy": {"enabled": True},
    }

    assert not behind & {each["kind"] for each in objects(template(PLATFORM))}
    assert behind <= {each["kind"] for each in objects(template(PLATFORM, flags))}


def test_an_upgrade_keeps_the_credentials(apiserver: RealApiServer) -> None:
    first = credentials_after_an_upgrade(apiserver)

    second = credentials_after_an_upgrade(apiserver)

    assert second == first
    assert len(base64.b64decode(first["modelyard-store-writer"]["secretAccessKey"])) == 40


def test_changed_runtimes_can_be_rolled_back_and_none_is_lost_or_edited(apiserver: RealApiServer) -> None:
    release = ("upgrade", "--install", "modelyard", str(PLATFORM), "-n", NAMESPACE, "--no-hooks", "--take-ownership")
    for size in ("512Mi", "513Mi", "514Mi"):
        done = apiserver.run("helm", *release, "--set", f"runtimes.cpu.sharedMemory={size}")
        assert done.returncode == 0, done.stderr
    before = runtimes_in(apiserver)

    done = apiserver.run("helm", "rollback", "modelyard", "-n", NAMESPACE, "--no-hooks")

    assert done.returncode == 0, done.stderr
    assert runtimes_in(apiserver) == before
    assert len([name for name, _ in before if name.startswith("modelyard-triton-cpu-v2-")]) >= 3
    assert {generation for _, generation in before} == {1}


def runtimes_in(apiserver: RealApiServer) -> list[tuple[str, int]]:
    """Name and generation of every runtime there is."""
    found = json.loads(apiserver.run("kubectl", "get", "clusterservingruntimes", "-o", "json").stdout)["items"]
    return sorted((each["metadata"]["name"], each["metadata"]["generation"]) for each in found)


def credentials_after_an_upgrade(apiserver: RealApiServer) -> dict[str, dict[str, str]]:
    """Data of the store's Secrets, and the digest that restarts the store, once the chart was installed or upgraded."""
    release = ("upgrade", "--install", "modelyard", str(PLATFORM), "-n", NAMESPACE)
    done = apiserver.run("helm", *release, "--no-hooks", "--take-ownership")
    assert done.returncode == 0, done.stderr
    secrets = apiserver.run("kubectl", "get", "secrets", "-n", NAMESPACE, "-o", "json").stdout
    store = apiserver.run("kubectl", "get", "statefulset", "modelyard-store", "-n", NAMESPACE, "-o", "json").stdout
    found = {each["metadata"]["name"]: each["data"] for each in json.loads(secrets)["items"]}
    return {
        "restart": json.loads(store)["spec"]["template"]["metadata"]["annotations"],
        **{name: data for name, data in found.items() if name.startswith("modelyard-store-")},
    }


def test_labels_come_to_the_recorders_by_every_models_path_and_by_post_alone() -> None:
    made = objects(template(PLATFORM, {"recorder": {"replicas": 1}, "networkPolicy": {"enabled": True}}))
    [rule] = one(made, "HTTPRoute", "modelyard-feedback")["spec"]["rules"]
    [match] = rule["matches"]
    assert match["method"] == "POST"
    assert re.fullmatch(match["path"]["value"], "/demo/loans-2/feedback")
    for other in ("/demo/feedback", "/demo/loans/feedback/", "/demo/loans/v2/feedback", "/demo/loans/infer"):
        assert not re.fullmatch(match["path"]["value"], other)
    [backend] = rule["backendRefs"]
    ports = {port["name"]: port["port"] for port in one(made, "Service", backend["name"])["spec"]["ports"]}
    assert ports["feedback"] == backend["port"]
    [gateway_alone, _] = one(made, "NetworkPolicy", "modelyard-recorder")["spec"]["ingress"]
    assert {port["port"] for port in gateway_alone["ports"]} == {ports["grpc"], ports["feedback"]}
    assert not [thing for thing in objects(template(PLATFORM)) if thing["metadata"]["name"] == "modelyard-feedback"]
