"""How many nodes a cluster has, what tells them apart, and that together they offer no more than the machine has."""

import re
from pathlib import Path

import pytest
import yaml

from localcluster.errors import NotPossible
from localcluster.node import members as nodes
from localcluster.node.components import Component
from localcluster.node.control import containerd_of, log_of, node_parts
from localcluster.node.members import FIRST, Member, members, note, noted, parsed, reserved
from localcluster.paths import Paths

GIB = 2**30


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "home", tmp_path / "cache")


@pytest.mark.parametrize("text", ["0", "4", "-1", "two", "1.5", "2 ", "02", "1e0"])
def test_another_number_than_one_to_three_is_refused_with_one_that_is_possible(text: str, tmp_path: Path):
    with pytest.raises(NotPossible, match=re.escape(f"NODES={text} is not possible") + ".*1 to 3.*NODES=2"):
        parsed(text, tmp_path / "state")
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_one_to_three_nodes_are_possible(number: int, tmp_path: Path):
    assert parsed(str(number), tmp_path / "state") == number


def test_without_a_number_there_is_one_node_or_what_the_cluster_was_made_with(tmp_path: Path):
    assert parsed("", tmp_path) == 1
    note(tmp_path, 2)
    assert parsed("", tmp_path) == parsed("2", tmp_path) == 2


@pytest.mark.parametrize(("made", "asked", "said"), [(1, "2", "1 node:"), (2, "1", "2 nodes:"), (3, "2", "3 nodes:")])
def test_a_cluster_keeps_its_number_of_nodes(made: int, asked: str, said: str, tmp_path: Path):
    note(tmp_path, made)
    with pytest.raises(NotPossible, match=f"{said}.*make cluster-down.*NODES={asked}"):
        parsed(asked, tmp_path)
    assert noted(tmp_path) == made


def test_a_cluster_of_an_earlier_version_which_noted_nothing_has_one_node(tmp_path: Path):
    assert noted(tmp_path) == 0
    (tmp_path / "certificates").mkdir()
    assert noted(tmp_path) == 1


def test_a_lone_node_reserves_nothing():
    assert reserved(1, cores=2, memory=8 * GIB) == {}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("cores", [1, 2, 5, 64])
def test_all_nodes_together_offer_what_the_machine_has(count: int, cores: int):
    kept = reserved(count, cores, 24 * GIB)
    offered = 1000 * cores - int(kept["cpu"].removesuffix("m"))
    memory = 24 * GIB - int(kept["memory"].removesuffix("Ki")) * 1024

    assert 1000 * cores - count < offered * count <= 1000 * cores
    assert 24 * GIB - 4096 < memory * count <= 24 * GIB + 1024 * count


def test_what_is_reserved_is_of_this_machine():
    assert set(reserved(2)) == {"cpu", "memory"}


def facts(paths: Paths, member: Member) -> list[str]:
    """Everything of a node that no other may have."""
    own = [member.name, member.address, member.pod_range, member.cgroup_root, member.kubelet_identity]
    parts = [containerd_of(paths, member), *node_parts(paths, member, 3)]
    files = [str(file) for part in parts for file, _ in part.files]
    logs = [str(log_of(paths, part, member)) for part in parts]
    return [*own, str(member.state(paths)), str(member.images(paths)), *files, *logs]


def test_nodes_share_no_name_address_folder_file_or_log(paths: Paths):
    every = [fact for member in members(3) for fact in facts(paths, member)]
    assert len(set(every)) == len(every)


def configuration(parts: list[Component], name: str) -> dict:
    [part] = [part for part in parts if part.name == name]
    return yaml.safe_load(part.files[0][1])


def test_the_first_of_one_is_what_it_always_was(paths: Paths):
    assert (FIRST.name, FIRST.address, FIRST.cgroup_root) == ("modelyard", "10.250.0.2", "/modelyard")
    assert (FIRST.state(paths), FIRST.images(paths)) == (paths.state, paths.containerd)
    assert configuration(node_parts(paths, FIRST, 1), "kubelet")["systemReserved"] == {}


def test_a_further_node_has_its_kubelet_proxy_and_pods_at_its_own_address(paths: Paths):
    second = Member(2)
    parts = node_parts(paths, second, 2)
    kubelet, proxy = configuration(parts, "kubelet"), configuration(parts, "kube-proxy")

    assert kubelet["cgroupRoot"].startswith(f"{FIRST.cgroup_root}/")
    assert kubelet["systemReserved"] == reserved(2)
    assert {"--node-ip=10.250.0.3", "--hostname-override=modelyard-2"} <= set(parts[0].arguments)
    assert (proxy["hostnameOverride"], proxy["nodePortAddresses"]) == ("modelyard-2", ["10.250.0.3/32"])
    assert proxy["clusterCIDR"] == nodes.CLUSTER_POD_RANGE
    assert '"subnet": "10.244.1.0/24"' in containerd_of(paths, second).files[1][1]
