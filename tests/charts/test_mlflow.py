"""The sync with MLflow in the platform's chart: only where there is an MLflow, with credentials from a Secret alone."""

from typing import Any

import pytest

from tests.support.repository.charts import MODEL, PLATFORM, complaint, objects, one, pod_templates, template

URL = "https://mlflow.example.com"
LOGIN = {"config": {"mlflow": {"url": URL}}, "mlflow": {"existingSecret": "login", "caConfigMap": "authorities"}}


def sync_of(values: dict[str, Any]) -> dict[str, Any]:
    [container] = pod_templates(objects(template(PLATFORM, values)))["Deployment/modelyard-mlflow"]["containers"]
    return container


def test_without_an_mlflow_nobody_asks_one() -> None:
    made = objects(template(PLATFORM))

    assert [each["metadata"]["name"] for each in made if "mlflow" in each["metadata"]["name"]] == []


def test_the_sync_may_read_models_and_write_the_store_and_is_restricted() -> None:
    made = objects(template(PLATFORM, LOGIN))
    container = sync_of(LOGIN)

    assert one(made, "ClusterRole", "modelyard-mlflow")["rules"] == [
        {"apiGroups": ["modelyard.dev"], "resources": ["models"], "verbs": ["list", "watch"]}
    ]
    assert (container["image"], container["args"]) == (
        "docker.io/modelyard/builder:0.1.0", ["mlflow", "sync", "--watch"]
    )  # fmt: skip
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert one(made, "Service", "modelyard-mlflow")["spec"]["ports"][0]["port"] == 9090
    assert one(made, "Deployment", "modelyard-mlflow")["spec"]["strategy"] == {"type": "Recreate"}


def test_credentials_come_from_secrets_and_authorities_from_a_config_map() -> None:
    environment = {each["name"]: each for each in sync_of(LOGIN)["env"]}

    for name, key in (("USERNAME", "username"), ("PASSWORD", "password"), ("TOKEN", "token")):
        source = environment[f"MODELYARD_MLFLOW_{name}"]["valueFrom"]["secretKeyRef"]
        assert source == {"name": "login", "key": key, "optional": True}
    assert environment["MODELYARD_STORE_SECRET_ACCESS_KEY"]["valueFrom"]["secretKeyRef"] == {
        "name": "modelyard-store-writer", "key": "secretAccessKey"
    }  # fmt: skip
    assert environment["MODELYARD_MLFLOW_CA_FILE"]["value"] == "/etc/mlflow/ca.crt"
    without = {each["name"] for each in sync_of({"config": {"mlflow": {"url": URL}}})["env"]}
    assert "MODELYARD_MLFLOW_PASSWORD" not in without
    assert "MODELYARD_MLFLOW_CA_FILE" not in without


@pytest.mark.parametrize(
    "mlflow", [{"url": "mlflow"}, {"url": "https://me:pw@mlflow"}, {"password": "x"}, {"promotedAlias": "a b"}]
)
def test_values_that_are_no_use_or_no_place_for_a_password_are_refused(mlflow: dict[str, Any]) -> None:
    assert "config.mlflow" in complaint(PLATFORM, {"config": {"mlflow": mlflow}})


def test_a_model_of_the_chart_may_name_one_of_mlflows() -> None:
    source = {"registry": "mlflow", "name": "fraud", "alias": "champion"}
    [model] = objects(template(MODEL, {"source": source}))

    assert model["spec"]["source"] == source
    assert "source.registry" in complaint(MODEL, {"source": {**source, "registry": "elsewhere"}})
