"""Packages with pinned hashes in a folder of their own, by uv or pip: nothing of it is found by who is not told."""

import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

from modelyard.child_environment import FOLDER, child_environment
from modelyard.errors import InvalidEntry, InvalidSettings, Unreachable
from modelyard.installation import find_uv, installer_environment

_LINES, _TOLD = 6, 300
"""Of an installer's last words: lines, and characters of them in a message."""
_FOR_UV = ("--python-platform", "x86_64-manylinux_2_28")
_FOR_PIP = (
    "--no-compile",
    *(
        word
        for platform in (
            "manylinux_2_28",
            "manylinux_2_27",
            "manylinux_2_24",
            "manylinux_2_17",
            "manylinux2014",
            "linux",
        )
        for word in ("--platform", f"{platform}_x86_64")
    ),
)
"""Wheels that run in the image `triton-cpu`, as either installer is told."""


def install(requirements: Path, site: Path, python: str, whose: str, say: Callable[[str], None]) -> None:
    """Installs the wheels that `requirements` pins, for Python X.Y, into the folder `site`.

    `whose` names in errors what they are for; `say` gets what is fetched. Raises InvalidSettings without an installer,
    Unreachable when the packages cannot be downloaded.
    """
    words = _refusal([*_command(requirements, site, python, whose), "--require-hashes"], say)
    if words is not None:
        last = words.splitlines()[-1] if words else "no message"
        raise Unreachable(f"{whose}'s packages cannot be installed ({last}); check the network and try again.")


def install_for_servers(
    requirements: Path, site: Path, python: str, wheels: Path | None, say: Callable[[str], None]
) -> None:
    """Installs the wheels that `requirements` pins as Linux x86-64 takes them, whatever this machine is.

    From the folder `wheels` alone where one is given, else from wherever pip or uv gets packages here. Otherwise as
    `install`, but that a package without hashes is taken as well. Raises InvalidEntry when `wheels` will not do,
    Unreachable when what is pinned cannot be had from elsewhere.
    """
    command = _command(requirements, site, python, "a Python model")
    command += _FOR_UV if Path(command[0]).name == "uv" else _FOR_PIP
    command += ["--no-index", "--find-links", str(wheels.absolute())] if wheels is not None else []
    words = _refusal(command, say)
    if words is None:
        return
    what = f"requirements.txt cannot be installed as wheels for Python {python} on Linux x86-64"
    told = " ".join(words.split())[-_TOLD:]
    if wheels is not None:
        raise InvalidEntry(f"{what} from {wheels.name}/ alone: {told}; put the wheels that it pins there.")
    raise Unreachable(f"{what}: {told}; correct what it pins, or see that an index can be reached.")


def python_version() -> str:
    """X.Y of the Python that runs this."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _command(requirements: Path, site: Path, python: str, whose: str) -> list[str]:
    """No package is built, for that would run its author's code."""
    return [
        *_installer(whose), "--no-deps", "--only-binary", ":all:", "--python-version", python,
        "--target", str(site), "-r", str(requirements),
    ]  # fmt: skip


def _refusal(command: list[str], say: Callable[[str], None]) -> str | None:
    """Runs an installer and says what it fetches as it goes; its last lines when it failed, else None."""
    environment = child_environment({"UV_LINK_MODE": "copy"}, installer_environment())
    last: deque[str] = deque(maxlen=_LINES)
    with subprocess.Popen(
        command,
        cwd=FOLDER,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            if line.strip():
                last.append(line.strip())
            if line.strip().startswith("Download"):
                say(f"  {line.strip()}")
    return None if process.returncode == 0 else "\n".join(last)


def _installer(whose: str) -> list[str]:
    uv = find_uv()
    if uv:
        return [uv, "pip", "install", "--python", sys.executable]
    for python in (sys.executable, "/usr/bin/python3"):
        asked = [python, "-m", "pip", "--version"]
        if subprocess.run(asked, cwd=FOLDER, env=child_environment(), capture_output=True, check=False).returncode == 0:
            return [python, "-m", "pip", "install"]
    raise InvalidSettings(
        f"neither uv nor pip is here to install {whose}: pip install uv, or apt-get install python3-pip."
    )
