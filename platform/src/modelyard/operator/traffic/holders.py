"""The holders: which of their pods are ready, and what waits at each, known within milliseconds of its arrival.

    pods of the holder, as watched --every second--> one thread a ready pod, which asks `/waiting` and waits for news
    news --> the Models whose revisions have begun or ceased to wait are reconciled

A holder that does not answer is asked again after a second; what it said last counts until it is gone, so that a
wake-up is never taken back for a lost answer. Every replica of the operator asks; only the leader acts on it.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from modelyard.background_thread import BackgroundThread
from modelyard.clients.cluster.pod_watch import takes_requests
from modelyard.clients.inference.waiting import HolderClient, WaitingReport
from modelyard.core.snapshot import Holders
from modelyard.errors import OutsideError
from modelyard.settings import HolderSettings

SELECTOR = "app.kubernetes.io/name=modelyard,app.kubernetes.io/component=holder"
_TICK_SECONDS = 1.0
_PAUSE_SECONDS = 1.0
_log = logging.getLogger(__name__)

Place = tuple[str, str]
"""Namespace and revision."""
Waiting = Mapping[Place, int]


class HolderListing(Protocol):
    """Pods by label: `clients.cluster.pod_watch`."""

    def items(self, kind: str, namespace: str = "", selector: str = "") -> Sequence[Mapping[str, Any]]:
        """All objects of a kind. Raises OutsideError when the API server has not answered yet."""
        ...


class HolderWatch(BackgroundThread):
    """Follows the holders in `namespace`; `changed` is told the places whose requests began or ceased to wait.

    With None it is told that the ready pods have changed, which concerns every Model that may rest.
    """

    def __init__(
        self,
        listing: HolderListing,
        settings: HolderSettings,
        namespace: str,
        changed: Callable[[frozenset[Place] | None], None],
        client: Callable[[str, int], HolderClient] = HolderClient,
    ) -> None:
        super().__init__("holders")
        self._listing, self._settings, self._namespace, self._changed = listing, settings, namespace, changed
        self._client = client
        self._lock = threading.Lock()
        self._asking: dict[str, _Asking] = {}
        self._ready: tuple[str, ...] = ()

    def of(self, namespace: str) -> Holders:
        """The ready holders, and what waits for revisions of that namespace."""
        with self._lock:
            asking, ready = list(self._asking.values()), self._ready
        waiting: dict[str, int] = {}
        for one in asking:
            for (place, revision), requests in one.waiting.items():
                if place == namespace:
                    waiting[revision] = waiting.get(revision, 0) + requests
        return Holders(ready, self._settings.http_port, self._settings.grpc_port, waiting)

    def stop(self, patience: float = 0.0) -> None:
        """Ends; threads that wait for news end with the process."""
        super().stop(patience)
        with self._lock:
            asking, self._asking = list(self._asking.values()), {}
        for one in asking:
            one.stop()

    def tick(self) -> None:
        """Follows the pods that are there now, and no others."""
        try:
            pods = self._listing.items("Pod", selector=SELECTOR)
        except OutsideError:
            return
        running = {pod["metadata"]["uid"]: pod for pod in pods if self._is_ours(pod)}
        ready = tuple(sorted(pod["status"]["podIP"] for pod in running.values() if takes_requests(pod)))
        with self._lock:
            gone = [self._asking.pop(uid) for uid in self._asking.keys() - running.keys()]
            new = {uid: self._ask(running[uid]) for uid in running.keys() - self._asking.keys()}
            self._asking |= new
            moved, self._ready = ready != self._ready, ready
        for one in gone:
            one.stop()
        for one in new.values():
            one.start()
        if moved:
            self._changed(None)
        elif gone:
            self._changed(frozenset(place for one in gone for place in one.waiting))

    def _is_ours(self, pod: Mapping[str, Any]) -> bool:
        status = pod.get("status", {})
        here = pod["metadata"]["namespace"] == self._namespace
        return here and bool(status.get("podIP")) and status.get("phase") == "Running"

    def _ask(self, pod: Mapping[str, Any]) -> "_Asking":
        client = self._client(pod["status"]["podIP"], self._settings.status_port)
        return _Asking(pod["metadata"]["name"], client, self._changed)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.tick()
            self._stop.wait(_TICK_SECONDS)


class _Asking(BackgroundThread):
    """One holder, asked over and over."""

    def __init__(self, name: str, client: HolderClient, changed: Callable[[frozenset[Place] | None], None]) -> None:
        super().__init__(f"holder-{name}")
        self._name, self._client, self._changed = name, client, changed
        self._logged = False
        self._version = -1
        self.waiting: Waiting = {}

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                report = self._client.ask(self._version)
            except OutsideError as bad:
                self._note(bad)
                self._stop.wait(_PAUSE_SECONDS)
            else:
                self._logged = False
                self._take_in(report)
        self._client.close()

    def _take_in(self, report: WaitingReport) -> None:
        before, self.waiting = self.waiting, report.requests
        self._version = report.version
        moved = frozenset(before.keys() ^ report.requests.keys())
        if moved:
            self._changed(moved)

    def _note(self, bad: OutsideError) -> None:
        self._version = -1
        if not self._logged:
            self._logged = True
            _log.warning("holder not asked", extra={"fields": {"holder": self._name, "error": str(bad)}})
