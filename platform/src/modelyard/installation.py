"""Where this machine keeps what Modelyard installs, and the uv that installs it: asked here, by everybody.

`platform/bootstrap.py` imports this before anything is installed, so it needs nothing but a Python's own library.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def cache_folder() -> Path:
    """The absolute folder of all that can be made again: `$MODELYARD_CACHE`, else ~/.cache/modelyard."""
    named = os.environ.get("MODELYARD_CACHE")
    return Path(named or Path.home() / ".cache" / "modelyard").expanduser().resolve()


def own_uv() -> Path:
    """Where `make setup` puts a uv on a machine that has none."""
    return cache_folder() / "uv" / "bin" / "uv"


def find_uv() -> str | None:
    """Path of a uv that starts: beside the running Python, else our own in the cache, else PATH's; None without any."""
    candidates = (str(Path(sys.prefix) / "bin" / "uv"), str(own_uv()), shutil.which("uv"))
    return next((path for path in candidates if path and _starts(path)), None)


def _starts(program: str) -> bool:
    """Whether it is a program and runs: a version switcher's stand-in on PATH may be neither."""
    try:
        return subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def installer_environment() -> dict[str, str]:
    """Environment of every uv and pip: caches inside ours, the system's certificates, no Python but the machine's.

    What the caller's environment says about caches and certificates wins.
    """
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    environment = {**os.environ, **quiet, "UV_PYTHON_DOWNLOADS": "never"}
    environment.setdefault("UV_CACHE_DIR", str(cache_folder() / "uv-cache"))
    environment.setdefault("PIP_CACHE_DIR", str(cache_folder() / "pip-cache"))
    if SYSTEM_CERTIFICATES.exists():
        environment.setdefault("UV_SYSTEM_CERTS", "true")
    environment.pop("VIRTUAL_ENV", None)
    return environment
