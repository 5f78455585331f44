"""A verb of a framework's program, in a process of its own: one that crashes or hangs harms only itself."""

import json
import os
import re
import signal
import subprocess
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from modelyard.builder.environments import torch_python
from modelyard.child_environment import FOLDER, child_environment, without_keys
from modelyard.child_limits import limited
from modelyard.core.failure_causes import End, cause_of, sentence
from modelyard.errors import HostFailure, InvalidEntry, InvalidSettings, UnsupportedModel

from .catalogue import Framework
from .environment import FrameworkPython

SECONDS = 900
_START = Path(__file__).with_name("programs") / "start.py"
_MESSAGE_LENGTH = 300


def ran(framework: Framework, python: FrameworkPython, verb: str, model: Path, scratch: Path) -> dict[str, Any]:
    """The result of a verb, which works in `scratch`. It has no keys of ours, and nothing of ours to import.

    Raises UnsupportedModel for what cannot be said in ONNX, InvalidEntry when the framework cannot read the file,
    InvalidSettings when the environment lacks it, HostFailure when the machine failed.
    """
    result = scratch / "result.json"
    words = [str(path.absolute()) for path in (model, result, scratch)]
    process = subprocess.Popen(
        limited(python.command(_START, framework.program, verb, *words), core=0),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        cwd=FOLDER,
        env=child_environment(surroundings=without_keys()),
    )
    try:
        _, output = process.communicate(timeout=SECONDS)
        end = End(process.returncode, _last(output))
    except subprocess.TimeoutExpired:
        end = End(None, "", late=True)
    finally:
        _end(process)
    if end.late or end.code != 0 or not result.is_file():
        raise _failure(framework, model, end)
    said = json.loads(result.read_text())
    if "cannot" in said:
        raise UnsupportedModel(f"{model.name} cannot be converted to ONNX: {said['cannot']}.")
    return said


def _last(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines() or [""]
    return lines[-1][:_MESSAGE_LENGTH].rstrip(".")


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stderr:
        process.stderr.close()


def _failure(framework: Framework, model: Path, end: End) -> Exception:
    missing = re.search(r"No module named '(torch|onnxscript|onnx|numpy)'", end.words)
    if missing and framework.program == "torch":
        return InvalidSettings(
            f"{torch_python.python()} has no {missing[1]}, which converts {model.name}: pip install 'modelyard[torch]' "
            f"in an environment of its own and name its Python in {torch_python.PYTHON}."
        )
    cause = cause_of(end)
    if cause.passes:
        known = (
            replace(cause, remedy=framework.system) if cause.reason == "ProgramBroken" and framework.system else cause
        )
        what = f"{framework.name}, which was to convert {model.name},"
        return HostFailure(cause.reason, sentence(known, what, end.words, end.signal))
    return InvalidEntry(f"{framework.name} cannot work with {model.name}: {end.words}; write it again.")
