"""All objects of one kind, told of as they are and as they change: one listing, and then a watch.

    list --every page taken in--> watch --ended after half a minute--> watch, from where it stopped
                                  watch --connection lost, 5xx, 429--> watch, from where it stopped, after a pause
                                  watch --410 Gone: the place is forgotten--> list

    an optional kind is not served (404) --> as if nothing were there, and list again after a pause

The API server looks through all objects for a listing, and only at the changes for a watch, so there is one listing at
the beginning and another only after 410. A watch that lives half a minute shows soon when its connection died
silently. What was deleted while nobody watched is what a listing does not have any more.
"""

import logging
import random
import threading
import time
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from modelyard.background_thread import BackgroundThread
from modelyard.core.kinds import Kind
from modelyard.errors import OutsideError

from .api_server import Cluster
from .status_errors import Expired
from .watch_stream import WatchStream

WATCH_SECONDS = 30
_PAUSE_SECONDS = 1.0
_ABSENT_SECONDS = 10.0
_NOT_FOUND = 404
_log = logging.getLogger(__name__)


class Follower(Protocol):
    """Who is told, by one thread; objects are as the API server writes them in a list, without kind and apiVersion."""

    def listing(self) -> None:
        """A listing begins."""
        ...

    def take_in(self, event_type: str | None, thing: Mapping[str, Any]) -> None:
        """One object, ADDED, MODIFIED or DELETED, None in a listing."""
        ...

    def listed(self, uids: Collection[str]) -> None:
        """The listing has ended: whatever was there when it began and is not in it, is gone."""
        ...


class ListWatch(BackgroundThread):
    """Follows one kind in one namespace (empty: in all), the objects that `selector` selects by label."""

    def __init__(self, cluster: Cluster, kind: Kind, namespace: str, selector: str, follower: Follower) -> None:
        super().__init__(f"watch-{kind.plural}")
        self._cluster, self._kind, self._follower = cluster, kind, follower
        self._collection = (kind, namespace, selector)
        self._stream: WatchStream | None = None
        self.complete = threading.Event()
        self.trouble = "not listed yet"
        self.beat = time.monotonic()
        self._reached = ""

    def stop(self, patience: float = 0.0) -> None:
        """Ends, the watch under way included; returns after `patience` seconds at the latest."""
        self._stop.set()
        stream = self._stream
        if stream is not None:
            stream.end()
        super().stop(patience)

    def list_anew(self) -> str:
        """Tells of all objects there are; the version to go on from. Raises OutsideError."""
        self._follower.listing()
        uids: set[str] = set()
        version = ""
        for page in self._cluster.pages(*self._collection):
            version = page["metadata"]["resourceVersion"]
            for thing in page["items"] or ():
                uids.add(thing["metadata"]["uid"])
                self._tell(None, thing)
            self.beat = time.monotonic()
        self._follower.listed(uids)
        self.trouble = ""
        self.complete.set()
        return version

    def follow(self, version: str, seconds: int | None = None) -> str:
        """Tells of what happens after `version` for so long; the version to go on from.

        Raises Expired when the API server has forgotten that version, and other OutsideErrors.
        """
        self._stream = stream = self._cluster.watch(*self._collection, version, seconds or WATCH_SECONDS)
        with stream:
            if self._stop.is_set():
                return version
            for event_type, thing in stream:
                self.beat = time.monotonic()
                version = self._reached = thing["metadata"]["resourceVersion"]
                if event_type != "BOOKMARK":
                    self._tell(event_type, thing)
        return version

    def _tell(self, event_type: str | None, thing: Mapping[str, Any]) -> None:
        """Tells of one object; a defect that it brings to light keeps nobody from the others."""
        try:
            self._follower.take_in(event_type, thing)
        except Exception:  # noqa: BLE001 - what nobody foresaw in one object
            name = "/".join(thing["metadata"].get(part, "") for part in ("namespace", "name"))
            _log.exception("not taken in", extra={"fields": {"kind": self._kind.kind, "name": name}})

    def _run(self) -> None:
        while not self._stop.is_set():
            self.beat = time.monotonic()
            try:
                self._reached = self.follow(self._reached) if self._reached else self.list_anew()
            except OutsideError as bad:
                if self._stop.is_set():
                    return
                if self._kind.optional and getattr(bad.__cause__, "status", None) == _NOT_FOUND:
                    self._absent()
                    continue
                self._note(bad)
                self._stop.wait(_PAUSE_SECONDS * (0.5 + random.random()))  # noqa: S311 - spreads load

    def _absent(self) -> None:
        """Nobody has defined the kind (any more), so there is nothing of it."""
        self._follower.listing()
        self._follower.listed(())
        self._reached = self.trouble = ""
        self.complete.set()
        self._stop.wait(_ABSENT_SECONDS)

    def _note(self, bad: OutsideError) -> None:
        if isinstance(bad, Expired):
            self._reached = ""
        self.trouble = str(bad)
        _log.warning(
            "not watched", extra={"fields": {"kind": self._kind.kind, "reason": bad.reason, "error": str(bad)}}
        )
