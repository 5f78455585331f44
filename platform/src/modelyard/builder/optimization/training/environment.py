"""The Python that trains, and has torch: `builder.environments.torch_python` says which it is.

It enters at `start.py` and knows nothing of Modelyard. In the cluster it is in a container of its own (`trainer`).
"""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from modelyard.builder.environments.torch_python import PYTHON, python
from modelyard.child_environment import FOLDER, child_environment
from modelyard.core.failure_causes import End, cause_of, sentence
from modelyard.core.storage.keys import is_safe_path
from modelyard.errors import HostFailure, InvalidSettings, ModelyardError, UnsupportedModel

from . import sidecar_client

_START = Path(__file__).with_name("start.py")
_MESSAGE_LENGTH = 400
_PATIENT = {"OMP_WAIT_POLICY": "PASSIVE"}
"""Threads that wait for each other sleep: on cores that others use too, spinning made training several times slower."""


def command(*arguments: str) -> list[str]:
    """A verb of `programs.job`, to be started. Isolated: of ours, only the folder of the programs is on its path."""
    return [python(), "-I", str(_START), *arguments]


def against(needs: Collection[str] | None = None) -> str | None:
    """What is missing for training, or None; only of the packages in `needs`, when some are named."""
    beside = sidecar_client.common()
    if beside is not None:
        missing = _of(_missing_beside(beside), needs)
        lacks = f"the image of the trainer lacks {' and '.join(missing)}: set config.build.trainImage to another."
        return lacks if missing else None
    named = python()
    if shutil.which(named) is None:
        return f"{PYTHON} names {named}, which is no program; name the Python of an environment with torch."
    missing = _of(_missing(named), needs)
    if not missing:
        return None
    return (
        f"training needs {' and '.join(missing)}, which {named} does not have: pip install 'modelyard[torch]' in an "
        f"environment of its own and name its Python in {PYTHON} (in a checkout, `make entries` makes one)."
    )


def run(
    verb: str, job: dict[str, Any], folder: Path, tell: Callable[[str], None], needs: Collection[str] | None = None
) -> dict[str, Any]:
    """Runs a job of `programs.job`; gives its result as JSON, and `tell` its progress line by line.

    `needs` are the packages it cannot do without, all that training needs when left out. FOLDER gets job, result and
    what it wrote to stderr. The process ends when we are interrupted. Raises InvalidSettings without a Python that has
    them, UnsupportedModel or HostFailure with its last words.
    """
    reason = against(needs)
    if reason:
        raise InvalidSettings(reason)
    folder.mkdir(parents=True, exist_ok=True)
    result, errors, beside = folder / f"{verb}-result.json", folder / f"{verb}.err", sidecar_client.common()
    result.unlink(missing_ok=True)
    if beside is not None:
        ended = sidecar_client.carried_out(beside, verb, job, result, errors, tell)
    else:
        ended = _carried_out(verb, job, folder, result, errors, tell)
    if ended != 0 or not result.is_file():
        raise _ended_early(ended, errors)
    return json.loads(result.read_text())


def _of(missing: tuple[str, ...], needs: Collection[str] | None) -> tuple[str, ...]:
    """Those of them that are needed."""
    return missing if needs is None else tuple(name for name in missing if name in needs)


def below(folder: Path, path: str) -> Path:
    """A file that a job says it has left; raises UnsupportedModel when there is none, or the path leads elsewhere."""
    if not is_safe_path(path) or not (folder / path).is_file():
        raise UnsupportedModel(f"the training says it left {path!r}, and there is no such file.")
    return folder / path


def _carried_out(
    verb: str, job: dict[str, Any], folder: Path, result: Path, errors: Path, tell: Callable[[str], None]
) -> int:
    """The exit code of a job in a process of ours.

    Isolated as it is, it works where we do: an address of MLflow's such as ./mlruns is meant from there.
    """
    job_file = folder / f"{verb}.json"
    job_file.write_text(json.dumps(job))
    with errors.open("wb") as stderr:
        process = subprocess.Popen(
            command(verb, str(job_file), str(result)),
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
            text=True,
            env=child_environment(_PATIENT),
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                tell(line.rstrip())
            return process.wait()
        finally:
            _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """Nothing of it goes on when we do not wait any longer."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout:
        process.stdout.close()


def _ended_early(code: int, errors: Path) -> ModelyardError:
    """HostFailure when the machine ended the training; else the author's code did."""
    end = End(code, _last(code, errors))
    cause = cause_of(end)
    if not cause.passes:
        return UnsupportedModel(f"the training ended early: {end.words}.")
    remedy = replace(cause, remedy="the trainer's memory is config.build.trainMemoryLimit")
    shown = remedy if cause.reason == "OutOfMemory" else cause
    return HostFailure(cause.reason, sentence(shown, "the training", end.words))


def _last(code: int, errors: Path) -> str:
    if code < 0:
        return f"it crashed with {signal.Signals(-code).name}"
    lines = errors.read_text(errors="replace").strip().splitlines()
    return (lines[-1:] or ["no message"])[0][:_MESSAGE_LENGTH].rstrip(".")


@cache
def _missing_beside(folder: Path) -> tuple[str, ...]:
    return sidecar_client.missing(folder)


@cache
def _missing(named: str) -> tuple[str, ...]:
    done = subprocess.run(
        [named, "-I", str(_START), "missing"],
        cwd=FOLDER,
        env=child_environment(),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        return ("torch",)
    return tuple(name.replace("_", "-") for name in done.stdout.split())
