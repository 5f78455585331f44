"""The local cluster's own programs, stopped and ended on purpose; they are this machine's processes, root's.

`paused` lets a program hang: it keeps its connections and answers nobody. `restarted` ends it as a crash does and
starts it again as it was. `pod_processes` finds those of the platform's pods.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localcluster import paths
from localcluster.node import process
from tests.support.cluster.kubectl import eventually, kubectl


def node() -> process.Node | None:
    """The local cluster's node; None where the cluster is another one."""
    return process.find(paths.default())


def pod_processes(verb: str) -> dict[str, int]:
    """Process ids of `modelyard VERB` in pods, by pod; empty where they run elsewhere than on this machine."""
    found = {}
    for running in Path("/proc").glob("[0-9]*"):
        try:
            words = (running / "cmdline").read_bytes().decode().split("\0")
            if words[1:3] == ["/opt/modelyard/bin/modelyard", verb]:
                found[(running / "root/etc/hostname").read_text().strip()] = int(running.name)
        except OSError:
            continue
    return found


@contextmanager
def paused(program: str) -> Iterator[None]:
    """Inside the block the program neither works nor answers."""
    running = node()
    assert running is not None
    pids = list(running.named(program))
    assert pids, f"{program} does not run"
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    answers()


def restarted(program: str, away: float) -> None:
    """Ends a program, leaves it away for so many seconds and starts it again."""
    running = node()
    assert running is not None
    [(pid, words)] = running.named(program).items()
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not running.named(program), f"{program} is gone", 20, 0.1)
    time.sleep(away)
    running.start(words, paths.default().logs / f"{program}.log")
    answers()


def answers() -> None:
    """Waits for the API server."""
    eventually(lambda: kubectl("get", "--raw", "/readyz", check=False).returncode == 0, "the API server is back", 120)
