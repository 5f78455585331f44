"""Stages that run beside those before them: what they print is kept, and shown when their turn comes.

`unit` computes all the time; `integration` and `charts`, one after the other, wait for programs for a third of theirs.
Side by side they use what the machine has. All of them give way to the local cluster, which starts meanwhile.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO

from .outcome import Outcome

Call = Callable[[list[str], Path, Mapping[str, str]], int]
"""Runs a command in a folder with an environment and gives its exit code."""
GIVES_WAY = 5
"""What is added to the niceness of what runs while the local cluster starts."""
_LEAST = 19
_LOOKS = 0.2


def call(command: list[str], folder: Path, environment: Mapping[str, str]) -> int:
    """Runs a command whose output goes where ours goes."""
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def calling_patiently(command: list[str], folder: Path, environment: Mapping[str, str]) -> int:
    """Runs a command that gives way to others; its output goes where ours goes."""
    with subprocess.Popen(command, cwd=folder, env=environment) as process:
        _give_way(process)
        return process.wait()


def _give_way(process: subprocess.Popen[bytes]) -> None:
    """Lets others compute before this process and all it will start."""
    with suppress(ProcessLookupError):
        niceness = os.getpriority(os.PRIO_PROCESS, process.pid) + GIVES_WAY
        os.setpriority(os.PRIO_PROCESS, process.pid, min(niceness, _LEAST))


class Beside:
    """Runs stages one after the other in the background; `outcome` shows and gives each, `leave` ends what still runs.

    A stage gets the function by which it calls programs, so that their output goes to a log in the folder `logs`.
    """

    def __init__(self, stages: Mapping[str, Callable[[Call], Outcome]], logs: Path) -> None:
        self._logs, self._ended = logs, False
        self._running: subprocess.Popen[bytes] | None = None
        self._pool = ThreadPoolExecutor(1)
        self._stages: dict[str, Future[Outcome]] = {}
        for name, stage in stages.items():
            self._log(name).parent.mkdir(parents=True, exist_ok=True)
            self._log(name).write_bytes(b"")
            self._stages[name] = self._pool.submit(self._run, name, stage)

    def __contains__(self, name: str) -> bool:
        return name in self._stages

    def outcome(self, name: str, sink: IO[bytes] | None = None) -> Outcome:
        """Shows what the stage has printed and prints, until it has ended; its time is its own."""
        future, shown = self._stages[name], sink or sys.stdout.buffer
        with self._log(name).open("rb") as text:
            ended = False
            while not ended:
                ended = future.done()
                shown.write(text.read())
                shown.flush()
                time.sleep(0 if ended else _LOOKS)
        return future.result()

    def leave(self) -> None:
        """Ends a stage that is under way; those that wait for it are not begun."""
        self._ended = True
        if self._running is not None and self._running.poll() is None:
            self._running.terminate()
        self._pool.shutdown(cancel_futures=True)

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _run(self, name: str, stage: Callable[[Call], Outcome]) -> Outcome:
        began = time.monotonic()
        with self._log(name).open("ab") as log:

            def logged(command: list[str], folder: Path, environment: Mapping[str, str]) -> int:
                with subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log) as process:
                    self._running = process
                    _give_way(process)
                    if self._ended:
                        process.terminate()
                    return process.wait()

            return replace(stage(logged), seconds=time.monotonic() - began)
