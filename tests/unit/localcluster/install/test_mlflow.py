"""MLflow as it is applied here: its keys in a Secret alone, and a server that answers to the name the chart is told."""

from pathlib import Path
from typing import Any

from localcluster.image_builds.steps import Making
from localcluster.install import release
from localcluster.install.mlflow import NAMESPACE, objects
from localcluster.paths import Paths
from localcluster.versions import local_image

KEYS = {"accessKeyId": "the-id", "secretAccessKey": "the-key", "more": "no"}


def made() -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in objects(Path("/state/mlflow"), KEYS)}


def container() -> dict[str, Any]:
    return made()["Deployment"]["spec"]["template"]["spec"]["containers"][0]


def test_the_keys_of_the_store_are_in_a_secret_and_nowhere_else() -> None:
    secret = made()["Secret"]
    others = [one for one in objects(Path("/state/mlflow"), KEYS) if one["kind"] != "Secret"]

    assert secret["stringData"] == {"accessKeyId": "the-id", "secretAccessKey": "the-key"}
    assert "the-key" not in str(others)
    named = [row["valueFrom"]["secretKeyRef"] for row in container()["env"] if "valueFrom" in row]
    assert {(row["name"], row["key"]) for row in named} == {
        (secret["metadata"]["name"], key) for key in secret["stringData"]
    }


def test_the_server_takes_requests_by_the_name_that_the_chart_is_told() -> None:
    [allowed] = [word.partition("=")[2] for word in container()["args"] if word.startswith("--allowed-hosts=")]
    service = made()["Service"]

    told = release.MLFLOW_INSIDE.removeprefix("http://")
    assert told in allowed.split(",")
    assert told == f"{service['metadata']['name']}.{NAMESPACE}:{service['spec']['ports'][0]['port']}"
    assert release.MLFLOW.endswith(f":{service['spec']['ports'][0]['nodePort']}")


def test_its_database_lies_on_the_volume_that_its_claim_is_bound_to() -> None:
    found = made()
    volume = found["PersistentVolume"]

    assert volume["spec"]["hostPath"]["path"] == "/state/mlflow"
    assert volume["spec"]["claimRef"]["name"] == found["PersistentVolumeClaim"]["metadata"]["name"]
    assert found["PersistentVolumeClaim"]["spec"]["volumeName"] == volume["metadata"]["name"]
    assert "--backend-store-uri=sqlite:////data/mlflow.db" in container()["args"]
    assert {"name": "data", "mountPath": "/data"} in container()["volumeMounts"]


def test_it_is_built_only_where_it_was_chosen(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "home", tmp_path / "cache")

    names = {chosen: {image.name for image in Making(paths, chosen).images} for chosen in ((), ("mlflow",))}

    assert "mlflow" not in names[()]
    assert "mlflow" in names["mlflow",]
    assert release.has_mlflow({local_image("mlflow"): "digest"})
    assert not release.has_mlflow({})
