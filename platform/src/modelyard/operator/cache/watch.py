"""The watches: what the API server tells feeds the cache, and every change of anything puts its Model into the queue.

Each kind has a thread that lists and then watches. Selectors are applied by the API server, so that only objects with
our labels, and Jobs of the platform's namespace, ever arrive here. No work begins before every kind was listed, because
a missing child looks like a child to be made; `complete` says when that is so.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any

from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.list_watch import Follower, ListWatch
from modelyard.core.kinds import BY_NAME, Kind
from modelyard.core.names import MODEL_LABEL
from modelyard.core.snapshot import Object, Ref

from .objects import ObjectCache, ref_of, version_of

_log = logging.getLogger(__name__)

Changed = Callable[[Object, bool], None]


class CachedKind:
    """Keeps one kind's objects in the cache; `changed(thing, gone)` is called when that has changed.

    `lost` is called too for what a listing no longer has, and no watch has told of.
    """

    def __init__(self, kind: Kind, cache: ObjectCache, changed: Changed, lost: Callable[[str], None]) -> None:
        self._kind, self._cache, self._changed, self._lost = kind, cache, changed, lost
        self._before: Mapping[str, Ref] = {}

    def listing(self) -> None:
        """Remembers what is there when a listing begins."""
        self._before = self._cache.uids(self._kind.kind)

    def take_in(self, event_type: str | None, thing: Mapping[str, Any]) -> None:
        """Puts one object into the cache and tells, unless the cache holds that version or a later one."""
        metadata = {key: value for key, value in thing["metadata"].items() if key != "managedFields"}
        kept = {**thing, "apiVersion": self._kind.api_version, "kind": self._kind.kind, "metadata": metadata}
        if event_type == "DELETED":
            self._cache.remove(ref_of(kept), metadata["uid"], version_of(kept))
            self._changed(kept, True)
        else:
            before = self._cache.get(ref_of(kept)) if self._kind.noise else None
            if self._cache.put(kept) and (before is None or self._told(before) != self._told(kept)):
                self._changed(kept, False)

    def _told(self, thing: Object) -> Object:
        """An object without what changes all the time and decides nothing."""
        metadata = {key: value for key, value in thing["metadata"].items() if key != "resourceVersion"}
        status = {key: value for key, value in thing.get("status", {}).items() if key not in self._kind.noise}
        return {**thing, "metadata": metadata, "status": status}

    def listed(self, uids: Collection[str]) -> None:
        """Takes out what was there before the listing and is not in it."""
        for lost in self._cache.retain(self._before, uids):
            fields = {"kind": lost["kind"], "name": f"{lost['metadata']['namespace']}/{lost['metadata']['name']}"}
            _log.warning("gone without a word", extra={"fields": fields})
            self._lost(lost["kind"])
            self._changed(lost, True)
        self._before = {}


class Watches:
    """All watches, one thread each; `changed` and `lost` are called from them (`CachedKind`).

    `others` are told, by kind, of the objects that carry no Model's label; they are not cached.
    """

    def __init__(
        self,
        cluster: Cluster,
        platform: str,
        cache: ObjectCache,
        changed: Changed,
        lost: Callable[[str], None],
        others: Mapping[str, Follower] = MappingProxyType({}),
    ) -> None:
        self.kinds = {
            kind.kind: ListWatch(
                cluster,
                kind,
                platform if kind.kind == "Job" else "",
                kind.label,
                CachedKind(kind, cache, changed, lost),
            )
            for kind in BY_NAME.values()
        } | {
            f"{kind} of others": ListWatch(cluster, BY_NAME[kind], "", f"!{MODEL_LABEL}", follower)
            for kind, follower in others.items()
        }

    def start(self) -> None:
        """Begins; every kind must be served by the API server by now."""
        for watch in self.kinds.values():
            watch.start()

    @property
    def complete(self) -> bool:
        """Whether every kind has been listed once."""
        return all(watch.complete.is_set() for watch in self.kinds.values())

    @property
    def missing(self) -> str:
        """The kinds that have not been listed yet, and why."""
        return "; ".join(f"{name}: {each.trouble}" for name, each in self.kinds.items() if not each.complete.is_set())

    @property
    def beat(self) -> float:
        """When the stillest of the threads was last seen alive, by the monotonic clock."""
        return min(watch.beat for watch in self.kinds.values())

    @property
    def alive(self) -> bool:
        """False once a thread has ended, on purpose or not."""
        return all(watch.alive for watch in self.kinds.values())

    def stop(self, patience: float) -> None:
        """Ends them all; returns after `patience` seconds at the latest."""
        for watch in self.kinds.values():
            watch.stop()
        end = time.monotonic() + patience
        for watch in self.kinds.values():
            watch.stop(max(0.0, end - time.monotonic()))
