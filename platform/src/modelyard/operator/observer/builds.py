"""Whether a build is in the store, and how its Job failed when it did.

`builds/<digest>/report.json` is written last and never again, so "it is there" is remembered for good.
The sentence of a failed build is what the builder left in its container's termination message:
{"reason": "...", "message": "..."}; exit code 2 says that a person must mend the entry, unless the
reason is InvalidSettings: then the platform is to be mended, and the build is worth another try. Every other exit code,
and every end without words, is the surroundings' fault, which is tried again (`core.artifacts.job_retries`).
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from modelyard.api.report import OptimizationSummary
from modelyard.core.names import BUILD_LABEL, bare
from modelyard.core.snapshot import Failure, Object, OptimizedBuild
from modelyard.core.storage.keys import build_report, build_warmup
from modelyard.errors import CorruptEntry, InvalidSettings, OutsideError

from .jobs import Pods, TerminationMessage, ended, last_words, own_pods, silence
from .optimizations import OptimizationObserver

_USER_ERROR = 2
_log = logging.getLogger(__name__)


class ObjectReader(Protocol):
    """The objects of the bucket."""

    def size(self, key: str) -> int | None: ...
    def get(self, key: str) -> bytes | None: ...


class BuildObserver:
    """Builds as the store and the cluster know them."""

    def __init__(self, store: ObjectReader, pods: Pods, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._pods = store, pods
        self._optimizations = OptimizationObserver(store, clock)
        self._lock = threading.Lock()
        self._built: set[str] = set()
        self._failures: dict[str, Failure] = {}
        self._counted: set[str] = set()

    def built(self, digest: str) -> bool | Failure:
        """Whether the build with that digest is complete in the store; Failure when the store is not reached."""
        if digest in self._built:
            return True
        try:
            built = self._store.size(build_report(digest)) is not None
        except OutsideError as outside:
            return Failure(outside.reason, str(outside), retry=True)
        if built:
            with self._lock:
                self._built.add(digest)
        return built

    def optimized(self, digest: str, job: Object | None) -> OptimizedBuild:
        """The optimized build with that digest: its summary, progress or failure, as the store and its Job tell."""
        build = self._optimizations.of(digest, job)
        return replace(build, failure=None if isinstance(build.built, OptimizationSummary) else self.failure(job))

    def warmup_request(self, digest: str) -> bytes:
        """The body of one inference, stored beside the artifact.

        Raises CorruptEntry when it is not there and OutsideError when the store is not reached.
        """
        request = self._store.get(build_warmup(digest))
        if request is None:
            raise CorruptEntry(f"build {bare(digest)[:16]} has no {build_warmup(digest)}: build the entry again.")
        return request

    def failure(self, job: Object | None) -> Failure | None:
        """How the Job ended when it failed; None while it runs or when it went well."""
        condition = ended(job, "Failed")
        if job is None or condition is None:
            return None
        uid = job["metadata"]["uid"]
        if uid not in self._failures:
            failure = self._cause(job, condition)
            with self._lock:
                self._failures[uid] = failure
        return self._failures[uid]

    def finished(self, job: Object) -> tuple[str, float] | None:
        """("succeeded" or "failed", seconds it took), once per Job; None while it runs and ever after."""
        uid, started = job["metadata"]["uid"], job.get("status", {}).get("startTime")
        for condition, outcome in (("Complete", "succeeded"), ("Failed", "failed")):
            done = ended(job, condition)
            if done is not None and started and uid not in self._counted:
                self._counted.add(uid)
                took = datetime.fromisoformat(done["lastTransitionTime"]) - datetime.fromisoformat(started)
                return outcome, took.total_seconds()
        return None

    def _cause(self, job: Object, condition: Mapping[str, Any]) -> Failure:
        """In the builder's words, else in those of Kubernetes."""
        metadata = job["metadata"]
        label = metadata.get("labels", {}).get(BUILD_LABEL, "")
        try:
            own = own_pods(self._pods, job, f"{BUILD_LABEL}={label}")
        except OutsideError as outside:
            _log.warning("build pods not read", extra={"fields": {"job": metadata["name"], "error": str(outside)}})
            return silence(job, condition)
        failures = (_failure(message) for message in last_words(own))
        return next((failure for failure in failures if failure is not None), None) or silence(job, condition, own)


def _failure(termination: TerminationMessage) -> Failure | None:
    reason, message = termination.words.get("reason"), termination.words.get("message")
    if reason is None or message is None:
        return None
    final = termination.exit_code == _USER_ERROR and reason != InvalidSettings.__name__
    return Failure(str(reason), str(message), retry=not final)
