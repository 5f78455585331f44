"""The Python environment that makes the example entries, under the cache and made when it is missing.

It holds torch and so lives apart from `.venv`: `$MODELYARD_CACHE/train-venv`, about 4.3 GB. Its requirements and
overrides are hashed into a stamp inside it, and another hash means it is made again.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "platform" / "src"))  # the Python that trains has no Modelyard of its own
from modelyard.installation import cache_folder, find_uv, installer_environment  # noqa: E402

REQUIREMENTS = HERE / "requirements.txt"
OVERRIDES = HERE.parent / "platform" / "train-overrides.txt"


def python() -> Path:
    """The interpreter that trains, whether it exists yet or not."""
    return cache_folder() / "train-venv" / "bin" / "python"


def is_ready() -> bool:
    """Whether the environment exists with what the two lists say now."""
    stamp = _stamp()
    return python().exists() and stamp.exists() and stamp.read_text() == _wanted()


def make(log: Path) -> None:
    """Make the environment with uv, output into `log`; raises CalledProcessError or FileNotFoundError (no uv)."""
    root = python().parents[1]
    shutil.rmtree(root, ignore_errors=True)
    install = ["pip", "install", "--python", str(python()), "--overrides", str(OVERRIDES), "-r", str(REQUIREMENTS)]
    with log.open("w") as out:
        for arguments in (["venv", "--python", f"{sys.version_info[0]}.{sys.version_info[1]}", str(root)], install):
            command, env = [_uv(), *arguments], installer_environment()
            subprocess.run(command, check=True, stdout=out, stderr=subprocess.STDOUT, env=env)
    _stamp().write_text(_wanted())


def enter() -> None:
    """Go on in the training environment: returns at once inside it, else starts this program again in it."""
    if Path(sys.prefix).resolve() == python().parents[1]:
        return
    if not is_ready():
        sys.exit("The training environment is missing or outdated; type `make entries`, which makes it.")
    os.execv(python(), [str(python()), *sys.argv])  # noqa: S606  # the interpreter named above, no shell


def _uv() -> str:
    path = find_uv()
    if path is None:
        raise FileNotFoundError("uv is missing; type `make setup`, which brings it.")
    return path


def _stamp() -> Path:
    return python().parents[1] / "modelyard.stamp"


def _wanted() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes() + OVERRIDES.read_bytes()).hexdigest()
