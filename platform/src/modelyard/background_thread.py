"""A loop in a thread of its own, which can be asked whether it still runs and told to end."""

import threading
from abc import ABC, abstractmethod


class BackgroundThread(ABC):
    """Runs `_run` in a daemon thread called `name`; `_run` ends soon after the event `_stop` is set."""

    def __init__(self, name: str) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """False once the thread has ended, on purpose or not."""
        return self._thread.is_alive()

    def stop(self, patience: float = 0.0) -> None:
        """Ends after what is under way; returns after `patience` seconds at the latest."""
        self._stop.set()
        if self.alive:
            self._thread.join(patience)

    @abstractmethod
    def _run(self) -> None:
        """The loop."""
