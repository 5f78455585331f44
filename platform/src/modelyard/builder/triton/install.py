"""Triton for use on this machine: made once, kept in the cache, the same files as in the image `triton-cpu`.

Its pins (numpy below 2) clash with ours, so it never shares an environment with Modelyard: the packages of
`images/triton-cpu/requirements.txt` are installed into a folder of their own and arranged by the script beside
them. In the builder's image `MODELYARD_TRITON_HOME` names the one that is already there.
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from modelyard.builder.environments import packages
from modelyard.child_environment import FOLDER, SAFE_PYTHON
from modelyard.errors import InvalidSettings
from modelyard.installation import cache_folder

PYTHONS = ("3.11", "3.12")
"""Pythons for which the wheel has a stub, numpy 1.26 exists and onnxruntime is current."""


def triton_home(say: Callable[[str], None] = lambda _: None, python: str | None = None) -> Path:
    """The folder with bin/tritonserver; installs it when it is not there yet (some 150 MB of downloads).

    `say` gets what is done as a sentence, `python` is the version X.Y of which its stub has to be, where that matters.
    Raises InvalidSettings when Triton cannot run on this machine or no installer is here, Unreachable when the packages
    cannot be downloaded.
    """
    named = os.environ.get("MODELYARD_TRITON_HOME")
    if named:
        if not Path(named, "bin", "tritonserver").is_file():
            raise InvalidSettings(f"MODELYARD_TRITON_HOME names {named}, which has no bin/tritonserver; unset it.")
        return Path(named)
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise InvalidSettings("Triton runs here only on Linux x86-64; build on such a machine or in the cluster.")
    python, recipe = _python(python), recipe_folder()
    home = cache_folder() / "triton" / _digest(recipe, python)[:16]
    home.parent.mkdir(parents=True, exist_ok=True)
    with home.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "bin" / "tritonserver").is_file():
            say("installing Triton for local use (once; some 150 MB to download)")
            _install(recipe, python, home, say)
    return home


def recipe_folder() -> Path:
    """images/triton-cpu: beside the sources in a checkout, inside the package when that was installed."""
    here = Path(__file__).resolve()
    places = (here.parents[4] / "images" / "triton-cpu", here.parent / "triton-cpu")
    return next(place for place in places if (place / "assemble.py").is_file())


def _digest(recipe: Path, python: str) -> str:
    total = hashlib.sha256(f"{python} {'cc' if shutil.which('cc') else ''}".encode())
    for file in sorted(path for path in recipe.rglob("*") if path.suffix in (".c", ".h", ".py", ".so", ".txt")):
        total.update(file.relative_to(recipe).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return total.hexdigest()


def _python(named: str | None = None) -> str:
    """Version of a Python whose shared library the system has: that one, or any, ours first."""
    listed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=False).stdout
    present = set(re.findall(r"libpython(3\.\d+)\.so\.1\.0 ", listed))
    for version in (named,) if named is not None else (packages.python_version(), *PYTHONS):
        if version in present and version in PYTHONS:
            return version
    wanted = named or " or ".join(PYTHONS)
    raise InvalidSettings(f"Triton needs the shared library of Python {wanted}: apt-get install libpython3.11.")


def _install(recipe: Path, python: str, home: Path, say: Callable[[str], None]) -> None:
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".new-") as scratch:
        made = Path(scratch, "home")
        packages.install(recipe / "requirements.txt", made / "site", python, "Triton", say)
        assemble = [*SAFE_PYTHON, str(recipe / "assemble.py"), str(made), python]
        arranged = subprocess.run(assemble, cwd=FOLDER, check=True, stdout=subprocess.PIPE, text=True)
        for sentence in arranged.stdout.splitlines():
            say(sentence)
        made.rename(home)
