"""The links between a local cluster's nodes, made by its own code in networks of the kernel that nobody else has."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cluster.kubectl import ROOT

pytestmark = pytest.mark.integration
ALONE = ("unshare", "--map-root-user", "--net", "--mount", "--propagation", "private")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Who was reached from where -> the address from which it was."""
    log = tmp_path_factory.mktemp("links") / "links.log"
    program = Path(__file__).with_name("inside.py")
    done = subprocess.run(
        [*ALONE, sys.executable, str(program), str(log)],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": f"{ROOT}/platform:{ROOT}/platform/src"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + log.read_text()
    return json.loads(done.stdout)


def test_nodes_and_host_reach_each_other(seen: dict[str, str]) -> None:
    assert seen["a node, from the host"] == "10.250.0.1"
    assert seen["the host, from a node"] == seen["the first node, from the second"] == "10.250.0.3"


def test_pods_of_two_nodes_see_each_others_own_addresses(seen: dict[str, str]) -> None:
    assert seen["a pod, from the other's"] == "10.244.1.5"
    assert seen["and back"] == "10.244.0.5"


def test_a_pod_reaches_the_host_under_its_nodes_address(seen: dict[str, str]) -> None:
    assert seen["the host, from a pod"] == "10.250.0.3"


def test_a_link_that_was_cut_is_mended_and_one_that_is_left_of_a_lost_node_replaced(seen: dict[str, str]) -> None:
    assert "unreachable" in seen["the host, cut off"]
    assert seen["the host, mended"] == "10.250.0.3"
