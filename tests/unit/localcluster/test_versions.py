"""One file names every version; everything that names one again agrees with it."""

import re
from pathlib import Path

import pytest
import yaml

from localcluster.image_builds.catalogue import LOCAL_FOLDER, local_images, platform_images
from localcluster.install.release import VALUES
from localcluster.paths import PLATFORM
from localcluster.programs.binaries import COLLECTOR, JOINT
from localcluster.versions import local_image, module, table, version


def required(path: str, folder: Path = JOINT) -> str:
    found = re.search(rf"^\s*{re.escape(path)} v(\S+)", (folder / "go.mod").read_text(), re.MULTILINE)
    assert found, f"go.mod does not require {path}"
    return found[1]


def test_the_joint_module_requires_the_versions_of_the_table():
    assert required("k8s.io/kubernetes") == version("kubernetes")
    assert required("go.etcd.io/etcd/server/v3") == version("etcd")
    assert required("github.com/coredns/coredns") == version("coredns")
    assert required(module("envoy-gateway")[0]) == version("envoy-gateway")
    assert required(module("gateway-api")[0]) == version("gateway-api")
    assert required(module("kserve")[0]) == version("kserve")
    assert required(module("keda")[0]) == version("keda")
    assert required(module("opentelemetry-operator")[0]) == version("opentelemetry-operator")


def test_the_parts_of_the_collector_have_the_version_of_the_table():
    assert required("go.opentelemetry.io/collector/otelcol", COLLECTOR) == version("opentelemetry-collector")


@pytest.mark.parametrize("folder", [JOINT, COLLECTOR], ids=lambda folder: folder.name)
def test_modules_of_ours_need_no_newer_go_than_the_table_says(folder: Path):
    found = re.search(r"^go (\S+)$", (folder / "go.mod").read_text(), re.MULTILINE)
    assert found is not None
    assert found[1] == table()["go"]["minimum"]


def test_the_storage_library_in_its_image_has_kserve_s_version():
    text = (LOCAL_FOLDER / "storage-initializer" / "requirements.txt").read_text()
    assert f"kserve-storage=={version('kserve')} " in text
    assert version("storage-initializer") == version("kserve")


def test_mlflow_s_image_holds_its_server_in_the_table_s_version_and_a_client_of_the_store():
    lines = (LOCAL_FOLDER / "mlflow" / "requirements.txt").read_text().splitlines()
    assert f"mlflow=={version('mlflow')}" in lines
    assert f"mlflow=={version('mlflow')}" in (LOCAL_FOLDER / "mlflow" / "requirements.in").read_text().splitlines()
    assert [line for line in lines if line.startswith("boto3==")]


def test_the_chart_gets_exactly_the_images_that_are_built_here():
    values = yaml.safe_load(VALUES.read_text())
    assert values["embeddedStore"]["image"] == local_image("seaweedfs")
    assert values["gateway"]["envoyImage"] == local_image("envoy")


def test_every_infrastructure_image_has_a_recipe_and_every_recipe_is_built():
    folders = {folder.name for folder in LOCAL_FOLDER.iterdir() if (folder / "Dockerfile").exists()}
    assert {image.name for image in local_images()} == folders


def stages(dockerfile: Path) -> list[str]:
    """The text of each stage, from its FROM to the next."""
    text = dockerfile.read_text()
    return ["FROM" + stage.rstrip() for stage in text[text.index("FROM") :].split("FROM")[1:]]


def test_images_with_python_begin_with_the_same_stage_so_that_they_share_its_layers():
    platform = {image.name: image.dockerfile for image in platform_images()}
    storage, mlflow = (LOCAL_FOLDER / name / "Dockerfile" for name in ("storage-initializer", "mlflow"))
    files = (storage, mlflow, platform["operator"], platform["triton-cpu"], platform["builder"])
    begin = {stages(file)[0] for file in files}
    assert len(begin) == 1
    assert "python3" in begin.pop()


def test_the_builder_takes_from_triton_s_image_what_it_would_have_in_the_very_same_version():
    platform = {image.name: image.dockerfile for image in platform_images()}
    shared = re.search(r"slim\.py /opt/tritonserver/site (.+)", platform["builder"].read_text())
    assert shared is not None
    pinned = (PLATFORM / "constraints.txt").read_text()
    served = (platform["triton-cpu"].parent / "requirements.txt").read_text()
    for name in shared[1].split():
        found = re.search(rf"^{name}==\S+", served, re.MULTILINE)
        assert found is not None, f"Triton's image holds no {name}"
        assert re.search(rf"^{re.escape(found[0])}(?!\S)", pinned, re.MULTILINE), f"the builder wants another {name}"


def test_no_image_is_called_latest_and_none_runs_as_root_or_as_a_name():
    for image in local_images():
        assert not image.reference.endswith(":latest")
        users = re.findall(r"^USER (\d+):\d+$", image.dockerfile.read_text(), re.MULTILINE)
        assert users, f"{image.name} has no numeric USER"
        assert int(users[-1]) > 0
