"""The pods with some labels, in all namespaces, kept up to date by one watch.

The API server looks through all pods of the cluster for a listing, and only at the changes for a watch: so there is
one listing at the beginning, and another only after the API server has forgotten where the watch stood (410 Gone).
A watch lives half a minute and is then taken up where it stopped, so that a connection that died silently is noticed.
"""

import json
import logging
import threading
from typing import Any

from kubernetes.client import ApiClient, ApiException, Configuration, CoreV1Api
from kubernetes.watch import Watch
from urllib3.exceptions import HTTPError

from modelyard.background_thread import BackgroundThread
from modelyard.errors import Unreachable

_WATCH_SECONDS = 30
_TIMEOUT = (3.05, 10.0)
_WATCH_TIMEOUT = (3.05, _WATCH_SECONDS + 10.0)
_PAUSE_SECONDS = 1.0
_GONE = 410
_log = logging.getLogger(__name__)


class PodWatch(BackgroundThread):
    """The pods that `selector` selects by label, read from memory; the watch has a thread of its own."""

    def __init__(self, access: Configuration, selector: str) -> None:
        super().__init__("pod-watch")
        self._api, self._selector = CoreV1Api(ApiClient(access)), selector
        self._lock = threading.Lock()
        self._pods: dict[str, dict[str, Any]] | None = None
        self._why = "they have not been listed yet."
        self._watch = Watch(return_type="object")

    def stop(self, patience: float = 0.0) -> None:
        """Ends; the thread follows in a moment, and nobody needs to wait for that."""
        self._stop.set()
        self._watch.stop()
        super().stop(patience)

    def items(self, kind: str, namespace: str = "", selector: str = "") -> list[dict[str, Any]]:
        """The pods as last seen, as the API server writes them: the answer of `Cluster.items` to this one question.

        Raises Unreachable while they never were seen.
        """
        assert (kind, namespace, selector) == ("Pod", "", self._selector)
        with self._lock:
            if self._pods is None:
                raise Unreachable(self._why)
            return list(self._pods.values())

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                version = self.list_anew()
                while not self._stop.is_set():
                    version = self.follow(version)
            except (ApiException, HTTPError) as bad:
                if not self._stop.is_set():
                    self._note(bad)
                    self._stop.wait(_PAUSE_SECONDS)

    def list_anew(self) -> str:
        """Takes in all pods there are; the version to go on from. Raises ApiException or urllib3's HTTPError."""
        answer: Any = self._api.list_pod_for_all_namespaces(
            label_selector=self._selector, _preload_content=False, _request_timeout=_TIMEOUT
        )
        listing = json.loads(answer.data)
        with self._lock:
            self._pods = {pod["metadata"]["uid"]: pod for pod in listing["items"]}
        return listing["metadata"]["resourceVersion"]

    def follow(self, version: str, seconds: int = _WATCH_SECONDS) -> str:
        """Takes in what happens after `version` for so long; the version to go on from. Raises as `list_anew`."""
        events: Any = self._watch.stream(
            self._api.list_pod_for_all_namespaces,
            label_selector=self._selector,
            resource_version=version,
            allow_watch_bookmarks=True,
            timeout_seconds=seconds,
            _request_timeout=_WATCH_TIMEOUT,
        )
        for event in events:
            self._take_in(event["type"], event["raw_object"])
        return self._watch.resource_version or version

    def _take_in(self, event_type: str, pod: dict[str, Any]) -> None:
        with self._lock:
            if self._pods is None or event_type == "BOOKMARK":
                return
            if event_type == "DELETED":
                self._pods.pop(pod["metadata"]["uid"], None)
            else:
                self._pods[pod["metadata"]["uid"]] = pod

    def _note(self, bad: Exception) -> None:
        if isinstance(bad, ApiException) and bad.status == _GONE:
            return
        reason = getattr(bad, "reason", None) or bad
        with self._lock:
            self._why = f"the API server did not answer: {type(bad).__name__}: {reason}."
        _log.warning("pods not watched", extra={"fields": {"selector": self._selector, "error": str(reason)}})
