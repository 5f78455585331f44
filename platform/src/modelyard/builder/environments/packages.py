"""Packages with pinned hashes in a folder of their own, by uv or pip: nothing of it is found by who is not told."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from modelyard.child_environment import FOLDER, child_environment
from modelyard.errors import InvalidSettings, Unreachable
from modelyard.installation import find_uv, installer_environment

_FOR_UV = ("--python-platform", "x86_64-manylinux_2_28")
_FOR_PIP = (
    "--no-compile",
    *(
        word
        for platform in ("manylinux_2_28", "manylinux_2_27", "manylinux_2_24", "manylinux_2_17", "manylinux2014", "linux")
        for word in ("--platform", f"{platform}_x86_64")
    ),
)
"""Wheels that run in the image `triton-cpu`, as either installer is told."""


def install(requirements: Path, site: Path, python: str, whose: str, say: Callable[[str], None]) -> None:
    """Installs the wheels that `requirements` pins, for Python X.Y, into the folder `site`.

    `whose` names in errors what they are for; `say` gets what is fetched. Raises InvalidSettings without an installer,
    Unreachable when the packages cannot be downloaded.
    """
    _download([*_command(requirements, site, python, whose), "--require-hashes"], whose, say)


def install_for_servers(requirements: Path, site: Path, python: str, wheels: Path | None, say: Callable[[str], None]) -> None:
    """Installs the wheels that `requirements` pins as Linux x86-64 takes them, whatever this machine is.

    From the folder `wheels` alone where one is given, else from wherever pip or uv gets packages here. Otherwise as
    `install`, but that a package without hashes is taken as well.
    """
    whose = "a Python model"
    command = _command(requirements, site, python, whose)
    command += _FOR_UV if Path(command[0]).name == "uv" else _FOR_PIP
    command += ["--no-index", "--find-links", str(wheels.absolute())] if wheels is not None else []
    _download(command, whose, say)


def _command(requirements: Path, site: Path, python: str, whose: str) -> list[str]:
    """No package is built, for that would run its author's code."""
    return [
        *_installer(whose), "--no-deps", "--only-binary", ":all:", "--python-version", python,
        "--target", str(site), "-r", str(requirements),
    ]  # fmt: skip


def python_version() -> str:
    """X.Y of the Python that runs this."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _download(command: list[str], whose: str, say: Callable[[str], None]) -> None:
    """Runs an installer and says what it fetches as it goes; raises Unreachable with its last line."""
    environment = child_environment({"UV_LINK_MODE": "copy"}, installer_environment())
    last = "no message"
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
            last = line.strip() or last
            if last.startswith("Download"):
                say(f"  {last}")
    if process.returncode != 0:
        raise Unreachable(f"{whose}'s packages cannot be installed ({last}); check the network and try again.")


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
