"""The programs that the user brings, and whether they are fit."""

import re
import shutil

from localcluster.errors import CommandFailed, NotPossible
from localcluster.steps.task import Task

BROUGHT_BY_THE_USER = {
    "docker": "install Docker and start it",
    "kind": "install kind 0.33 or newer (https://kind.sigs.k8s.io/docs/user/quick-start)",
}
"""Programs that no step installs, and how a person gets them."""
OLDEST_KIND = (0, 33)
"""kind supports a node image only with the releases since the one it was built for."""
PLATFORM = "linux/amd64"
"""Triton's packages exist for this one alone."""
_OTHERWISE = "or unset MODELYARD_CLUSTER to use a cluster that needs neither Docker nor kind (Linux, as root)"


def require(task: Task) -> str:
    """Versions of both; raises NotPossible with what is missing and how to get it."""
    for name, remedy in BROUGHT_BY_THE_USER.items():
        if not shutil.which(name):
            raise NotPossible(f"The program {name} is missing: {remedy}, {_OTHERWISE}.")
    _require_platform(task)
    return f"kind {_require_kind(task)}"


def _require_platform(task: Task) -> None:
    try:
        platform = task.run("docker", "version", "--format", "{{.Server.Os}}/{{.Server.Arch}}").strip()
    except CommandFailed as failure:
        raise NotPossible(
            "Docker's daemon does not answer: start it, and see that this user may use it (`docker info`).", failure.log
        ) from failure
    if platform != PLATFORM:
        raise NotPossible(f"Docker runs {platform} here, and Triton's packages are for {PLATFORM} only, {_OTHERWISE}.")


def _require_kind(task: Task) -> str:
    text = task.run("kind", "version")
    match = re.search(r"v(\d+)\.(\d+)\.\d+", text)
    if not match or (int(match[1]), int(match[2])) < OLDEST_KIND:
        number = match[0] if match else text.strip()
        raise NotPossible(f"This is kind {number}: {BROUGHT_BY_THE_USER['kind']}.")
    return match[0]
