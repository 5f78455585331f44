"""TensorBoard: event files in a folder of the run's, one a process that writes it. `tensorboard --logdir runs`."""

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from .event_file import EventFile

FOLDER, DEFAULT = "TENSORBOARD_LOGDIR", "runs"


class TensorboardTracker:
    """A run is a folder below ./runs, or below the one TENSORBOARD_LOGDIR names."""

    def __init__(self, name: str, run: str) -> None:
        self.run = run or f"{name}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
        if Path(self.run).name != self.run:
            raise ValueError(f"{self.run!r} is no run here")
        folder = Path(os.environ.get(FOLDER) or DEFAULT, self.run)
        folder.mkdir(parents=True, exist_ok=True)
        self._file = EventFile(folder / f"events.out.tfevents.{time.time_ns()}.{socket.gethostname()}.{os.getpid()}")

    def params(self, values: Mapping[str, str]) -> None:
        """A table of texts."""
        rows = "\n".join(f"| {name} | {value.replace('|', ' ')} |" for name, value in values.items())
        self._file.text("parameters", f"| parameter | value |\n|---|---|\n{rows}")

    def metric(self, name: str, value: float, step: int) -> None:
        """A scalar at a step."""
        self._file.scalar(name, value, step)

    def text(self, name: str, value: str) -> None:
        """A text."""
        self._file.text(name, value)

    def close(self, failed: bool) -> None:
        """Nothing more is written by this process."""
        self._file.close()
