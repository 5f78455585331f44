"""Runs what touches a model file in a process with limits: one that crashes or devours memory harms only itself."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelyard import errors
from modelyard.child_environment import FOLDER, SAFE_PYTHON, child_environment
from modelyard.child_limits import limited
from modelyard.core.failure_causes import REASONS, End, cause_of, sentence
from modelyard.errors import HostFailure, InvalidEntry, ModelyardError

SECONDS = 600
LASTING = frozenset({"TimedOut"})
"""Trying a model again at once after all these minutes would outlast the Job; the operator tries again later."""
_LEFT_FREE = 0.9
_CGROUP = Path("/sys/fs/cgroup")
_FIRST_TO_GO = {"oomScore": 1000}
"""In place of a limit on a GPU: when memory runs out, the kernel is to end this process and not the builder.

CUDA lays the memory of every GPU and what it pins of the host's into one range of addresses. A limit counts what
is mapped and not what is used, so one that fits the container (RLIMIT_DATA, and RLIMIT_AS all the more) makes
CUDA fail to start, or end later with "out of memory" on a GPU that is empty.
"""


class WorkerDied(Exception):
    """A confined process ended without a result: too late (`code` None), or with this exit code and these words."""

    def __init__(self, code: int | None, output: str = "") -> None:
        self.code, self.end = code, End(code, output, late=code is None)
        super().__init__(self.fate)

    @property
    def last(self) -> str:
        """Its last line."""
        return (self.end.words.strip().splitlines()[-1:] or [""])[0][:300]

    @property
    def fate(self) -> str:
        """How it ended, to follow the word "it"."""
        cause = cause_of(self.end)
        if cause.reason == "Unexplained" or not cause.passes:
            return f"ended with exit code {self.code}: {self.last or 'no message'}"
        return cause.what + (f" ({signal.Signals(self.end.signal).name})" if self.end.signal else "")


def confined(
    module: str,
    arguments: Sequence[str],
    result: Path,
    seconds: float,
    *,
    memory: int | None = None,
    gpu: bool = False,
    env: Mapping[str, str] | None = None,
    surroundings: Mapping[str, str] = os.environ,
) -> dict[str, Any]:
    """The JSON that `python -m MODULE ARGUMENTS` leaves at `result`.

    The process and its children end after `seconds` and get at most `memory` bytes each, unless they use a GPU; their
    environment is `surroundings`, ours when left out, with `env`.
    `{"error": {"reason", "message"}}` is raised as the error it names, WorkerDied when the process
    ended late, or with another exit code than 0.
    """
    result.unlink(missing_ok=True)
    process = start(
        module, arguments, memory=memory, gpu=gpu, env=env, surroundings=surroundings,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        _, output = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as slow:
        raise WorkerDied(None) from slow
    finally:
        end(process)
    if process.returncode != 0:
        raise WorkerDied(process.returncode, output.decode(errors="replace"))
    answer = json.loads(result.read_text())
    if "error" in answer:
        raise _named_error(answer["error"]["reason"], answer["error"]["message"])
    return answer


def _named_error(reason: str, message: str) -> ModelyardError:
    """The error that a confined process wrote down."""
    if reason in REASONS:
        return HostFailure(reason, message)
    return getattr(errors, reason, InvalidEntry)(message)


def start(
    module: str,
    arguments: Sequence[str],
    *,
    memory: int | None = None,
    gpu: bool = False,
    env: Mapping[str, str] | None = None,
    surroundings: Mapping[str, str] = os.environ,
    **streams: Any,
) -> subprocess.Popen[bytes]:
    """`python -m MODULE ARGUMENTS` under the limits, in a process group of its own; `end` it.

    It works in `FOLDER`, so paths among the arguments have to be absolute. `memory` is a limit in bytes; where the
    process uses a GPU it has none but the container's.
    """
    limits = _FIRST_TO_GO if gpu else {"data": _most(memory)}
    return subprocess.Popen[bytes](
        limited([*SAFE_PYTHON, "-m", module, *arguments], core=0, **limits),
        start_new_session=True,
        cwd=FOLDER,
        env=child_environment(env, surroundings),
        **streams,
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process that `start` gave, with everything it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    finally:
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def meaning(death: WorkerDied, seconds: float) -> Exception:
    """What the end of the process that tried a person's model means, as the error to raise.

    HostFailure when the surroundings ended it; an exit code with other words is a defect of ours.
    """
    cause = cause_of(death.end)
    if not cause.passes:
        return RuntimeError(f"trying the model {death}")
    words = f"more than {seconds:g} s; an eval.npz with a small input makes it shorter" if death.end.late else ""
    return HostFailure(cause.reason, sentence(cause, "trying the model", words or death.last, death.end.signal))


def fate(code: int, output: str) -> str:
    """How a process ended, to follow the word "it"."""
    return WorkerDied(code, output).fate


def _most(memory: int | None) -> int:
    """At most nine tenths of the memory there is: the builder itself must survive."""
    total = memory_limit()
    return min(int(total * _LEFT_FREE), memory or total)


def memory_limit() -> int:
    """Bytes all processes here may use together: the container's limit, else the machine's memory."""
    total = _meminfo("MemTotal")
    try:
        return min(total, int((_CGROUP / "memory.max").read_text()))
    except (OSError, ValueError):  # no cgroup v2, or "max"
        return total


def memory_left() -> int:
    """Bytes that are still free of them; what files occupy in the cache can be given up and counts as free."""
    free = _meminfo("MemAvailable")
    try:
        most, used = int((_CGROUP / "memory.max").read_text()), int((_CGROUP / "memory.current").read_text())
        cached = next(line for line in (_CGROUP / "memory.stat").read_text().splitlines() if "inactive_file" in line)
    except (OSError, ValueError):
        return free
    return min(free, most - used + int(cached.split()[1]))


def _meminfo(name: str) -> int:
    with open("/proc/meminfo") as lines:
        return int(next(line for line in lines if line.startswith(name)).split()[1]) * 1024
