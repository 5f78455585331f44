"""Times a matrix in plain numpy, as a runtime that `build.runtimes` does not know: `measure` starts it by its name."""

import json
import sys
from pathlib import Path

import numpy as np

from modelyard.builder.inference.probe import time_turns
from modelyard.builder.inference.sessions import Run
from modelyard.errors import UnsupportedModel


def opened(path: Path, threads: int, gpu: bool) -> Run:
    """x times the matrix of a .npy file."""
    if not path.exists():
        raise UnsupportedModel(f"there is no {path.name}.")
    matrix = np.load(path)
    return lambda feed: {"y": feed["x"] @ matrix}


if __name__ == "__main__":
    time_turns(json.loads(Path(sys.argv[2]).read_text()), opened)
