"""TFLite, written by onnx2tf and run by LiteRT, neither of which can share an environment with Modelyard.

onnx2tf writes flatbuffers directly since 2.4, without TensorFlow; it wants Python 3.12 and other versions of numpy
and onnx than ours. `MODELYARD_TFLITE_PYTHON` names the Python of an environment that has it and `ai-edge-litert`;
without it our own Python is asked. What happens there is in `tflite_program`, which knows nothing of Modelyard.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from modelyard.builder.evaluation.evaluation_set import read_arrays
from modelyard.builder.inference.sessions import Feed
from modelyard.builder.inspection.graph import Graph
from modelyard.child_environment import FOLDER, child_environment, program_path
from modelyard.core.failure_causes import End, cause_of, sentence
from modelyard.errors import HostFailure, ModelyardError, UnsupportedModel

from .archive import save_arrays

FILE = "model.tflite"
PYTHON = "MODELYARD_TFLITE_PYTHON"
_PROGRAM = Path(__file__).with_name("tflite_program.py")
_MESSAGE_LENGTH = 300


def against_making() -> str | None:
    """Why nothing can be converted here, with the remedy; None when it can."""
    return _against("onnx2tf", "ai_edge_litert")


def against_asking() -> str | None:
    """Why nothing can be run here, with the remedy; None when it can."""
    return _against("ai_edge_litert")


def convert(model: Path, graph: Graph, folder: Path) -> str:
    """Writes FOLDER/model.tflite, whose inputs keep names and shapes, and returns the converter's name and version.

    Raises UnsupportedModel with the converter's last line, HostFailure when the machine ended it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="modelyard-tflite-") as scratch:
        names = [port.name for port in graph.inputs]
        done = _run("convert", str(model.absolute()), str(folder.absolute() / FILE), *names, cwd=scratch)
    if done.returncode != 0:
        raise _failed(done, f"onnx2tf cannot convert this model ({_last_line(done)}); export with --format onnx.")
    return done.stdout.strip().splitlines()[-1]


def answer(path: Path, feed: Feed) -> tuple[Feed, str]:
    """Arrays by output name for arrays by input name, and LiteRT's name and version.

    Raises UnsupportedModel with its last line, HostFailure when the machine ended it.
    """
    with tempfile.TemporaryDirectory(prefix="modelyard-tflite-") as scratch:
        inputs, outputs = Path(scratch, "inputs.npz"), Path(scratch, "outputs.npz")
        save_arrays(inputs, feed)
        done = _run("answer", str(path.absolute()), str(inputs), str(outputs), cwd=scratch)
        if done.returncode != 0:
            raise _failed(done, f"LiteRT cannot run it ({_last_line(done)}); export with --format onnx.")
        return read_arrays(outputs), done.stdout.strip().splitlines()[-1]


def _against(*packages: str) -> str | None:
    python = _python()
    if shutil.which(python) is None:
        return f"{PYTHON} names {python}, which is no program; name the Python of an environment with onnx2tf."
    missing = _missing(python, packages)
    if not missing:
        return None
    return (
        f"TFLite needs {' and '.join(missing)}, which {python} does not have: install onnx2tf 2.4 or newer and "
        f"ai-edge-litert with Python 3.12 on Linux, in an environment of their own (their numpy and onnx are not "
        f"Modelyard's), and name its Python in {PYTHON}."
    )


@cache
def _missing(python: str, packages: tuple[str, ...]) -> tuple[str, ...]:
    done = _run("missing", *packages, cwd=FOLDER)
    absent = set(done.stdout.split()) if done.returncode == 0 else set(packages)
    return tuple(name.replace("_", "-") for name in packages if name in absent)


def _python() -> str:
    return program_path(os.environ.get(PYTHON, "")) or sys.executable


def _run(*arguments: str, cwd: str) -> subprocess.CompletedProcess[str]:
    # Isolated: otherwise the program's folder comes first on the path, and our inspect.py hides Python's.
    command = [_python(), "-I", str(_PROGRAM), *arguments]
    return subprocess.run(
        command, cwd=cwd, env=child_environment(), capture_output=True, text=True, errors="replace", check=False
    )


def _failed(done: subprocess.CompletedProcess[str], refused: str) -> ModelyardError:
    """The error to raise: HostFailure when the machine ended the program, else that the model is refused."""
    end = End(done.returncode, done.stderr)
    cause = cause_of(end)
    if not cause.passes or cause.reason == "Unexplained":
        return UnsupportedModel(refused)
    return HostFailure(cause.reason, sentence(cause, "the converter", _last_line(done), end.signal))


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode < 0:
        return f"it crashed with signal {-done.returncode}"
    return (done.stderr.strip().splitlines()[-1:] or ["no message"])[0][:_MESSAGE_LENGTH]
