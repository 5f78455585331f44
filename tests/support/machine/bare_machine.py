"""A user who has just cloned: this working tree without `.venv`, an empty HOME and cache, and the system's PATH only.

What was downloaded before is taken from this machine's download caches; everything else is looked for anew.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cleanroom.environment import bare
from modelyard.installation import cache_folder

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class BareMachine:
    """`clone` is the working tree's copy, `cache` its MODELYARD_CACHE; both lie below `home`, the user's HOME."""

    home: Path

    @property
    def clone(self) -> Path:
        return self.home / "project"

    @property
    def cache(self) -> Path:
        return self.home / "cache"

    @property
    def environment(self) -> dict[str, str]:
        """What `env -i` leaves, where packages are had, and the download caches."""
        downloads = {f"{tool.upper()}_CACHE_DIR": str(cache_folder() / f"{tool}-cache") for tool in ("uv", "pip")}
        return bare(os.environ, HOME=str(self.home), MODELYARD_CACHE=str(self.cache), **downloads)

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A command typed in the clone; never raises."""
        return subprocess.run(
            command, cwd=self.clone, env={**self.environment, **more}, capture_output=True, text=True, check=False
        )


def bare_machine(home: Path) -> BareMachine:
    """A machine whose user lives in the empty folder `home`."""
    machine = BareMachine(home)
    listing = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (machine.clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, machine.clone / name)
    return machine
