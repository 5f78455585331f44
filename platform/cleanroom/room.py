"""A pristine Debian 12 root: what the README asks for (git, make, python3, certificates), and nothing else.

What crosses from this machine is where packages are had: certificate authorities, apt's sources and proxies,
pip's and uv's settings. A room is made whole beside its place and renamed, so what exists can be entered.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from localcluster.cache import kept
from localcluster.programs import toolchain
from localcluster.steps.task import Task

ASKED_FOR = ("git", "make", "python3", "ca-certificates")
RELEASE = "bookworm"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
SOURCES = ("etc/apt/sources.list", "etc/apt/sources.list.d/debian.sources")
SETTINGS = ("etc/pip.conf", "etc/uv/uv.toml", "usr/local/share/ca-certificates/*")
APT_WORDS = ("proxy", "registry")
"""An apt setting crosses when its file's name has one of these: how to reach archives, not what to install."""


def make(root: Path, task: Task) -> bool:
    """Make the room at `root` unless it is there; True when it was. Needs root and Debian's mmdebstrap."""
    return kept(root, lambda unfinished: _build(unfinished, task))


def remove(root: Path, task: Task) -> None:
    """Remove a room and all that was done in it; nothing mounted there by somebody else is touched."""
    task.run("rm", "-rf", "--one-file-system", root)


def _build(root: Path, task: Task) -> None:
    if not Path(toolchain.PACKAGES["mmdebstrap"]).exists():
        toolchain.install(task, ["mmdebstrap"])
    task.run(
        "mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(ASKED_FOR)}", RELEASE, root,
        hint="mmdebstrap needs Debian's package archive; see the log for the address it tried.",
    )  # fmt: skip
    if any(Path("/", name).exists() for name in SOURCES):
        (root / SOURCES[0]).unlink(missing_ok=True)  # mmdebstrap's own; this machine's follow
    for file in crossing():
        target = root / file.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def crossing(machine: Path = Path("/")) -> Iterator[Path]:
    """The files of this machine that a room gets."""
    for pattern in (*SOURCES, *SETTINGS, str(AUTHORITIES.relative_to("/"))):
        yield from (file for file in machine.glob(pattern) if file.is_file())
    for file in machine.glob("etc/apt/apt.conf.d/*"):
        if any(word in file.name for word in APT_WORDS):
            yield file
