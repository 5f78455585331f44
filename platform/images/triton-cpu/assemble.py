"""Turns the packages of `requirements.txt`, installed into HOME/site, into a Triton home.

    python3 assemble.py HOME [X.Y]

The image and `modelyard build` on a workstation both run this, so both serve with the same files:

    HOME/bin/tritonserver
    HOME/sbin/tritonserver     the same under supervise.py, for containers
    HOME/lib/                  shared libraries, for LD_LIBRARY_PATH; frontend_errors.c where there is a C compiler
    HOME/backends/python/      the C++ part, its Python module and the stub of Python X.Y
    HOME/backends/onnxruntime/ our backend
    HOME/backends/openvino/    our other backend
    HOME/site/                 numpy, onnxruntime and openvino for the stub, and what our backends share

The stub starts the system's libpython and heeds no PYTHONPATH, but its own folder is on the path before any model
code runs: links there make numpy importable. Standard library only: it runs before anything else is installed.
"""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BACKENDS = ("onnxruntime", "openvino")
SHARED = "modelyard_serving.py"
FRONTEND = "libmodelyard_frontend.so"
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
    shutil.move(site / "nvidia_pytriton.libs", home / "lib")
    (home / "sbin").mkdir()
    shutil.copy2(HERE / "supervise.py", home / "sbin" / "tritonserver")
    if shutil.which("cc"):
        source, library = HERE / "frontend_errors.c", home / "lib" / FRONTEND
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-Wall", "-o", library, source], check=True)
    openvino = [path for pattern in UNUSED_OPENVINO for path in (site / "openvino").glob(pattern)]
    for unused in (*(home / "lib").glob("libpython3*"), site / "pytriton", site / "bin", site / ".lock", *openvino):
        shutil.rmtree(unused) if unused.is_dir() else unused.unlink(missing_ok=True)
    for tests in [*site.glob("numpy/**/tests")]:
        shutil.rmtree(tests)
    _readable(home)


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
