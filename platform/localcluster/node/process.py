"""A node: one process that keeps mount, pid, network and uts namespaces open, and what runs in them.

Nothing is written down about processes. A node's first process is found by its name, everything else by its pid
namespace, so a stale file can never name a stranger. Ending the first process ends all others with it.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from localcluster.cache import remove
from localcluster.errors import NotPossible
from localcluster.paths import PLATFORM, Paths
from localcluster.steps.task import Task

from . import host, network
from .members import FIRST, Member
from .namespaces import PROCESS_NAME

HOST_SETTINGS = "host-settings.json"
_UNSHARE = ("unshare", "-m", "-n", "-p", "-u", "-f", "--mount-proc", "--propagation", "private")


@dataclass(frozen=True)
class Node:
    """A running node, by the pid of its first process."""

    pid: int
    member: Member = FIRST

    def inside(self, *words: str | Path) -> list[str]:
        """A command line that runs `words` inside the node's namespaces."""
        return ["nsenter", "-t", str(self.pid), "-m", "-n", "-p", "-u", "--", *(str(word) for word in words)]

    def processes(self) -> dict[int, list[str]]:
        """Host pid and command line of everything directly in the node's pid namespace."""
        ours = _namespace(self.pid)
        return {pid: line for pid, line in _all_processes().items() if _namespace(pid) == ours}

    def named(self, name: str) -> dict[int, list[str]]:
        """Host pid and command line of processes whose program has this file name."""
        return {pid: line for pid, line in self.processes().items() if Path(line[0]).name == name}

    def containers(self) -> dict[int, list[str]]:
        """Processes that watch over containers of this node."""
        return self.named("containerd-shim-runc-v2")

    def start(self, words: Sequence[str | Path], log: Path) -> None:
        """Start a program that outlives this one; its output is added to `log`."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            subprocess.run(
                self.inside("setsid", "--fork", *words),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=True, start_new_session=True,
            )  # fmt: skip

    def end(self, task: Task, name: str) -> None:
        """End every process whose program has this file name and wait until it is gone, and its open ports with it.

        What is killed loses its command line first and its ports later, so it is waited for by pid.
        """
        ended = self.named(name)
        for pid in ended:
            _signal(pid, signal.SIGKILL)
        task.until(f"the end of {name}", lambda: not any(_exists(pid) for pid in ended), 20)


def find(paths: Paths, member: Member = FIRST) -> Node | None:
    """A node of this clone's cluster, if it runs; by default the first."""
    return next((node for node in running(paths) if node.member == member), None)


def running(paths: Paths) -> list[Node]:
    """The nodes of this clone's cluster that run, in their order."""
    ours = [Node(pid, member) for pid, (state, member) in _nodes().items() if state == str(paths.state)]
    return sorted(ours, key=lambda node: node.member.number)


def others(paths: Paths) -> list[str]:
    """State folders of clusters that other clones run on this machine."""
    return sorted({state for state, _ in _nodes().values() if state != str(paths.state)})


def ensure(paths: Paths, task: Task, pause: Path) -> Node:
    """The first node of this clone: found, or made with its namespaces, link and cgroups."""
    strangers = others(paths)
    if strangers:
        raise NotPossible(
            f"Another local cluster runs on this machine ({strangers[0]}): stop it there with `make cluster-down`."
        )
    for folder in (paths.state, paths.cache):
        if any(folder.resolve().is_relative_to(top) for top in ("/var", "/run")):
            raise NotPossible(f"{folder} must not lie below /var or /run: move the clone or set MODELYARD_CACHE.")
    host.load_modules()
    host.remember(paths.state / HOST_SETTINGS)
    host.allow_inotify()
    host.make_cgroups()
    node = find(paths) or _make(paths, task, pause, FIRST)
    network.connect(task, node.pid)
    return node


def ensure_further(paths: Paths, task: Task, pause: Path, member: Member) -> Node:
    """A node beside the first, which runs: found, or made with its namespaces, link and cgroups."""
    first = find(paths)
    assert first is not None, "the first node comes first"
    host.make_cgroups(member.cgroup_root)
    node = find(paths, member) or _make(paths, task, pause, member)
    network.join(task, first.pid, node.pid, member)
    return node


def _make(paths: Paths, task: Task, pause: Path, member: Member) -> Node:
    receive, send = os.pipe()
    words = [str(paths.state), str(pause), str(send), str(member.number), str(member.state(paths))]
    arguments = [sys.executable, "-m", "localcluster.node.namespaces", *words]
    with task.log.open("ab") as log:
        subprocess.Popen(
            [*_UNSHARE, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[send],
            start_new_session=True, env={**os.environ, "PYTHONPATH": str(PLATFORM)},
        )  # fmt: skip
    os.close(send)
    with os.fdopen(receive, "rb") as report:
        if report.read(5) != b"ready":  # not to its end: unshare keeps the pipe open too
            raise NotPossible(
                "The kernel refuses the node's namespaces or mounts: a container without privileges cannot hold "
                "a cluster, a machine or virtual machine can."
            )
    task.until("the node's first process", lambda: find(paths, member) is not None, 10)
    found = find(paths, member)
    assert found is not None
    return found


def down(paths: Paths, task: Task) -> bool:
    """End the nodes and put everything back; True when there was one."""
    ended = running(paths)
    for node in ended:
        _signal(node.pid, signal.SIGKILL)
    task.until("the end of the nodes' processes", lambda: not any(_exists(node.pid) for node in ended), 30)
    if not others(paths):
        network.disconnect(task)
        task.until("the removal of the pods' cgroups", host.remove_cgroups, 30)
    host.restore(paths.state / HOST_SETTINGS, (*host.WRITTEN_BY_KUBELET, host.INOTIFY))
    remove(paths.state)
    return bool(ended)


def _exists(pid: int) -> bool:
    return Path("/proc", str(pid)).exists()


def _nodes() -> dict[int, tuple[str, Member]]:
    """State folder and member of every node on this machine by the pid of its first process."""
    lines = {pid: line for pid, line in _all_processes().items() if line[0] == PROCESS_NAME and len(line) > 1}
    return {pid: (line[1], Member(int(line[2])) if len(line) > 2 else FIRST) for pid, line in lines.items()}


def _all_processes() -> dict[int, list[str]]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
            except OSError:
                continue
            if line != [b""]:
                found[int(entry.name)] = [word.decode(errors="replace") for word in line]
    return found


def _namespace(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
