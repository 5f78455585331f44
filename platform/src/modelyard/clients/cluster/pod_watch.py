"""The pods with some labels, in all namespaces, kept up to date by one watch and read from memory."""

import threading
from collections.abc import Collection, Mapping
from typing import Any

from modelyard.core.kinds import BY_NAME
from modelyard.errors import Unreachable

from .api_server import Cluster
from .list_watch import ListWatch


def takes_requests(pod: Mapping[str, Any]) -> bool:
    """Whether a pod is ready and stays."""
    conditions = pod.get("status", {}).get("conditions", ())
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return ready and not pod["metadata"].get("deletionTimestamp")


class PodWatch:
    """The pods that `selector` selects by label; the watch has a thread of its own."""

    def __init__(self, cluster: Cluster, selector: str) -> None:
        self._selector = selector
        self._lock = threading.Lock()
        self._pods: dict[str, Mapping[str, Any]] = {}
        self.watch = ListWatch(cluster, BY_NAME["Pod"], "", selector, self)

    def start(self) -> None:
        """Begins."""
        self.watch.start()

    @property
    def alive(self) -> bool:
        """False once the thread has ended."""
        return self.watch.alive

    def stop(self, patience: float = 0.0) -> None:
        """Ends; returns after `patience` seconds at the latest."""
        self.watch.stop(patience)

    def items(self, kind: str, namespace: str = "", selector: str = "") -> list[Mapping[str, Any]]:
        """The pods as last seen, as the API server writes them: the answer of `Cluster.items` to this one question.

        Raises Unreachable while they never were seen.
        """
        assert (kind, namespace, selector) == ("Pod", "", self._selector)
        if not self.watch.complete.is_set():
            raise Unreachable(self.watch.trouble)
        with self._lock:
            return list(self._pods.values())

    def listing(self) -> None:
        """Nothing is to be done when a listing begins, for the pods before it serve until its end."""

    def take_in(self, event_type: str | None, thing: Mapping[str, Any]) -> None:
        """Keeps a pod, or drops it."""
        with self._lock:
            if event_type == "DELETED":
                self._pods.pop(thing["metadata"]["uid"], None)
            else:
                self._pods[thing["metadata"]["uid"]] = thing

    def listed(self, uids: Collection[str]) -> None:
        """Drops the pods that are gone."""
        with self._lock:
            self._pods = {uid: pod for uid, pod in self._pods.items() if uid in uids}
