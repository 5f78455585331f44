"""Runs what touches a model file in a process with limits: one that crashes or devours memory harms only itself."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelyard import errors
from modelyard.errors import InvalidEntry, UnsupportedModel

from .evidence import FINDINGS

SECONDS = 600
_LEFT_FREE = 0.9


def findings(folder: Path, seconds: float = SECONDS) -> dict[str, Any]:
    """What `evidence` found about FOLDER/model.onnx; raises what it raised, or what its end means."""
    late = f"trying the model took longer than {seconds} seconds; add an eval.npz with a small input."
    return confined("modelyard.build.evidence", [str(folder)], folder / FINDINGS, seconds, late)


def confined(
    module: str,
    arguments: Sequence[str],
    result: Path,
    seconds: float,
    late: str,
    *,
    memory: int | None = None,
    env: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The JSON that `python -m MODULE ARGUMENTS` leaves at `result`.

    The process and its children end after `seconds` (UnsupportedModel with the sentence `late`) and get at most
    `memory` bytes. `{"error": {"reason", "message"}}` is raised as the error it names; a crash is UnsupportedModel.
    """
    result.unlink(missing_ok=True)
    started = start(module, arguments, memory=memory, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _, said = started.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as slow:
        raise UnsupportedModel(late) from slow
    finally:
        end(started)
    if started.returncode != 0:
        raise ended(started.returncode, said.decode(errors="replace"))
    found = json.loads(result.read_text())
    if "error" in found:
        kind = getattr(errors, found["error"]["reason"], InvalidEntry)
        raise kind(found["error"]["message"])
    return found


def start(
    module: str,
    arguments: Sequence[str],
    *,
    memory: int | None = None,
    env: Mapping[str, str] | None = None,
    **streams: Any,
) -> subprocess.Popen[bytes]:
    """`python -m MODULE ARGUMENTS` under the limits, in a process group of its own; `end` it."""

    def limit() -> None:
        _limit(memory)

    return subprocess.Popen[bytes](
        [sys.executable, "-m", module, *arguments],
        preexec_fn=limit,
        start_new_session=True,
        env={**os.environ, **(env or {})},
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


def ended(code: int, said: str) -> Exception:
    """What the end of a confined process means, as the error to raise."""
    if code == -signal.SIGKILL or "MemoryError" in said or "bad_alloc" in said:
        return UnsupportedModel("the model needs more memory than the builder has; give the build more memory.")
    if code < 0:
        name = signal.Signals(-code).name
        return UnsupportedModel(f"the model crashes onnxruntime ({name}): the file is damaged; export it again.")
    last = said.strip().splitlines()[-1:] or ["no message"]
    return RuntimeError(f"trying the model ended with exit code {code}: {last[0]}")


def _limit(memory: int | None) -> None:
    """No core dumps, and at most nine tenths of the machine's memory: the builder itself must survive."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with open("/proc/meminfo") as lines:
        total = int(next(line for line in lines if line.startswith("MemTotal")).split()[1]) * 1024
    most = min(int(total * _LEFT_FREE), memory or total)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
