"""All writes of the operator pass here: only while the Lease is held, counted, and read back at once.

The API server's answer goes into the cache, so that the next decision sees what this one did without
waiting for the watch. `close` lets no new write begin and waits for those under way: after it the Lease may
be given away.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from modelyard.clients.cluster.api_server import Cluster
from modelyard.core.snapshot import Object, Ref
from modelyard.errors import Conflict

from .objects import ObjectCache

_NEVER = "1"
"""A resourceVersion that no object has: an apply with it makes an object, or is a Conflict."""


class NotLeading(Exception):
    """This replica may not write now; whoever holds the Lease does the work."""


class Leadership(Protocol):
    """Whether this replica may write."""

    @property
    def held(self) -> bool: ...


class Counter(Protocol):
    """Counts writes by verb and kind."""

    def wrote(self, verb: str, kind: str) -> None: ...


class GuardedWrites:
    """The writing verbs of the cluster, guarded and read back.

    Each raises NotLeading when this replica may not write, and what `Cluster` raises: Conflict or another OutsideError.
    """

    def __init__(self, cluster: Cluster, cache: ObjectCache, leadership: Leadership, counter: Counter) -> None:
        self._cluster, self._cache, self._leadership, self._counter = cluster, cache, leadership, counter
        self._idle = threading.Condition()
        self._under_way = 0
        self._closed = False

    def make(self, child: Object) -> None:
        """Applies a child that is not there yet, server-side, and puts the answer into the cache.

        Raises Conflict, and nothing is written, when any object has that name.
        """
        self._apply({**child, "metadata": {**child["metadata"], "resourceVersion": _NEVER}}, force=False)

    def apply(self, child: Object, uid: str) -> None:
        """Applies one child server-side and puts the answer into the cache.

        `uid` is that of the object known as ours; another one is not written.
        """
        self._apply({**child, "metadata": {**child["metadata"], "uid": uid}}, force=True)

    def _apply(self, desired: Object, *, force: bool) -> None:
        with self._permit("apply", desired["kind"]):
            self._keep(self._cluster.apply(desired, force=force))

    def scale(self, ref: Ref, replicas: int) -> None:
        """Sets the replicas of a Deployment."""
        with self._permit("scale", ref.kind):
            answer = self._cluster.scale(ref, replicas)
            cached = self._cache.get(ref)
            if answer is not None and cached is not None:
                self._cache.put(_scaled(cached, answer))

    def delete(self, ref: Ref) -> None:
        """Deletes the object the cache holds, by uid; one of the same name made since then stays."""
        cached = self._cache.get(ref)
        uid = cached["metadata"]["uid"] if cached else None
        with self._permit("delete", ref.kind):
            try:
                left = self._cluster.delete(ref, uid)
            except Conflict:
                return
            if left is not None:
                self._keep(left)
            elif uid is not None:
                self._cache.remove(ref, uid)

    def status(self, ref: Ref, stored: Object, status: Object) -> None:
        """Applies the status that was decided on a Model as it is `stored`; takes it out of the cache when it is gone.

        Raises Conflict when somebody has written the Model since then, be it a new leader while this one was paused.
        """
        with self._permit("status", ref.kind):
            self._apply_status(ref, stored["metadata"], status)

    def amend_status(self, ref: Ref, uid: str, change: Callable[[Object], Object]) -> None:
        """Applies what `change` makes of the status as the API server has it now, of the Model with that uid.

        Raises Conflict when somebody writes the Model in the meantime.
        """
        with self._permit("status", ref.kind):
            live = self._cluster.get(ref) or {}
            metadata = live.get("metadata", {"uid": uid, "resourceVersion": ""})
            self._apply_status(ref, {**metadata, "uid": uid}, change(live.get("status") or {}))

    def _apply_status(self, ref: Ref, metadata: Object, status: Object) -> None:
        answer = self._cluster.apply_status(ref, metadata["uid"], status, metadata["resourceVersion"])
        if answer is None:
            self._cache.remove(ref, metadata["uid"])
        else:
            self._keep(answer)

    def create(self, created: Object) -> None:
        """Creates an object. Raises Conflict when its name is taken."""
        with self._permit("create", created["kind"]):
            self._cluster.create(created)

    def merge(self, ref: Ref, change: Object) -> bool:
        """Changes the fields in `change` of an object (merge patch); False when it is not there any more."""
        with self._permit("patch", ref.kind):
            return self._cluster.merge(ref, change) is not None

    def close(self, patience: float) -> None:
        """Refuses new writes; returns when none is under way, after `patience` seconds at the latest."""
        with self._idle:
            self._closed = True
            self._idle.wait_for(lambda: self._under_way == 0, patience)

    @contextmanager
    def _permit(self, verb: str, kind: str) -> Iterator[None]:
        with self._idle:
            if self._closed or not self._leadership.held:
                raise NotLeading
            self._under_way += 1
        self._counter.wrote(verb, kind)
        try:
            yield
        finally:
            with self._idle:
                self._under_way -= 1
                self._idle.notify_all()

    def _keep(self, answer: Mapping[str, Any]) -> None:
        metadata = {key: value for key, value in answer["metadata"].items() if key != "managedFields"}
        thing = {**answer, "metadata": metadata}
        self._cache.put(thing)


def _scaled(deployment: Object, scale: Mapping[str, Any]) -> Object:
    """The Deployment as the API server has it once its scale is `scale`."""
    metadata = deployment["metadata"]
    later = {
        **metadata,
        "resourceVersion": scale["metadata"]["resourceVersion"],
        "generation": metadata.get("generation", 0) + 1,
    }
    return {**deployment, "metadata": later, "spec": {**deployment["spec"], "replicas": scale["spec"]["replicas"]}}
