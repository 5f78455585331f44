"""The latest answer of every revision to its warm-up, in memory only: a restarted operator asks again.

An answer is dropped with its revision. A failed warm-up may be repeated after a short pause, however many
events arrive meanwhile.
"""

import threading
import time
from collections.abc import Callable, Collection

from modelyard.core.snapshot import Probe
from modelyard.operator.cache.objects import Key

PAUSE_SECONDS = 1.5


class Warmups:
    """Answers by Model and revision; safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: dict[Key, dict[str, tuple[Probe, float]]] = {}

    def of(self, key: Key) -> dict[str, Probe]:
        """The latest answers of a Model's revisions."""
        with self._lock:
            return {revision: probe for revision, (probe, _) in self._answers.get(key, {}).items()}

    def keep(self, key: Key, revision: str, probe: Probe) -> None:
        """Remembers an answer."""
        with self._lock:
            self._answers.setdefault(key, {})[revision] = (probe, self._clock())

    def pause(self, key: Key, revision: str) -> float:
        """Seconds to wait before that revision may be asked again; 0 when it may be asked now."""
        with self._lock:
            probe, answered_at = self._answers.get(key, {}).get(revision, (Probe(True), 0.0))
            return 0.0 if probe.answered else max(0.0, answered_at + PAUSE_SECONDS - self._clock())

    def retain(self, key: Key, revisions: Collection[str]) -> None:
        """Drops the answers of all other revisions of a Model."""
        with self._lock:
            kept = {name: answer for name, answer in self._answers.get(key, {}).items() if name in revisions}
            if kept:
                self._answers[key] = kept
            else:
                self._answers.pop(key, None)
