"""Runs `evidence` in a process with limits, so that a model file that crashes or devours memory harms only itself."""

import json
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from modelyard import errors
from modelyard.errors import InvalidEntry, UnsupportedModel

from .evidence import FINDINGS

SECONDS = 600
_LEFT_FREE = 0.9


def findings(folder: Path, seconds: float = SECONDS) -> dict[str, Any]:
    """What `evidence` found about FOLDER/model.onnx; raises what it raised, or what its end means."""
    command = [sys.executable, "-m", "modelyard.build.evidence", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, preexec_fn=_limit, check=False)
    except subprocess.TimeoutExpired as late:
        raise UnsupportedModel(
            f"trying the model took longer than {seconds} seconds; add an eval.npz with a small input."
        ) from late
    if done.returncode != 0:
        raise _ended(done.returncode, done.stderr.decode(errors="replace"))
    result = json.loads((folder / FINDINGS).read_text())
    if "error" in result:
        kind = getattr(errors, result["error"]["reason"], InvalidEntry)
        raise kind(result["error"]["message"])
    return result


def _limit() -> None:
    """No core dumps, and at most nine tenths of the machine's memory: the builder itself must survive."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with open("/proc/meminfo") as lines:
        total = int(next(line for line in lines if line.startswith("MemTotal")).split()[1]) * 1024
    most = int(total * _LEFT_FREE)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _ended(code: int, said: str) -> Exception:
    if code == -signal.SIGKILL or "MemoryError" in said or "bad_alloc" in said:
        return UnsupportedModel("the model needs more memory than the builder has; give the build more memory.")
    if code < 0:
        name = signal.Signals(-code).name
        return UnsupportedModel(f"the model crashes onnxruntime ({name}): the file is damaged; export it again.")
    last = said.strip().splitlines()[-1:] or ["no message"]
    return RuntimeError(f"trying the model ended with exit code {code}: {last[0]}")
