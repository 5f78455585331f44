"""The way into a room: `unshare ... python -m cleanroom.enter ROOT SOURCE COMMAND...`.

Runs as the first process of its own namespaces. The room becomes the root by pivot_root (in a chroot, runc refuses
to start containers), the clone it is tried on is a fresh one of SOURCE's HEAD, and nothing else of this machine's
files is left in sight. Each command's beginning and end is a line of its own, which `__main__` reads.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .environment import CERTIFICATES, bare
from .room import AUTHORITIES

UNSHARE = ("unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child")
BEGIN, END = "cleanroom begins:", "cleanroom ended with code"
# What a room is left with: no cluster of its own on the machine's network.
_SCRIPT = f"""
cd && rm -rf project && git -c safe.directory=* clone -q /source project && cd project || exit 1
for command in "$@"; do
  echo "{BEGIN} $command"
  (eval "$command") < /dev/null
  echo "{END} $?"
done
[ ! -d .modelyard/cluster ] || make cluster-down
"""


def command_line(root: Path, source: Path, commands: list[str]) -> list[str]:
    """What starts this module in namespaces of its own."""
    return [*UNSHARE, sys.executable, "-m", "cleanroom.enter", str(root), str(source), *commands]


def _mount(*words: str | Path) -> None:
    subprocess.run(["mount", *map(str, words)], check=True)


def _lay_out(root: Path, source: Path) -> None:
    """Mount what a running system has, and the sources, below the room's root."""
    _mount("--make-rprivate", "/")
    _mount("--bind", root, root)
    _mount("-t", "proc", "proc", root / "proc")
    for name in ("sys", "dev"):
        _mount("--rbind", f"/{name}", root / name)
    _mount("-t", "tmpfs", "tmpfs", root / "run")
    for name in ("source", "outside"):
        (root / name).mkdir(exist_ok=True)
    _mount("--bind", source, root / "source")
    _mount("-o", "remount,bind,ro", root / "source")
    for file in ("/etc/resolv.conf", "/etc/hosts"):
        shutil.copyfile(file, root / file.lstrip("/"))


def main() -> None:
    """Make the room the root and become the shell that runs the commands."""
    root, source, commands = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    environment = bare(os.environ, HOME="/root", TERM="dumb")
    environment.update({name: str(AUTHORITIES) for name in CERTIFICATES if name in environment and name[-3:] != "DIR"})
    _lay_out(root, source)
    os.chdir(root)
    subprocess.run(["pivot_root", ".", "outside"], check=True)
    subprocess.run(["umount", "-l", "/outside"], check=True)
    os.execve("/bin/bash", ["bash", "-c", _SCRIPT, "room", *commands], environment)  # noqa: S606 - becoming it is the point


if __name__ == "__main__":
    main()
