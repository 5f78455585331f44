"""Whose node a process is: told by its name alone, which says the cluster's folder and the node's number."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from localcluster import status
from localcluster.errors import NotPossible
from localcluster.node import members, process
from localcluster.node.members import FIRST, Member
from localcluster.paths import Paths
from localcluster.steps.task import Task


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "home", tmp_path / "cache")


@pytest.fixture
def machine(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> dict[int, list[str]]:
    """Command lines of everything that runs on the machine, by pid."""
    ours = str(paths.state)
    lines = {
        30: [process.PROCESS_NAME, ours, "3"],
        10: [process.PROCESS_NAME, ours, "1"],
        40: [process.PROCESS_NAME, "/other/state"],
        41: [process.PROCESS_NAME, "/other/state", "2"],
        50: ["sh", ours, "2"],
    }
    monkeypatch.setattr(process, "_all_processes", lambda: lines)
    return lines


def test_a_cluster_s_nodes_are_found_in_their_order_and_nobody_else_s(paths: Paths, machine: dict[int, list[str]]):
    assert [(node.pid, node.member.number) for node in process.running(paths)] == [(10, 1), (30, 3)]
    assert process.find(paths) == process.Node(10, FIRST)
    assert process.find(paths, Member(2)) is None


def test_another_cluster_is_named_once_however_many_nodes_it_has(paths: Paths, machine: dict[int, list[str]]):
    assert process.others(paths) == ["/other/state"]


def test_a_node_whose_name_has_no_number_is_a_first_one(paths: Paths, machine: dict[int, list[str]]):
    machine[10].pop()
    assert process.find(paths) == process.Node(10, FIRST)


def test_a_second_cluster_is_refused_before_anything_is_written(paths: Paths, machine: dict[int, list[str]]):
    task = Task(paths.logs / "node.log")
    with pytest.raises(NotPossible, match=r"/other/state.*make cluster-down"):
        process.ensure(paths, task, Path("pause"))
    assert members.noted(paths.state) == 0
    assert not paths.state.exists()


def test_status_has_a_row_for_a_lost_node_and_says_what_starts_it_again(paths: Paths, machine: dict[int, list[str]]):
    [row] = status.node_lines(paths, Member(2), 3)
    assert (row.well, row.name) == (False, "Node of modelyard-2")
    assert "`make cluster` starts it again" in row.detail


def test_status_has_the_programs_of_every_node_and_the_control_plane_of_the_first_alone(
    paths: Paths, machine: dict[int, list[str]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(process.Node, "processes", lambda _: {})
    first, third = (status.node_lines(paths, Member(number), 3) for number in (1, 3))

    assert [row.name for row in third] == [
        "Node of modelyard-3", "containerd of modelyard-3", "kubelet of modelyard-3", "kube-proxy of modelyard-3",
    ]  # fmt: skip
    assert {row.name for row in first} >= {"Node", "etcd", "kube-apiserver", "kubelet"}
    assert "10.250.0.4" in third[0].detail
    assert [row.detail for row in third[1:]] == [
        f"see {paths.logs / name}-3.log" for name in ("containerd", "kubelet", "kube-proxy")
    ]


def test_a_program_is_gone_when_its_pid_is_and_not_when_its_name_is(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A dead process that nobody has waited for has no command line, as one whose ports are still being closed."""
    program = tmp_path / "ended-by-a-test"
    shutil.copy("/bin/sleep", program)
    pid, node = os.spawnv(os.P_NOWAIT, str(program), [str(program), "60"]), process.Node(os.getpid())
    exists, seen = process._exists, list[tuple[bool, bool]]()

    def reaped(ended: int) -> bool:
        os.waitid(os.P_PID, ended, os.WEXITED | os.WNOWAIT)
        seen.append((bool(node.named(program.name)), exists(ended)))
        os.waitpid(ended, 0)
        return exists(ended)

    monkeypatch.setattr(process, "_exists", reaped)
    while not node.named(program.name):  # until the child has become the program
        pass

    node.end(Task(paths.logs / "end.log"), program.name)

    assert seen == [(False, True)]
    assert not exists(pid)


def test_ending_a_cluster_ends_all_its_nodes(paths: Paths, monkeypatch: pytest.MonkeyPatch):
    """Real processes under the nodes' names, in a machine that has no other nodes."""
    sleeping = [os.spawnv(os.P_NOWAIT, "/bin/sleep", ["sleep", "60"]) for _ in range(2)]
    found = {pid: [process.PROCESS_NAME, str(paths.state), str(n)] for n, pid in enumerate(sleeping, 1)}
    monkeypatch.setattr(process, "_all_processes", lambda: found)
    monkeypatch.setattr(process.network, "disconnect", lambda _: None)
    monkeypatch.setattr(process.host, "remove_cgroups", lambda: True)
    members.note(paths.state, 2)
    ended: dict[int, int] = {}

    def exists(pid: int) -> bool:
        ended.update([os.waitpid(pid, 0)])
        return False

    monkeypatch.setattr(process, "_exists", exists)

    assert process.down(paths, Task(paths.logs / "down.log"))
    assert ended == dict.fromkeys(sleeping, signal.SIGKILL)
    assert not paths.state.exists()
