"""The Python that has torch, which our own environment must not: to train with, and to convert what torch wrote.

MODELYARD_TORCH_PYTHON names it; otherwise it is the one that `make entries` makes under the cache, when it is there,
and else our own Python, which then is asked what it lacks.
"""

import os
import sys

from modelyard.child_environment import program_path
from modelyard.installation import cache_folder

PYTHON = "MODELYARD_TORCH_PYTHON"


def python() -> str:
    """The interpreter, as a path or a name."""
    made = cache_folder() / "train-venv" / "bin" / "python"
    return program_path(os.environ.get(PYTHON, "")) or (str(made) if made.exists() else sys.executable)
