"""Optimized builds as the store knows them: what the report of a finished one says, and how far one under way is.

A report is written once, so it is read once and kept. Until it is there the store is asked for it and for
`progress.json` at most every five seconds a build, but at once when its Job has ended.
"""

from datetime import datetime
from math import inf
from typing import NamedTuple, Protocol

from pydantic import ValidationError

from modelyard.api.optimization import Progress
from modelyard.api.report import OptimizationSummary, Report
from modelyard.core.artifacts.optimization import POLL_SECONDS
from modelyard.core.names import bare
from modelyard.core.snapshot import Failure, Object, OptimizedBuild
from modelyard.core.storage.keys import build_progress, build_report
from modelyard.operator.cache.objects import Key
from modelyard.operator.polling.poller import Habits, Unanswered
from modelyard.operator.polling.polling import Polling

from .jobs import end_of

SIGNED_SECONDS = 30.0


class ReportReader(Protocol):
    """The objects of the bucket."""

    def get(self, key: str) -> bytes | None: ...


class _Optimization(NamedTuple):
    """An optimized build; its Job's end makes it another question, because then its report may have come."""

    digest: str
    ended_job: str


class OptimizationObserver:
    """Answers about optimized builds but for failures, remembered; none of its methods waits for the store."""

    def __init__(self, store: ReportReader, polling: Polling) -> None:
        self._store = store
        self._builds = polling.poller("the store", self._read, Habits(_lasts, unsettled=_is_corrupt))
        self._signed = polling.poller("the store", self._read, Habits(_lasts_signed, unsettled=_is_read))
        self._made: dict[str, OptimizationSummary] = {}

    def of(self, key: Key, digest: str, job: Object | None, *, signed: bool = False) -> OptimizedBuild:
        """The build with that digest: its summary, its progress while `job` runs, or why neither is known.

        A `signed` one may be deleted because it was changed, and is asked for again now and then.
        """
        made = None if signed else self._made.get(digest)
        if made is not None:
            return OptimizedBuild(made)
        ended_job = end_of(job)
        answer = (self._signed if signed else self._builds).of(key, _Optimization(digest, ended_job))
        if isinstance(answer, Unanswered):
            return OptimizedBuild(answer.failure)
        return answer if job is not None and not ended_job else OptimizedBuild(answer.built)

    def _read(self, build: _Optimization) -> OptimizedBuild:
        built = self._report(build.digest)
        if isinstance(built, OptimizationSummary):
            self._made[build.digest] = built
        return OptimizedBuild(built, progress=self._progress(build.digest) if built is None else None)

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


def _lasts(build: OptimizedBuild) -> float:
    return inf if isinstance(build.built, OptimizationSummary) else POLL_SECONDS


def _lasts_signed(build: OptimizedBuild) -> float:
    return min(_lasts(build), SIGNED_SECONDS)


def _is_read(build: OptimizedBuild) -> bool:
    """Whether a report is there, good or bad."""
    return build.built is not None


def _is_corrupt(build: OptimizedBuild) -> bool:
    return isinstance(build.built, Failure)
