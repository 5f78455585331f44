"""Packages with pinned hashes in a folder of their own, by uv or pip: nothing of it is found by who is not told."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from modelyard.child_environment import FOLDER, child_environment
from modelyard.errors import InvalidSettings, Unreachable
from modelyard.installation import find_uv, installer_environment


def install(requirements: Path, site: Path, python: str, whose: str, say: Callable[[str], None]) -> None:
    """Installs the wheels that `requirements` pins, for Python X.Y, into the folder `site`.

    `whose` names in errors what they are for; `say` gets what is fetched. Raises InvalidSettings without an installer,
    Unreachable when the packages cannot be downloaded.
    """
    command = [
        *_installer(whose), "--no-deps", "--require-hashes", "--only-binary", ":all:", "--python-version", python,
        "--target", str(site), "-r", str(requirements),
    ]  # fmt: skip
    _download(command, whose, say)


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
