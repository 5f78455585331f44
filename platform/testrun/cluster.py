"""The local cluster of the end-to-end tests: started in the background while other stages run, and ended afterwards.

Its start is mostly downloads and waiting for readiness, so it costs the stages beside it little. What it prints goes
to a log meanwhile; alone it prints to the reader. A cluster that was there before is completed, and stays.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

_TAIL = 25


class Cluster:
    """One start: `begin`, then `wait` for its end, then `leave`; calling `leave` is always right.

    `command` is the program that takes `up`, `down` and `status`; `log` gets what `up` prints in the background.
    """

    def __init__(self, command: list[str], log: Path, root: Path, environment: Mapping[str, str]) -> None:
        self._command, self._log, self._root, self._environment = command, log, root, environment
        self._start: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._keep = True

    def begin(self, background: bool) -> None:
        """Start the cluster, or complete the one that is there."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._log.unlink(missing_ok=True)
        self._keep = os.environ.get("MODELYARD_CLUSTER") == "existing" or self._run("status") == 0
        self._began = time.monotonic()
        sink = self._log.open("wb") if background else None
        self._start = subprocess.Popen(
            [*self._command, "up"], cwd=self._root, env=self._environment, stdout=sink, stderr=sink
        )
        if sink is not None:
            sink.close()

    def progress(self) -> str:
        """How far the start is, in a few words; empty when none was begun."""
        if self._start is None:
            return ""
        code = self._start.poll()
        if code is None:
            return f"the local cluster is starting for {time.monotonic() - self._began:.0f} s"
        return "the local cluster is up" if code == 0 else f"the local cluster did not start (code {code})"

    def wait(self) -> str:
        """Wait for the end of the start; a sentence when it failed, with the end of its log printed."""
        if self._start is None:
            self.begin(background=False)
        assert self._start is not None
        code = self._start.wait()
        if code == 0:
            return ""
        if not self._log.exists():
            return f"the local cluster did not start (code {code})"
        print("\n".join(self._log.read_text(errors="replace").splitlines()[-_TAIL:]), file=sys.stderr, flush=True)
        return f"the local cluster did not start (code {code}), see {self._log}"

    def leave(self) -> None:
        """End a start that is under way, and the cluster unless it was there before."""
        if self._start is None:
            return
        if self._start.poll() is None:
            self._start.terminate()
            self._start.wait()
        if not self._keep:
            self._run("down")

    def _run(self, verb: str) -> int:
        """Exit code of a verb."""
        return subprocess.run([*self._command, verb], cwd=self._root, env=self._environment, check=False).returncode
