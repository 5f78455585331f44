"""Triton homes with either backend for onnxruntime, models in the form that Triton loads, and a Triton of a home.

On a machine with more to do than cores, Triton's Python backend now and then ends at its start with a lock in shared
memory. Builds and `modelyard serve` try that again, and so does `running` here.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from modelyard.builder.inspection.model_file import inspect
from modelyard.builder.triton import server
from modelyard.builder.triton.attempts import Attempts
from modelyard.builder.triton.config import complete_config
from modelyard.builder.triton.install import recipe_folder
from tests.support.artifacts import onnx_models as models

COMPILED = Path("backends", "onnxruntime", "libtriton_onnxruntime.so")


@contextmanager
def running(*where: Any, **options: Any) -> Iterator[server.TritonServer]:
    """`modelyard.builder.triton.server.running`, begun as often as a build begins it."""
    with ExitStack() as stack:
        yield Attempts().of(lambda: stack.enter_context(server.running(*where, **options)))


def home_with_python_backend(home: Path, to: Path) -> Path:
    """A home like `home`, but onnxruntime is served by the backend in Python, as where there is no C compiler."""
    backend = to / "backends" / "onnxruntime"
    backend.mkdir(parents=True)
    shutil.copy2(recipe_folder() / "backends" / "onnxruntime" / "model.py", backend)
    _share(home, to)
    (to / "bin").symlink_to(home / "bin")
    return to


def sanitized_home(home: Path, to: Path, *more: Path) -> Path:
    """A home like `home` whose compiled backend, with the C files `more`, watches itself and writes into the log."""
    folder = to / "backends" / "onnxruntime"
    folder.mkdir(parents=True)
    sources = sorted((recipe_folder() / "onnxruntime_backend").glob("*.c"))
    flags = ("-shared", "-fPIC", "-O1", "-g", "-std=gnu11", "-fvisibility=hidden", "-fno-omit-frame-pointer")
    watch = "-fsanitize=address,undefined"
    subprocess.run(["cc", *flags, watch, "-o", to / COMPILED, *sources, *more, "-ldl"], check=True)
    _share(home, to)
    libraries = [_of_the_compiler(name) for name in ("libasan.so", "libubsan.so", "libstdc++.so.6")]
    start = to / "bin" / "tritonserver"
    start.parent.mkdir()
    tritons = to / "leaks-of-tritons-own"
    tritons.write_text("leak:triton::server::HTTPAPIServer\n")  # it forgets a few bytes of each empty output
    start.write_text(
        "#!/bin/sh\n"
        f"export LSAN_OPTIONS=suppressions={tritons}:print_suppressions=0\n"
        f"LD_PRELOAD={':'.join(libraries)}:$LD_PRELOAD ASAN_OPTIONS=handle_segv=0 UBSAN_OPTIONS=print_stacktrace=1 \\\n"
        f'  exec {home / "bin" / "tritonserver"} "$@"\n'
    )
    start.chmod(0o755)
    return to


def _share(home: Path, to: Path) -> None:
    """What is the same in every home: all but the server's program and onnxruntime's backend."""
    for part in ("lib", "sbin", "site", "backends/python", "backends/openvino", "backends/modelyard_python"):
        (to / part).symlink_to(home / part)


def _of_the_compiler(library: str) -> str:
    found = subprocess.run(["cc", f"-print-file-name={library}"], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def save_for_triton(proto: Any, author: str, folder: Path) -> Path:
    """A model and its configuration, which begins with `author`'s, as a folder of a model repository: the model."""
    return _configured(models.saved(proto, folder / "1" / "model.onnx"), author, folder)


def triton_folder(model: Path, author: str, folder: Path) -> Path:
    """The same of a model that is a file already, without weights beside it."""
    (folder / "1").mkdir(parents=True)
    return _configured(Path(shutil.copy2(model, folder / "1" / "model.onnx")), author, folder)


def _configured(path: Path, author: str, folder: Path) -> Path:
    graph = inspect(path)
    text = complete_config(author, folder.name, graph.inputs, graph.outputs, batchable="max_batch_size" in author)
    (folder / "config.pbtxt").write_text(text)
    return path
