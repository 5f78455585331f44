"""Trained models of a framework, made once in a session, in the environment that a push would make for it."""

import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.builder.conversion.frameworks.catalogue import FRAMEWORKS
from modelyard.builder.conversion.frameworks.environment import site_of

_PROGRAM = Path(__file__).with_name("training.py")


@dataclass(frozen=True)
class Trained:
    """A folder of models, rows.csv and the framework's answers to its rows."""

    folder: Path

    @property
    def rows(self) -> Path:
        return self.folder / "rows.csv"

    @cached_property
    def answers(self) -> dict[str, Any]:
        with np.load(self.folder / "answers.npz") as read:
            return dict(read)


def site(program: str) -> Path:
    return site_of(next(one for one in FRAMEWORKS if one.program == program))


def trained(program: str, folder: Path) -> Trained:
    """The models of a framework, trained into FOLDER."""
    command = [sys.executable, "-I", "-S", str(_PROGRAM), str(site(program)), program, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return Trained(folder)
