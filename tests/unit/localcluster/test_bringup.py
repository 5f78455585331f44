"""The whole start is one consistent graph, in the right order."""

from pathlib import Path

import pytest

from localcluster import bringup
from localcluster.errors import NotPossible
from localcluster.install import addons
from localcluster.paths import Paths
from localcluster.steps.graph import Graph, Step


def steps(tmp_path: Path, *chosen: str, nodes: int = 1) -> dict[str, Step]:
    paths = Paths(tmp_path / "home", tmp_path / "cache")
    return {step.name: step for step in bringup.steps(paths, chosen, nodes)}


def before(found: dict[str, Step], name: str) -> set[str]:
    """Every step that must be done before `name`."""
    direct = set(found[name].needs)
    return direct.union(*(before(found, need) for need in direct)) if direct else direct


@pytest.mark.parametrize("nodes", [1, 2, 3])
@pytest.mark.parametrize(
    "chosen", [(), ("keda",), ("monitoring",), ("mlflow",), ("keda", "monitoring", "tracing", "training")]
)
def test_every_need_is_a_step_and_none_needs_itself(tmp_path: Path, chosen: tuple[str, ...], nodes: int):
    found = steps(tmp_path, *chosen, nodes=nodes)
    Graph(list(found.values()), tmp_path)
    assert all(name not in before(found, name) for name in found)


def test_the_platform_is_installed_when_the_images_of_its_pods_are_there_and_the_webhooks_answer(tmp_path: Path):
    needed = before(steps(tmp_path), "platform")
    assert {"import-operator", "import-storage-initializer", "import-seaweedfs", "import-envoy"} <= needed
    assert {"kserve-ready", "envoy-gateway-ready", "store-volume"} <= needed


def test_the_platform_starts_while_the_large_images_of_models_are_imported(tmp_path: Path):
    found = steps(tmp_path)
    assert not {"import-triton-cpu", "import-builder"} & before(found, "platform")
    assert {"import-triton-cpu", "import-builder"} <= set(found)


def test_the_control_plane_does_not_wait_for_kserve_or_envoy_gateway_to_be_built(tmp_path: Path):
    needed = before(steps(tmp_path), "api-server")
    assert not {"build-serving", "base"} & needed


def test_images_that_begin_with_the_same_layers_are_built_one_after_the_other(tmp_path: Path):
    found = steps(tmp_path)
    names = ("storage-initializer", "operator", "triton-cpu", "builder")
    assert {found[f"image-{name}"].lane for name in names} == {"images"}


def test_the_node_is_there_within_the_half_minute_that_its_proxy_waits_for_it(tmp_path: Path):
    found = steps(tmp_path)
    imports = [name for name in found if name.startswith("import-")]
    assert "kubelet" in before(found, "proxy")
    assert [name for name in imports if "import-pause" not in before(found, name)] == ["import-pause"]


def test_a_cluster_has_one_node_unless_more_are_asked_for(tmp_path: Path):
    assert not [name for name in steps(tmp_path) if name.endswith("-2")]
    more = {name for name in steps(tmp_path, nodes=3) if name.endswith(("-2", "-3"))}
    assert more == {f"{part}-{n}" for part in ("node", "containerd", "kubelet", "proxy") for n in (2, 3)}


def test_every_node_has_every_image_and_all_are_ready_before_the_platform_counts_them(tmp_path: Path):
    found = steps(tmp_path, nodes=3)
    imports = [name for name in found if name.startswith("import-")]
    assert all({"containerd", "containerd-2", "containerd-3"} <= before(found, name) for name in imports)
    assert {"kubelet-2", "proxy-2", "kubelet-3", "proxy-3"} <= before(found, "ready")
    assert "ready" in before(found, "platform")
    assert "import-pause" in before(found, "kubelet-3")


def test_a_further_node_is_linked_to_the_first(tmp_path: Path):
    assert "node" in before(steps(tmp_path, nodes=2), "node-2")


def test_the_image_that_trains_comes_with_its_add_on_and_before_the_platform_allows_it(tmp_path: Path):
    assert "image-trainer" not in steps(tmp_path)
    assert "import-trainer" in before(steps(tmp_path, "training"), "platform")


def test_the_gateway_is_told_of_a_collector_that_is_there(tmp_path: Path):
    assert "tracing" in before(steps(tmp_path, "tracing"), "platform")
    assert "tracing" not in steps(tmp_path)


def test_add_ons_are_built_only_when_asked_for(tmp_path: Path):
    assert not {"build-keda", "build-prometheus", "build-opentelemetry-collector"} & set(steps(tmp_path))
    assert "build-opentelemetry-collector" in steps(tmp_path, "tracing")
    assert {"build-keda", "build-prometheus"} <= set(steps(tmp_path, "keda", "monitoring"))


def test_an_unknown_add_on_is_refused_with_the_names_there_are():
    with pytest.raises(NotPossible, match="keda, monitoring"):
        addons.parsed("keda,grafana")


def test_names_of_add_ons_may_be_separated_by_commas_or_spaces():
    assert addons.parsed("keda, monitoring") == addons.parsed("keda monitoring") == ["keda", "monitoring"]
