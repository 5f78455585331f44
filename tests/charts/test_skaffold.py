"""skaffold.yaml builds the images that the charts deploy, from the Dockerfiles that are there."""

import re
from typing import Any

import pytest
import yaml

from modelyard import __version__
from tests.support.operator.real_apiserver import RealApiServer
from tests.support.repository.charts import LOADTEST, MODEL, PLATFORM, ROOT, helm, objects, one

SKAFFOLD: dict[str, Any] = yaml.safe_load((ROOT / "skaffold.yaml").read_text())
ARTIFACTS = {artifact["image"]: artifact for artifact in SKAFFOLD["build"]["artifacts"]}
PROFILES = {profile["name"]: profile["patches"] for profile in SKAFFOLD["profiles"]}
ADDED = {name: {patch["path"]: patch["value"] for patch in patches} for name, patches in PROFILES.items()}
OPTIONAL = {name: values["/build/artifacts/-"] for name, values in ADDED.items()}
"""What a profile builds on top."""
GIVEN = {"training": "config.build.trainImage", "gpu": "config.build.gpuImage"}
"""Where the chart is given that image."""
RELEASES = {release["name"]: release for release in SKAFFOLD["deploy"]["helm"]["releases"]}


def variable(image: str) -> str:
    """The name under which skaffold offers a built image to values."""
    return "{{.IMAGE_FULLY_QUALIFIED_" + re.sub("[/-]", "_", image) + "}}"


def at(values: dict[str, Any], path: str) -> Any:
    for name in path.split("."):
        values = values[name]
    return values


def test_every_dockerfile_of_the_platform_is_built_and_no_other() -> None:
    dockerfiles = {path.relative_to(ROOT) for path in (ROOT / "platform" / "images").glob("*/Dockerfile")}
    named = {
        (ROOT / artifact["context"] / artifact["docker"]["dockerfile"]).relative_to(ROOT)
        for artifact in [*ARTIFACTS.values(), *OPTIONAL.values()]
    }

    assert named == {*dockerfiles, (ROOT / "tests" / "e2e" / "Dockerfile").relative_to(ROOT)}


def test_the_version_is_the_one_of_the_package_and_the_charts() -> None:
    assert SKAFFOLD["build"]["tagPolicy"]["envTemplate"]["template"] == __version__
    for chart in (PLATFORM, MODEL, LOADTEST):
        described = yaml.safe_load((chart / "Chart.yaml").read_text())
        assert (described["version"], described["appVersion"]) == (__version__, __version__)


def test_what_is_built_on_an_image_of_ours_says_so() -> None:
    for artifact in [*ARTIFACTS.values(), *OPTIONAL.values()]:
        text = (ROOT / artifact["context"] / artifact["docker"]["dockerfile"]).read_text()
        bases = set(re.findall(r"^FROM docker\.io/(modelyard/[\w-]+):", text, re.MULTILINE))

        assert {needed["image"] for needed in artifact.get("requires", [])} == bases


def test_the_chart_is_given_every_image_of_ours_that_it_names() -> None:
    values = yaml.safe_load((PLATFORM / "values.yaml").read_text())
    given = RELEASES["modelyard"]["setValueTemplates"]

    for path, value in given.items():
        image = at(values, path).removeprefix("docker.io/").removesuffix(f":{__version__}")
        assert value == variable(image)
        assert image in ARTIFACTS
    ours = re.findall(
        rf"^ *\w*[iI]mage: docker\.io/modelyard/.*:{__version__}$", (PLATFORM / "values.yaml").read_text(), re.M
    )
    assert len(ours) == len(given)


@pytest.mark.parametrize("profile", GIVEN)
def test_an_image_of_gigabytes_is_built_and_used_only_where_its_profile_asks_for_it(profile: str) -> None:
    release, path = next(iter(RELEASES)), GIVEN[profile]
    image = OPTIONAL[profile]["image"]

    assert set(PROFILES) == set(GIVEN)
    assert all(patch["op"] == "add" for patch in PROFILES[profile])
    assert release == "modelyard"
    assert ADDED[profile][f"/deploy/helm/releases/0/setValueTemplates/{path}"] == variable(image)
    assert at(yaml.safe_load((PLATFORM / "values.yaml").read_text()), path) == ""
    assert path not in RELEASES[release]["setValueTemplates"]


@pytest.mark.parametrize("release", RELEASES.values(), ids=RELEASES.keys())
def test_each_release_renders_with_what_skaffold_gives(release: dict[str, Any]) -> None:
    built = [f"--set={path}=docker.io/library/built:0.1.0" for path in release.get("setValueTemplates", {})]
    values = yaml.safe_dump(release.get("overrides", {}))

    done = helm("template", release["name"], ROOT / release["chartPath"], *built, "-f", "-", stdin=values)

    assert done.returncode == 0, done.stderr
    assert len(re.findall("docker.io/library/built:0.1.0", done.stdout)) >= len(built)


def test_the_end_to_end_tests_are_what_is_verified(apiserver: RealApiServer) -> None:
    [check] = SKAFFOLD["verify"]
    job = yaml.safe_load((ROOT / check["executionMode"]["kubernetesCluster"]["jobManifestPath"]).read_text())
    [access] = SKAFFOLD["manifests"]["rawYaml"]
    allowed = objects((ROOT / access).read_text())

    assert check["container"]["image"] in ARTIFACTS
    assert [container["name"] for container in job["spec"]["template"]["spec"]["containers"]] == ["e2e"]
    account = one(allowed, "ServiceAccount", job["spec"]["template"]["spec"]["serviceAccountName"])
    assert account["metadata"]["namespace"] == job["metadata"]["namespace"] == RELEASES["modelyard"]["namespace"]
    assert apiserver.complaint(yaml.safe_dump_all([*allowed, job])) == ""
    dockerfile = (ROOT / ARTIFACTS[check["container"]["image"]]["docker"]["dockerfile"]).read_text()
    assert '"tests.e2e.inside"' in dockerfile
    assert (ROOT / "tests" / "e2e" / "inside.py").is_file()
