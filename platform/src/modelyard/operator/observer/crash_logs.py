"""The last lines of containers that ended badly, read once per restart.

A crash loop's reason is in the log of the container's previous run. It is read when a container that is not
ready has restarted, waits in CrashLoopBackOff, or ended with an error, and remembered until it restarts again.
"""

import threading
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from modelyard.core.snapshot import Object, Ref
from modelyard.errors import OutsideError

_BYTES = 16 * 1024


class Logs(Protocol):
    """Reading of container logs."""

    def logs(self, pod: Ref, container: str, *, previous: bool, limit: int) -> str: ...


class Crash(NamedTuple):
    """One bad end: which run of which container, and whether that run is the previous one."""

    container: str
    restarts: int
    previous: bool


class CrashLogs:
    """Logs by pod, remembered per (pod, container, restarts)."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs
        self._lock = threading.Lock()
        self._read: dict[str, tuple[Crash, str]] = {}

    def last_lines(self, children: Mapping[Ref, Object]) -> dict[str, str]:
        """The last 16 kB of the first container that ended badly, by name of its pod."""
        found = {}
        for ref, pod in children.items():
            crash = next(_crashes(pod), None) if ref.kind == "Pod" else None
            if crash is not None:
                found[ref.name] = self._text(ref, pod["metadata"]["uid"], crash)
        return found

    def forget(self, uid: str) -> None:
        """The pod is gone."""
        with self._lock:
            self._read.pop(uid, None)

    def _text(self, pod: Ref, uid: str, crash: Crash) -> str:
        known = self._read.get(uid)
        if known is not None and known[0] == crash:
            return known[1]
        try:
            text = self._logs.logs(pod, crash.container, previous=crash.previous, limit=_BYTES)
        except OutsideError:
            return known[1] if known is not None else ""
        if text:
            with self._lock:
                self._read[uid] = (crash, text)
        return text


def _crashes(pod: Object) -> Iterator[Crash]:
    status = pod.get("status", {})
    for one in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        if one.get("ready"):
            continue
        restarts = one.get("restartCount", 0)
        if _failed(one.get("state", {})):
            yield Crash(one["name"], restarts, previous=False)
        elif restarts > 0:
            yield Crash(one["name"], restarts, previous=True)


def _failed(state: Mapping[str, Any]) -> bool:
    return (state.get("terminated") or {}).get("exitCode", 0) != 0
