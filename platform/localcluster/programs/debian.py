"""Programs of Debian packages that are unpacked into the cache and neither installed nor set up.

For tests: a package's program is there in seconds, where a build of the same takes minutes.
"""

import os
import shutil
from pathlib import Path

from localcluster.cache import kept
from localcluster.errors import NotPossible
from localcluster.paths import Paths
from localcluster.steps.task import Task


def fetch(paths: Paths, task: Task, package: str) -> Path:
    """Folder with the files of a package of this Debian, as it would lie under /; fetched once."""
    result = paths.cache / "debian" / package

    def unpack(unfinished: Path) -> None:
        if not shutil.which("apt-get"):
            raise NotPossible(f"{package} is fetched with apt-get, which this machine has not: use a Debian.")
        task.say(f"fetching {package}")
        archives = unfinished.with_name(f"{unfinished.name}-archives")
        shutil.rmtree(archives, ignore_errors=True)
        archives.mkdir(parents=True)
        if os.geteuid() == 0:
            task.run("apt-get", "update", "-q")
        task.run("apt-get", "download", "-q", package, cwd=archives)
        [archive] = archives.glob("*.deb")
        unfinished.mkdir()
        task.run("dpkg-deb", "-x", archive, unfinished)
        shutil.rmtree(archives)

    kept(result, unpack)
    return result
