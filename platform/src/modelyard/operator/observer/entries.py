"""What `spec.source` means, asked of the registry as seldom as the truth allows.

A version with its digest never changes, so it is remembered for good: a spec that asks for an earlier version again is
understood at once, whether the registry answers or not. An alias moves, so its answer is good
only for some seconds: enough that a burst of events asks once. What is unknown may be pushed any time, so that is
asked again just as soon.
"""

from math import inf
from typing import Protocol

from modelyard.api.entry import Entry
from modelyard.api.model import Source
from modelyard.core.snapshot import Failure, ResolvedEntry
from modelyard.errors import UserError
from modelyard.operator.cache.objects import Key
from modelyard.operator.polling.poller import Habits, Unanswered
from modelyard.operator.polling.polling import Polling

_ALIAS_SECONDS = 3.0

_Question = tuple[str, str | None, str | None]
"""Name, version, alias: one of the last two is None."""


class Registry(Protocol):
    """Where entries live."""

    def resolve(self, name: str, version: str | None = None, alias: str | None = None) -> Entry: ...


class EntryObserver:
    """Answers of the registry, remembered; none of its methods waits for it."""

    def __init__(self, registry: Registry, polling: Polling) -> None:
        self._registry = registry
        self._versions = polling.poller(
            "the registry", self._ask, Habits(lambda known: _lasts(known, inf), remembered=inf)
        )
        self._aliases = polling.poller("the registry", self._ask, Habits(lambda known: _lasts(known, _ALIAS_SECONDS)))

    def resolve(self, key: Key, source: Source, known: ResolvedEntry | None = None) -> ResolvedEntry | Failure:
        """The entry a source means as far as is known, or a Failure: `retry` says that the registry was not reached.

        `known` is what the source meant before; a version still does, and stands until the registry has answered.
        """
        poller = self._aliases if source.version is None else self._versions
        meant = known if source.version is not None else None
        answer = poller.of(key, (source.name, source.version, source.alias), meant)
        return answer.failure if isinstance(answer, Unanswered) else answer

    def _ask(self, question: _Question) -> ResolvedEntry | Failure:
        name, version, alias = question
        try:
            entry = self._registry.resolve(name, version=version, alias=alias)
        except UserError as mistake:
            return Failure(mistake.reason, str(mistake))
        return ResolvedEntry(entry.name, entry.version, entry.digest)


def _lasts(known: ResolvedEntry | Failure, seconds: float) -> float:
    return seconds if isinstance(known, ResolvedEntry) else _ALIAS_SECONDS
