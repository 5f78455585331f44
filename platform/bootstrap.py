"""`make setup`: the virtual environment `.venv`, made with uv from a Python of this machine.

With the word `compiler`, as targets that test Triton's backend here start it: a C compiler; images bring their own.

Runs on any Python 3 with nothing installed. Everything it writes lies in the clone (`.venv`, `.modelyard`)
or in the cache folder. A stamp over the package's metadata and constraints makes the second run instant.
"""

import fcntl
import glob
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / ".modelyard-stamp"
PROJECT = ROOT / "platform" / "pyproject.toml"
CONSTRAINTS = ROOT / "platform" / "constraints.txt"
PINNED_UV = ROOT / "platform" / "images" / "uv.txt"
EXTRAS = "builder,cli,optimize,recorder,sklearn,dev"
OLDEST = (3, 11)
PYTHONS = ("/usr/bin/python3.11", "/usr/bin/python3", "python3.11", "python3.12", "python3.13", "python3.14", "python3")
PIP_PACKAGE = "python3-venv"
LIBRARY_PACKAGE = "libpython3.11"
COMPILER_PACKAGES = ("gcc", "libc6-dev")
LIBRARIES = tuple(f"/usr/lib/*/libpython3.{minor}.so.1.0" for minor in (11, 12))

sys.path.insert(0, str(ROOT / "platform" / "src"))
from modelyard.installation import find_uv, installer_environment, own_uv  # noqa: E402


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
    subprocess.run(command, check=True, env=installer_environment(), cwd=ROOT)


def find_python() -> str:
    """The Python to build the environment from; Debian's own first, because Triton needs its libpython."""
    check = f"import sys; sys.exit(sys.version_info < {OLDEST})"
    for name in PYTHONS:
        path = shutil.which(name)
        if path and answers(path, "-c", check):
            return path
    raise Unmet("no Python 3.11 or newer was found: install it (Debian 12: apt-get install python3) and repeat.")


def ensure_uv(python: str) -> str:
    """A uv that starts; where there is none, one of our own in the cache folder, made whole before it is seen there."""
    home = own_uv().parent.parent
    with alone(home.with_name("uv.lock")):
        path = find_uv()
        if path:
            return path
        print(f"setup: uv is not installed; putting one into {home}", flush=True)
        unfinished = home.with_name("uv.unfinished")
        for folder in (unfinished, home):
            shutil.rmtree(folder, ignore_errors=True)
        install_uv(python, unfinished)
        unfinished.rename(home)
    return str(own_uv())


def install_uv(python: str, folder: Path) -> None:
    """The pinned uv as `folder`/bin/uv, by this Python's pip or one of a virtual environment."""
    requirement = ("install", "--quiet", "--require-hashes", "--requirement", str(PINNED_UV))
    if answers(python, "-m", "pip", "--version"):
        run(python, "-m", "pip", *requirement, "--target", str(folder))
        return
    run(python, "-m", "venv", str(folder))
    run(str(folder / "bin" / "python"), "-m", "pip", *requirement)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold a file lock: clones share the cache, and two commands may set up the same clone."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def missing_packages(python: str) -> list[str]:
    """Debian packages without which uv cannot be had (pip's) or Triton does not start (Python's shared library)."""
    names = []
    ways = (("-m", "pip", "--version"), ("-c", "import ensurepip"))
    if not find_uv() and not any(answers(python, *words) for words in ways):
        names.append(PIP_PACKAGE)
    if not any(glob.glob(pattern) for pattern in LIBRARIES):
        names.append(LIBRARY_PACKAGE)
    return names


def install_packages(*names: str) -> bool:
    """Install what Debian keeps in packages of their own; False where we may not."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print(f"setup: installing Debian's {' and '.join(names)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (("update",), ("install", "-y", "--no-install-recommends", *names)):
        subprocess.run(("apt-get", "-qq", *words), check=True, env=environment, stdout=subprocess.DEVNULL)
    return True


def ensure_packages(python: str) -> None:
    """Who may not install packages is told what is missing, and stopped only for want of pip."""
    missing = missing_packages(python)
    if not missing or install_packages(*missing):
        return
    if PIP_PACKAGE in missing:
        raise Unmet(f"this Python has neither pip nor ensurepip: install uv or {PIP_PACKAGE}, and repeat.")
    print(f"setup: to build or serve models here, Triton needs {LIBRARY_PACKAGE}: install it.", file=sys.stderr)


def ensure_compiler() -> None:
    """Raises Unmet where there is no C compiler and we may not install one."""
    if not shutil.which("cc") and not install_packages(*COMPILER_PACKAGES):
        raise Unmet(f"no C compiler (cc) was found: install {' and '.join(COMPILER_PACKAGES)}, and repeat.")


def build_environment() -> None:
    """Make or mend `.venv` and write the stamp last."""
    python = find_python()
    ensure_packages(python)
    uv = ensure_uv(python)
    print(f"setup: making .venv with {python}", flush=True)
    inside = str(VENV / "bin" / "python")
    if not answers(inside, "-c", f"import sys; sys.exit(sys.version_info < {OLDEST})"):
        shutil.rmtree(VENV, ignore_errors=True)
        run(uv, "venv", "--quiet", "--python", python, str(VENV))
    pins = ("--constraints", str(CONSTRAINTS)) if CONSTRAINTS.exists() else ()
    run(uv, "pip", "install", "--python", inside, "--editable", f"platform[{EXTRAS}]", *pins)
    STAMP.write_text(wanted_stamp())


def main(words: list[str]) -> int:
    """Exit code 0 when all is as wanted, 1 with one sentence otherwise."""
    wanted = ensure_compiler if "compiler" in words else ensure_environment
    try:
        wanted()
    except Unmet as missing:
        print(f"setup: {missing}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as failed:
        print(f"setup: this command failed, its own words are above: {' '.join(failed.cmd)}", file=sys.stderr)
        return 1
    return 0


def ensure_environment() -> None:
    """Make `.venv` unless it is as wanted."""
    if is_current():
        return
    with alone(ROOT / ".modelyard" / "setup.lock"):
        if is_current():
            return
        build_environment()
    print("setup: .venv is ready; the command is .venv/bin/modelyard")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
