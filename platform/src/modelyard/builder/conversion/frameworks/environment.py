"""The packages of a framework: made once from pinned wheels, kept in the cache, found by nothing but its program.

The person who pushes a model need not have what it was trained with, and our own environment never gets it. Where
nothing can be fetched, `MODELYARD_CONVERSION_HOME` names a folder with a folder of packages for each framework. PyTorch
is gigabytes, so it is not installed by the way: its program runs in the Python that trains.
"""

import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from modelyard.builder.environments import packages, torch_python
from modelyard.errors import InvalidSettings
from modelyard.installation import cache_folder

from .catalogue import Framework

HOME = "MODELYARD_CONVERSION_HOME"
REQUIREMENTS = Path(__file__).with_name("requirements")


@dataclass(frozen=True)
class FrameworkPython:
    """A Python and the folder with a framework's packages; no folder where the Python has them itself."""

    program: str
    site: Path | None = None

    def command(self, script: Path, *words: str) -> list[str]:
        """The words that run a script in it, whose first argument is the folder."""
        alone = ["-S"] if self.site else []
        return [self.program, "-I", *alone, str(script), str(self.site or ""), *words]


def python_of(framework: Framework, say: Callable[[str], None] = lambda _: None) -> FrameworkPython:
    """Where a framework's program runs. Raises what `site_of` raises, InvalidSettings when there is no such Python."""
    if framework.program != "torch":
        return FrameworkPython(sys.executable, site_of(framework, say))
    named = torch_python.python()
    if shutil.which(named) is None:
        raise InvalidSettings(f"{torch_python.PYTHON} names {named}, which is no program; name a Python with torch.")
    return FrameworkPython(named)


def site_of(framework: Framework, say: Callable[[str], None] = lambda _: None) -> Path:
    """The folder with a framework's packages; installs them when they are not there yet.

    `say` gets what is done as a sentence. Raises InvalidSettings when no installer is here or the folder that is named
    has none, Unreachable when they cannot be downloaded.
    """
    site = _place(framework)
    if os.environ.get(HOME):
        if not site.is_dir():
            raise InvalidSettings(f"{HOME} names {site.parent}, which has no folder {framework.program}; unset it.")
        return site
    site.parent.mkdir(parents=True, exist_ok=True)
    with site.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not site.is_dir():
            say(f"installing {framework.name} to convert with (once)")
            with tempfile.TemporaryDirectory(dir=site.parent, prefix=".new-") as scratch:
                made = Path(scratch, "site")
                packages.install(_requirements(framework), made, packages.python_version(), framework.name, say)
                made.rename(site)
    return site


def is_installed(framework: Framework) -> bool:
    """Whether a conversion would find the framework's packages where they belong."""
    return _place(framework).is_dir()


def _place(framework: Framework) -> Path:
    named = os.environ.get(HOME)
    if named:
        return Path(named, framework.program).absolute()
    recipe = packages.python_version().encode() + _requirements(framework).read_bytes()
    return cache_folder() / "conversion" / f"{framework.program}-{hashlib.sha256(recipe).hexdigest()[:16]}"


def _requirements(framework: Framework) -> Path:
    return REQUIREMENTS / f"{framework.program}.txt"
