"""One file names every version; everything that names one again agrees with it."""

import re

import yaml

from localcluster.binaries import JOINT
from localcluster.catalogue import LOCAL_FOLDER, local_images
from localcluster.release import VALUES
from localcluster.versions import local_image, module, table, version


def required(path: str) -> str:
    found = re.search(rf"^\s*{re.escape(path)} v(\S+)", (JOINT / "go.mod").read_text(), re.MULTILINE)
    assert found, f"go.mod does not require {path}"
    return found[1]


def test_the_joint_module_requires_the_versions_of_the_table():
    assert required("k8s.io/kubernetes") == version("kubernetes")
    assert required("go.etcd.io/etcd/server/v3") == version("etcd")
    assert required("github.com/coredns/coredns") == version("coredns")
    assert required(module("envoy-gateway")[0]) == version("envoy-gateway")
    assert required(module("gateway-api")[0]) == version("gateway-api")


def test_the_joint_module_needs_no_newer_go_than_the_table_says():
    found = re.search(r"^go (\S+)$", (JOINT / "go.mod").read_text(), re.MULTILINE)
    assert found is not None
    assert found[1] == table()["go"]["minimum"]


def test_the_storage_library_in_its_image_has_kserve_s_version():
    text = (LOCAL_FOLDER / "storage-initializer" / "requirements.txt").read_text()
    assert f"kserve-storage=={version('kserve')} " in text
    assert version("storage-initializer") == version("kserve")


def test_the_chart_gets_exactly_the_images_that_are_built_here():
    values = yaml.safe_load(VALUES.read_text())
    assert values["embeddedStore"]["image"] == local_image("seaweedfs")
    assert values["gateway"]["envoyImage"] == local_image("envoy")


def test_every_infrastructure_image_has_a_recipe_and_every_recipe_is_built():
    folders = {folder.name for folder in LOCAL_FOLDER.iterdir() if (folder / "Dockerfile").exists()}
    assert {image.name for image in local_images()} == folders


def test_no_image_is_called_latest_and_none_runs_as_root_or_as_a_name():
    for image in local_images():
        assert not image.reference.endswith(":latest")
        users = re.findall(r"^USER (\d+):\d+$", image.dockerfile.read_text(), re.MULTILINE)
        assert users, f"{image.name} has no numeric USER"
        assert int(users[-1]) > 0
