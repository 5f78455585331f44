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
        """Pod name -> last 16 KiB of the log of its first container that ended badly; nothing for healthy pods."""
        texts = {}
        for ref, pod in children.items():
            crash = next(_crashes(pod), None) if ref.kind == "Pod" else None
            if crash is not None:
                texts[ref.name] = self._text(ref, pod["metadata"]["uid"], crash)
        return texts

    def forget(self, uid: str) -> None:
        """The pod is gone."""
        with self._lock:
            self._read.pop(uid, None)

    def _text(self, pod: Ref, uid: str, crash: Crash) -> str:
        remembered = self._read.get(uid)
        if remembered is not None and remembered[0] == crash:
            return remembered[1]
        try:
            text = self._logs.logs(pod, crash.container, previous=crash.previous, limit=_BYTES)
        except OutsideError:
            return remembered[1] if remembered is not None else ""
        if text:
            with self._lock:
                self._read[uid] = (crash, text)
        return text


def _crashes(pod: Object) -> Iterator[Crash]:
    status = pod.get("status", {})
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        if container.get("ready"):
            continue
        restarts = container.get("restartCount", 0)
        if _failed(container.get("state", {})):
            yield Crash(container["name"], restarts, previous=False)
        elif restarts > 0:
            yield Crash(container["name"], restarts, previous=True)


def _failed(state: Mapping[str, Any]) -> bool:
    return (state.get("terminated") or {}).get("exitCode", 0) != 0
