"""Optimized builds as the store knows them: what the report of a finished one says, and how far one under way is.

A report is written once, so it is read once and kept. Until it is there the store is asked for it and for
`progress.json` at most every five seconds a build, but at once when its Job has ended.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Protocol

from pydantic import ValidationError

from modelyard.api.optimization import Progress
from modelyard.api.report import OptimizationSummary, Report
from modelyard.core.artifacts.optimization import POLL_SECONDS
from modelyard.core.names import bare
from modelyard.core.snapshot import Failure, Object, OptimizedBuild
from modelyard.core.storage.keys import build_progress, build_report
from modelyard.errors import OutsideError

from .jobs import ended


class ReportReader(Protocol):
    """The objects of the bucket."""

    def get(self, key: str) -> bytes | None: ...


class _Reading(NamedTuple):
    """What was seen of a build under way, and when."""

    at: float
    progress: Progress | None


class OptimizationObserver:
    """Answers about optimized builds but for failures, remembered; safe to share between threads."""

    def __init__(self, store: ReportReader, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._lock = threading.Lock()
        self._made: dict[str, OptimizationSummary] = {}
        self._readings: dict[str, _Reading] = {}

    def of(self, digest: str, job: Object | None) -> OptimizedBuild:
        """The build with that digest: its summary, its progress while `job` runs, or the store's Failure."""
        made = self._made.get(digest)
        if made is not None:
            return OptimizedBuild(made)
        running = job is not None and not (ended(job, "Complete") or ended(job, "Failed"))
        reading = self._readings.get(digest)
        if running and reading is not None and self._clock() - reading.at < POLL_SECONDS:
            return OptimizedBuild(progress=reading.progress)
        return self._read(digest, running=running)

    def _read(self, digest: str, *, running: bool) -> OptimizedBuild:
        try:
            built = self._report(digest)
            progress = self._progress(digest) if running and built is None else None
        except OutsideError as outside:
            return OptimizedBuild(Failure(outside.reason, str(outside), retry=True))
        with self._lock:
            self._readings.pop(digest, None)
            if isinstance(built, OptimizationSummary):
                self._made[digest] = built
            elif running:
                self._readings[digest] = _Reading(self._clock(), progress)
        return OptimizedBuild(built, progress=progress)

    def _report(self, digest: str) -> OptimizationSummary | Failure | None:
        content = self._store.get(build_report(digest))
        if content is None:
            return None
        try:
            summary = Report.model_validate_json(content).optimization
        except ValidationError:
            summary = None
        if summary is not None:
            return summary
        message = f"{build_report(digest)} tells of no optimization: delete builds/{bare(digest)}/ in the store."
        return Failure("CorruptReport", message, retry=True)

    def _progress(self, digest: str) -> Progress | None:
        """How far it is; None before the first word, and when what lies there is none."""
        content = self._store.get(build_progress(digest)) or b""
        try:
            progress = Progress.model_validate_json(content)
            datetime.fromisoformat(progress.at)
        except ValueError:
            return None
        return progress
