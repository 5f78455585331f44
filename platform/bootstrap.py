"""`make setup`: the virtual environment `.venv`, made with uv from a Python of this machine.

Runs on any Python 3 with nothing installed. Everything it writes lies in the clone (`.venv`, `.modelyard`)
or in the cache folder (`$MODELYARD_CACHE`, else ~/.cache/modelyard). A stamp over the package's metadata and
constraints makes the second run instant.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / ".modelyard-stamp"
CACHE = Path(os.environ.get("MODELYARD_CACHE") or Path.home() / ".cache" / "modelyard").expanduser()
PROJECT = ROOT / "platform" / "pyproject.toml"
CONSTRAINTS = ROOT / "platform" / "constraints.txt"
EXTRAS = "operator,builder,optimize,sklearn,dev"
OLDEST = (3, 11)
PYTHONS = ("/usr/bin/python3.11", "/usr/bin/python3", "python3.11", "python3.12", "python3.13", "python3.14", "python3")


class Unmet(Exception):
    """Something this machine lacks; the message says how to get it."""


def wanted_stamp() -> str:
    """Digest over what decides the content of the environment."""
    digest = hashlib.sha256(f"{EXTRAS}\n".encode())
    for path in (PROJECT, CONSTRAINTS):
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()


def is_current() -> bool:
    """True when `.venv` was made from exactly these files and still starts."""
    return STAMP.exists() and STAMP.read_text() == wanted_stamp() and (VENV / "bin" / "python").exists()


def answers(*command: str) -> bool:
    """True when the program starts and ends well."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def run(*command: str) -> None:
    """Run a command with its caches inside ours; its output is the user's progress."""
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    environment.setdefault("UV_CACHE_DIR", str(CACHE / "uv-cache"))
    environment.setdefault("PIP_CACHE_DIR", str(CACHE / "pip-cache"))
    environment.pop("VIRTUAL_ENV", None)
    subprocess.run(command, check=True, env=environment, cwd=ROOT)


def find_python() -> str:
    """The Python to build the environment from; Debian's own first, because Triton needs its libpython."""
    check = f"import sys; sys.exit(sys.version_info < {OLDEST})"
    for name in PYTHONS:
        path = shutil.which(name)
        if path and answers(path, "-c", check):
            return path
    raise Unmet("no Python 3.11 or newer was found: install it (Debian 12: apt-get install python3) and repeat.")


def find_uv(python: str) -> str:
    """uv from PATH, or one of our own in the cache folder."""
    path = shutil.which("uv")
    if path and answers(path, "--version"):
        return path
    own = CACHE / "uv" / "bin" / "uv"
    if answers(str(own), "--version"):
        return str(own)
    print(f"setup: uv is not installed; putting one into {own.parent.parent}", flush=True)
    shutil.rmtree(own.parent.parent, ignore_errors=True)
    if answers(python, "-m", "pip", "--version"):
        run(python, "-m", "pip", "install", "--quiet", "--target", str(own.parent.parent), "uv")
        return str(own)
    if not answers(python, "-c", "import ensurepip"):
        install_venv_package()
    run(python, "-m", "venv", str(own.parent.parent))
    run(str(own.parent / "pip"), "install", "--quiet", "uv")
    return str(own)


def install_venv_package() -> None:
    """Debian keeps pip and ensurepip in a package of their own."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Unmet("this Python has neither pip nor ensurepip: install python3-venv (Debian: apt-get) or uv, repeat.")
    print("setup: installing Debian's python3-venv", flush=True)
    run("apt-get", "update", "-qq")
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "python3-venv")


def build_environment() -> None:
    """Make or mend `.venv` and write the stamp last."""
    python = find_python()
    uv = find_uv(python)
    print(f"setup: making .venv with {python}", flush=True)
    inside = str(VENV / "bin" / "python")
    if not answers(inside, "-c", f"import sys; sys.exit(sys.version_info < {OLDEST})"):
        shutil.rmtree(VENV, ignore_errors=True)
        run(uv, "venv", "--quiet", "--python", python, str(VENV))
    pins = ("--constraints", str(CONSTRAINTS)) if CONSTRAINTS.exists() else ()
    run(uv, "pip", "install", "--python", inside, "--editable", f"platform[{EXTRAS}]", *pins)
    STAMP.write_text(wanted_stamp())


def main() -> int:
    """Exit code 0 when `.venv` is as wanted, 1 with one sentence otherwise."""
    if is_current():
        return 0
    lock = ROOT / ".modelyard" / "setup.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if is_current():
            return 0
        try:
            build_environment()
        except Unmet as missing:
            print(f"setup: {missing}", file=sys.stderr)
            return 1
        except subprocess.CalledProcessError as failed:
            print(f"setup: this command failed, its own words are above: {' '.join(failed.cmd)}", file=sys.stderr)
            return 1
    print("setup: .venv is ready; the command is .venv/bin/modelyard")
    return 0


if __name__ == "__main__":
    sys.exit(main())
