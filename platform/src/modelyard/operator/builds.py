"""Whether a build is in the store, and how its Job failed when it did.

`builds/<digest>/report.json` is written last and never again, so "it is there" is remembered for good.
The sentence of a failed build is what the builder left in its container's termination message:
{"reason": "...", "message": "..."}; exit code 2 says that a person must mend the entry, unless the
reason is InvalidSettings: then the platform is to be mended, and the build is worth another try.
"""

import json
import logging
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from modelyard.core.keys import build_report, build_warmup
from modelyard.core.names import BUILD_LABEL, bare
from modelyard.core.snapshot import Failure, Object
from modelyard.errors import CorruptEntry, InvalidSettings, OutsideError

_USER_ERROR = 2
_log = logging.getLogger(__name__)


class Store(Protocol):
    """The objects of the bucket."""

    def size(self, key: str) -> int | None: ...
    def get(self, key: str) -> bytes | None: ...


class Pods(Protocol):
    """Listing of pods."""

    def items(self, kind: str, namespace: str = "", selector: str = "") -> list[dict[str, Any]]: ...


class Builds:
    """Builds as the store and the cluster know them."""

    def __init__(self, store: Store, pods: Pods) -> None:
        self._store, self._pods = store, pods
        self._lock = threading.Lock()
        self._built: set[str] = set()
        self._failures: dict[str, Failure] = {}
        self._counted: set[str] = set()

    def built(self, digest: str) -> bool | Failure:
        """Whether the artifact is complete in the store, or why that is not known."""
        if digest in self._built:
            return True
        try:
            found = self._store.size(build_report(digest)) is not None
        except OutsideError as outside:
            return Failure(outside.reason, str(outside), retry=True)
        if found:
            with self._lock:
                self._built.add(digest)
        return found

    def warmup_request(self, digest: str) -> bytes:
        """The body of one inference, stored beside the artifact; CorruptEntry when it is not there."""
        found = self._store.get(build_warmup(digest))
        if found is None:
            raise CorruptEntry(f"build {bare(digest)[:16]} has no {build_warmup(digest)}: build the entry again.")
        return found

    def failure(self, job: Object | None) -> Failure | None:
        """How the Job ended when it failed; None while it runs or when it went well."""
        condition = ended(job, "Failed")
        if job is None or condition is None:
            return None
        uid = job["metadata"]["uid"]
        if uid not in self._failures:
            found = self._last_words(job) or _without_words(job, condition)
            with self._lock:
                self._failures[uid] = found
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

    def _last_words(self, job: Object) -> Failure | None:
        metadata = job["metadata"]
        label = metadata.get("labels", {}).get(BUILD_LABEL, "")
        try:
            pods = self._pods.items("Pod", metadata["namespace"], f"{BUILD_LABEL}={label}")
        except OutsideError as outside:
            _log.warning("build pods not read", extra={"fields": {"job": metadata["name"], "error": str(outside)}})
            return None
        own = [pod for pod in pods if _owned(pod, metadata["uid"])]
        latest = sorted(own, key=lambda pod: pod["metadata"]["creationTimestamp"], reverse=True)
        return next((said for pod in latest if (said := _said(pod)) is not None), None)


def ended(job: Object | None, how: str) -> Mapping[str, Any] | None:
    """The Job's condition Complete or Failed, when it is true."""
    conditions = (job or {}).get("status", {}).get("conditions", [])
    return next((one for one in conditions if one["type"] == how and one["status"] == "True"), None)


def _owned(pod: Object, uid: str) -> bool:
    return any(owner["uid"] == uid for owner in pod["metadata"].get("ownerReferences", []))


def _said(pod: Object) -> Failure | None:
    for status in pod.get("status", {}).get("containerStatuses", []):
        done = status.get("state", {}).get("terminated") or {}
        try:
            words = json.loads(done.get("message", ""))
            reason = str(words["reason"])
            final = done.get("exitCode") == _USER_ERROR and reason != InvalidSettings.__name__
            return Failure(reason, str(words["message"]), retry=not final)
        except (ValueError, KeyError, TypeError):
            continue
    return None


def _without_words(job: Object, condition: Mapping[str, Any]) -> Failure:
    name, namespace = job["metadata"]["name"], job["metadata"]["namespace"]
    why = condition.get("message") or condition.get("reason") or "no reason given"
    hint = f"read `kubectl -n {namespace} logs job/{name}`, and delete the Job to try again"
    return Failure("BuildFailed", f"Job {namespace}/{name} failed: {why.rstrip('.')}; {hint}.", retry=True)
