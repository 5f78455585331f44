"""What `spec.source` means, asked of the registry as seldom as the truth allows.

A version with its digest never changes, so it is remembered for good. An alias moves, so its answer is
remembered only for some seconds: enough that a burst of events asks once. A failure is never remembered.
"""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from modelyard.api.entry import Entry
from modelyard.api.model import Source
from modelyard.core.snapshot import Failure, ResolvedEntry
from modelyard.errors import OutsideError, UserError

_ALIAS_SECONDS = 3.0


class Registry(Protocol):
    """Where entries live."""

    def resolve(self, name: str, version: str | None = None, alias: str | None = None) -> Entry: ...


class EntryObserver:
    """Answers of the registry, remembered; `Failure` with `retry` when the registry itself was not reached."""

    def __init__(self, registry: Registry, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry, self._clock = registry, clock
        self._lock = threading.Lock()
        self._versions: dict[tuple[str, str], ResolvedEntry] = {}
        self._aliases: dict[tuple[str, str], tuple[float, ResolvedEntry]] = {}

    def resolve(self, source: Source) -> ResolvedEntry | Failure:
        """The entry a source means now, or a Failure, whose `retry` says that the registry was not reached."""
        remembered = self._remembered(source)
        if remembered is not None:
            return remembered
        try:
            entry = self._registry.resolve(source.name, version=source.version, alias=source.alias)
        except UserError as mistake:
            return Failure(mistake.reason, str(mistake))
        except OutsideError as outside:
            return Failure(outside.reason, str(outside), retry=True)
        resolved = ResolvedEntry(entry.name, entry.version, entry.digest)
        with self._lock:
            self._versions[resolved.name, resolved.version] = resolved
            if source.alias is not None:
                self._aliases[source.name, source.alias] = (self._clock() + _ALIAS_SECONDS, resolved)
        return resolved

    def _remembered(self, source: Source) -> ResolvedEntry | None:
        with self._lock:
            if source.version is not None:
                return self._versions.get((source.name, source.version))
            until, entry = self._aliases.get((source.name, source.alias or ""), (0.0, None))
            return entry if self._clock() < until else None
