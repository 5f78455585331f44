"""Is the cache like the cluster? Compared with listings of metadata: often until it is, then now and then.

No work begins before the cache holds everything a listing holds, because a missing child looks like a child
to be made. Later comparisons find deletions that happened while a watch was interrupted: kopf lists again
after an interruption, but says nothing of what is no longer there.
"""

import logging
import random
import threading
from collections.abc import Callable, Sequence

from modelyard.background_thread import BackgroundThread
from modelyard.clients.cluster.api_server import Cluster
from modelyard.core.kinds import Kind
from modelyard.core.snapshot import Ref
from modelyard.errors import OutsideError

from .objects import ObjectCache

_FIRST_SECONDS = 0.3
_EVERY_SECONDS = 300.0
_log = logging.getLogger(__name__)


class Resync(BackgroundThread):
    """Compares `kinds`; `lost(ref)` is called for every object that was gone without a word."""

    def __init__(
        self, cluster: Cluster, cache: ObjectCache, kinds: Sequence[Kind], platform: str, lost: Callable[[Ref], None]
    ) -> None:
        super().__init__("sync")
        self._cluster, self._cache, self._kinds, self._platform, self._lost = cluster, cache, kinds, platform, lost
        self.complete = threading.Event()
        self.missing = "nothing has been compared yet"

    def compare(self) -> bool:
        """Compares all kinds once; True when the cache lacks nothing. Raises OutsideError when a listing fails."""
        lacking = {kind.kind: number for kind in self._kinds if (number := self._lacking(kind))}
        self.missing = ", ".join(f"{number} {kind}" for kind, number in lacking.items())
        return not lacking

    def _lacking(self, kind: Kind) -> int:
        before = self._cache.uids(kind.kind)
        namespace = self._platform if kind.kind == "Job" else ""
        listed = {metadata["uid"] for metadata in self._cluster.metadata(kind.kind, namespace, kind.label)}
        missing, lost = self._cache.compare(before, kind.kind, listed)
        for ref in lost:
            _log.warning("gone without a word", extra={"fields": {"kind": ref.kind, "name": "/".join(ref[1:])}})
            self._lost(ref)
        return missing

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if self.compare():
                    self.complete.set()
            except OutsideError as error:
                self.missing = str(error)
                _log.warning("not compared", extra={"fields": {"reason": error.reason, "error": str(error)}})
            jitter = 0.8 + 0.4 * random.random()  # noqa: S311 - spreads load, guards nothing
            self._stop.wait(jitter * (_EVERY_SECONDS if self.complete.is_set() else _FIRST_SECONDS))
