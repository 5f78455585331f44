"""What a program that we start gets from the place where somebody typed the command: nothing that it could import.

Python puts the working directory first among the places it imports from (`-m`, an empty part of PYTHONPATH, an
embedded interpreter such as that of Triton's Python backend). A `types.py` or `json.py` that lies there for other
reasons would take the place of Python's own. So children start in `FOLDER`, with `-P` or PYTHONSAFEPATH where they are
Python, and with a PYTHONPATH that means the same from there.
"""

import os
import re
import sys
from collections.abc import Mapping

FOLDER = "/"
"""Where children work: nobody's folder. Paths that they are given have to be absolute."""
SAFE_PYTHON = (sys.executable, "-P")
"""The beginning of a command that runs Python."""
_KEYS = re.compile(r"^(MODELYARD|AWS|MLFLOW|WANDB)_|TOKEN|SECRET|PASSWORD|CREDENTIAL|API_?KEY")
"""Names of variables that hold keys, or settings of ours that may."""


def program_path(named: str) -> str:
    """A program that somebody named by a path or by its name alone, so that it can be started from `FOLDER`."""
    return os.path.abspath(named) if os.sep in named else named


def child_environment(
    added: Mapping[str, str] | None = None, surroundings: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The environment of a Python that works in `FOLDER`: ours, or other `surroundings`, with `added`.

    It imports nothing from the working directory, and what PYTHONPATH names from there it still finds.
    """
    environment = {**surroundings, **(added or {}), "PYTHONSAFEPATH": "1"}
    places = [os.path.abspath(place) for place in environment.pop("PYTHONPATH", "").split(os.pathsep) if place]
    if places:
        environment["PYTHONPATH"] = os.pathsep.join(places)
    return environment


def without_keys(surroundings: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment without anybody's keys and without our settings, for a program that reads what others wrote."""
    return {name: value for name, value in surroundings.items() if not _KEYS.search(name.upper())}
