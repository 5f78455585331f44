"""The last lines of containers that ended badly, read once per restart.

A crash loop's reason is in the log of the container's previous run. It is read when a container that is not
ready has restarted, waits in CrashLoopBackOff, or ended with an error, and remembered until it restarts again.
Many that are killed leave no word: that is remembered too, and asked again now and then, as a log may come late.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from modelyard.core.snapshot import Object, Ref
from modelyard.errors import OutsideError

_BYTES = 16 * 1024
EMPTY_SECONDS = 30.0
"""How long an empty log is believed to be empty."""


class Logs(Protocol):
    """Reading of container logs."""

    def logs(self, pod: Ref, container: str, *, previous: bool, limit: int) -> str: ...


class Crash(NamedTuple):
    """One bad end: which run of which container, and whether that run is the previous one."""

    container: str
    restarts: int
    previous: bool


class _Reading(NamedTuple):
    """What the log of one bad end said, and until when (by the clock) that is not asked again."""

    crash: Crash
    text: str
    until: float


class CrashLogs:
    """Logs by pod, remembered per (pod, container, restarts)."""

    def __init__(self, logs: Logs, clock: Callable[[], float] = time.monotonic) -> None:
        self._logs, self._clock = logs, clock
        self._lock = threading.Lock()
        self._read: dict[str, _Reading] = {}

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
        remembered, now = self._read.get(uid), self._clock()
        if remembered is not None and remembered.crash == crash and now < remembered.until:
            return remembered.text
        try:
            text = self._logs.logs(pod, crash.container, previous=crash.previous, limit=_BYTES)
        except OutsideError:
            return remembered.text if remembered is not None else ""
        with self._lock:
            self._read[uid] = _Reading(crash, text, float("inf") if text else now + EMPTY_SECONDS)
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
