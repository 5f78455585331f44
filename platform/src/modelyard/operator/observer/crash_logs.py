"""The last lines of containers that ended badly, read once per restart.

A crash loop's reason is in the log of the container's previous run. It is read when a container that is not
ready has restarted, waits in CrashLoopBackOff, or ended with an error, and remembered until it restarts again.
Many that are killed leave no word: that is remembered too, and asked again now and then, as a log may come late.
"""

import threading
from collections.abc import Iterator, Mapping
from math import inf
from typing import Any, NamedTuple, Protocol

from modelyard.core.snapshot import Object, Ref
from modelyard.operator.cache.objects import Key
from modelyard.operator.polling.poller import Habits, Unanswered
from modelyard.operator.polling.polling import Polling

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


class _Question(NamedTuple):
    pod: Ref
    uid: str
    crash: Crash


class CrashLogs:
    """Logs by pod, remembered per (pod, container, restarts); none of its methods waits for a log."""

    def __init__(self, logs: Logs, polling: Polling) -> None:
        self._logs = logs
        self._ends = polling.poller("the pod's node", self._ask, Habits(lambda text: inf if text else EMPTY_SECONDS))
        self._lock = threading.Lock()
        self._latest: dict[str, str] = {}

    def last_lines(self, key: Key, children: Mapping[Ref, Object]) -> dict[str, str | None]:
        """Pod name -> last 16 KiB of the log of its first container that ended badly; nothing for healthy pods.

        None while the log is being read; a log that cannot be read leaves what was read before the last restart.
        """
        texts = {}
        for ref, pod in children.items():
            crash = next(_crashes(pod), None) if ref.kind == "Pod" else None
            if crash is not None:
                texts[ref.name] = self._text(key, _Question(ref, pod["metadata"]["uid"], crash))
        return texts

    def forget(self, uid: str) -> None:
        """The pod is gone."""
        with self._lock:
            self._latest.pop(uid, None)

    def _text(self, key: Key, question: _Question) -> str | None:
        answer = self._ends.of(key, question)
        with self._lock:
            if not isinstance(answer, Unanswered):
                self._latest[question.uid] = answer
                return answer
            return self._latest.get(question.uid, None if answer.failure.pending else "")

    def _ask(self, question: _Question) -> str:
        crash = question.crash
        return self._logs.logs(question.pod, crash.container, previous=crash.previous, limit=_BYTES)


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
