"""How far an optimization is, written at every step and as a sign of life in between.

A thread of its own writes, so that a slow store holds nothing up; steps that follow each other quickly are told once.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self

from modelyard.api.optimization import ORIGINAL, Progress
from modelyard.errors import OutsideError

from .optimizer import Watch

if TYPE_CHECKING:
    from .trials.trial import Trial

EVERY, SOONEST = 15.0, 1.0
"""Seconds after which progress is written anyway, and between two writes at least."""


class ProgressReporter:
    """Calls `write` with the progress from enter to exit, at every step and at least every `every` seconds.

    `spent` gives the seconds of the budget that are used, `also` is another watch that gets the same events;
    `before` is the last progress of an interrupted run, whose trials count from the start. An OutsideError of
    `write` is passed over: the next one tells the same and more.
    """

    def __init__(
        self,
        write: Callable[[Progress], None],
        spent: Callable[[], float],
        also: Watch | None = None,
        every: float = EVERY,
        before: Progress | None = None,
    ) -> None:
        self._write, self._spent, self._also, self._every = write, spent, also or Watch(), every
        self._before = before or Progress(done=0, planned=0, spent_seconds=0.0, at="")
        self._progress, self._count = self._before, 0
        self._names: set[str] = set()
        self._changed, self._over, self._lock = threading.Event(), threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, bad: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._changed.set()  # wakes it, and the last step is told
        self._thread.join()

    def watch(self) -> Watch:
        """The watch to hand to `optimizer.optimize`."""
        return Watch(
            say=self.say,
            planned=self._planned,
            trying=self._trying,
            tried=self._tried,
            measured=self._also.measured,
            leading=self._leading,
        )

    def say(self, doing: str) -> None:
        """Tells what is done now, in a few words."""
        self._also.say(doing)
        self._tell(doing=doing)

    def _planned(self, names: Sequence[str]) -> None:
        self._also.planned(names)
        self._names = {name for name in names if name != ORIGINAL}
        self._tell(planned=max(self._before.planned, len(self._names)))

    def _trying(self, name: str) -> None:
        self._also.trying(name)
        self._tell(doing=f"trying {name}")

    def _tried(self, trial: "Trial") -> None:
        self._also.tried(trial)
        if trial.name != ORIGINAL:
            self._names.add(trial.name)
            self._count += 1
            done, planned = max(self._before.done, self._count), max(self._before.planned, len(self._names))
            self._tell(done=done, planned=planned)

    def _leading(self, name: str, best: float) -> None:
        if self._also.leading is not None:
            self._also.leading(name, best)
        self._tell(best=round(best, 3), best_name=name)

    def _tell(self, **changes: object) -> None:
        with self._lock:
            self._progress = self._progress.model_copy(update=changes)
        self._changed.set()

    def _beat(self) -> None:
        while not self._over.is_set():
            self._changed.wait(self._every)
            self._changed.clear()
            self._put()
            self._over.wait(SOONEST)
        if self._changed.is_set():
            self._put()

    def _put(self) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._lock:
            progress = self._progress.model_copy(update={"spent_seconds": round(self._spent(), 1), "at": now})
        try:
            self._write(progress)
        except OutsideError:
            return
