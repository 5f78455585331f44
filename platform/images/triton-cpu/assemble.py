"""Turns the packages of `requirements.txt`, installed into HOME/site, into a Triton home.

    python3 assemble.py HOME [X.Y]

The image and `modelyard build` on a workstation both run this, so both serve with the same files:

    HOME/bin/tritonserver
    HOME/sbin/tritonserver     the same under supervise.py, for containers
    HOME/lib/                  shared libraries, for LD_LIBRARY_PATH, and frontend_*.c
    HOME/caches/local/         the response cache, for Models that ask for it
    HOME/backends/python/      the C++ part, its Python module and the stub of Python X.Y
    HOME/backends/onnxruntime/ our backend: onnxruntime_backend/*.c
    HOME/backends/openvino/    our backend for OpenVINO's IR
    HOME/backends/modelyard_python/  our backend for the Python of an entry's author
    HOME/site/                 numpy, onnxruntime and openvino for the stub, and what our backends share

What is in C comes from `compiled/` beside this script, where a wheel of Modelyard brought it and this system can load
it, else from the C compiler. Where there is neither, onnxruntime is served by `model.py` and a sentence says so: the
same answers, but up to four times the CPU time for small models, and HTTP 500 for what is no JSON.

The stub starts the system's libpython and heeds no PYTHONPATH, but its own folder is on the path before any model
code runs: links there make numpy importable. Standard library only: it runs before anything else is installed.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BACKENDS = ("onnxruntime", "openvino", "modelyard_python")
SHARED = "modelyard_serving.py"
COMPILED = {
    "lib/libmodelyard_frontend.so": ("frontend_errors.c", "frontend_replies.c"),
    "backends/onnxruntime/libtriton_onnxruntime.so": ("onnxruntime_backend/*.c",),
}
"""Libraries by their place in HOME, and the sources of each beside this script."""
FLAGS = ("-shared", "-fPIC", "-O2", "-std=gnu11", "-Wall", "-Wextra", "-fvisibility=hidden", "-s")
UNUSED_OPENVINO = (
    "libs/*gpu_plugin*", "libs/*npu_plugin*", "libs/cache.json", "libs/*auto_batch*", "libs/*hetero*",
    "libs/*tensorflow*", "libs/*pytorch*", "libs/*paddle*", "libs/*jax*", "libs/*gguf*",
    "include", "cmake",
)  # fmt: skip
"""Its own IR is served, on CPUs, and the builder reads ONNX with it: no other devices or formats (101 MB of 178)."""


def assemble(home: Path, python: str) -> None:
    """Rearranges HOME/site in place; raises FileNotFoundError when the wheel has no stub for `python`."""
    site = home / "site"
    server = site / "pytriton" / "tritonserver"
    backend = home / "backends" / "python"
    backend.parent.mkdir(parents=True)
    shutil.copytree(server / "backends" / "python", backend)
    shutil.copy2(server / "python_backend_stubs" / python / "triton_python_backend_stub", backend)
    for package in ("numpy", "numpy.libs"):
        (backend / package).symlink_to(Path("..", "..", "site", package))
    for ours in BACKENDS:
        shutil.copytree(HERE / "backends" / ours, home / "backends" / ours)
    shutil.copy2(HERE / "backends" / SHARED, site)
    (home / "bin").mkdir()
    shutil.move(server / "bin" / "tritonserver", home / "bin" / "tritonserver")
    shutil.copytree(server / "caches", home / "caches")
    shutil.move(site / "nvidia_pytriton.libs", home / "lib")
    (home / "sbin").mkdir()
    shutil.copy2(HERE / "supervise.py", home / "sbin" / "tritonserver")
    if {True} == {_library(home / place, sources) for place, sources in COMPILED.items()}:
        (home / "backends" / "onnxruntime" / "model.py").unlink()
    else:
        print("without a C compiler (cc) models are served by Python: the same answers, at more CPU time")
    openvino = [path for pattern in UNUSED_OPENVINO for path in (site / "openvino").glob(pattern)]
    for unused in (*(home / "lib").glob("libpython3*"), site / "pytriton", site / "bin", site / ".lock", *openvino):
        shutil.rmtree(unused) if unused.is_dir() else unused.unlink(missing_ok=True)
    for tests in [*site.glob("numpy/**/tests")]:
        shutil.rmtree(tests)
    _readable(home)


def compile_library(sources: tuple[str, ...], to: Path) -> None:
    """Compiles `sources`, patterns beside this script; raises CalledProcessError with the compiler's words above it."""
    files = sorted(path for pattern in sources for path in HERE.glob(pattern))
    subprocess.run(["cc", *FLAGS, "-o", to, *files, "-ldl"], check=True)


def _library(to: Path, sources: tuple[str, ...]) -> bool:
    """Puts a library in its place; False when neither a wheel brought one for this system nor a compiler is here."""
    brought = HERE / "compiled" / to.name
    if brought.exists() and _loads(brought):
        shutil.copy2(brought, to)
        return True
    if shutil.which("cc") is None:
        return False
    compile_library(sources, to)
    return True


def _loads(library: Path) -> bool:
    try:
        ctypes.CDLL(str(library), os.RTLD_LAZY)  # what it wants of Triton is looked up when it is called
    except OSError:
        return False
    return True


def _readable(home: Path) -> None:
    """Everybody may read and run it: the server's user is not the one who installs."""
    for path in [home, *home.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
    stub = home / "backends" / "python" / "triton_python_backend_stub"
    for program in (home / "bin" / "tritonserver", home / "sbin" / "tritonserver", stub):
        program.chmod(0o755)


if __name__ == "__main__":
    assemble(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else f"{sys.version_info[0]}.{sys.version_info[1]}")
