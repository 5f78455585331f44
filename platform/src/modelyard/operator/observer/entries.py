"""What `spec.source` means, asked of the registry as seldom as the truth allows.

An entry of MLflow's is asked for in the bucket as every other (`registry.synced`): MLflow is never asked here.

A version with its digest never changes, so it is remembered for good: a spec that asks for an earlier version again is
understood at once, whether the registry answers or not. An alias moves, so its answer is good
only for some seconds: enough that a burst of events asks once. What is unknown may be pushed any time, so that is
asked again just as soon.
"""

from math import inf
from typing import Protocol

from modelyard.api.entry import Entry
from modelyard.api.model import RegistryName, Source
from modelyard.core.snapshot import Failure, ResolvedEntry
from modelyard.errors import UserError
from modelyard.operator.cache.objects import Key
from modelyard.operator.polling.poller import Habits, Unanswered
from modelyard.operator.polling.polling import Polling

_ALIAS_SECONDS = 3.0

_Question = tuple[RegistryName | None, str, str | None, str | None]
"""Registry, name, version, alias: one of the last two is None."""


class Registry(Protocol):
    """Where entries live."""

    def resolve(self, name: str, version: str | None = None, alias: str | None = None) -> Entry: ...


class MirroredRegistry(Registry, Protocol):
    """One that is filled from elsewhere."""

    def notice(self, name: str, alias: str, version: str) -> Failure | None:
        """Why the version that an alias means may not be the newest; None when it is."""
        ...


class EntryObserver:
    """Answers of the registry, remembered; none of its methods waits for it."""

    def __init__(self, registry: Registry, polling: Polling, mirrored: MirroredRegistry | None = None) -> None:
        self._registry, self._mirrored = registry, mirrored
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
        answer = poller.of(key, (source.registry, source.name, source.version, source.alias), meant)
        return answer.failure if isinstance(answer, Unanswered) else answer

    def _ask(self, question: _Question) -> ResolvedEntry | Failure:
        origin, name, version, alias = question
        mirrored = self._mirrored if origin is RegistryName.MLFLOW else None
        try:
            entry = (mirrored or self._registry).resolve(name, version=version, alias=alias)
        except UserError as mistake:
            return Failure(mistake.reason, str(mistake))
        notice = mirrored.notice(name, alias, entry.version) if mirrored is not None and alias is not None else None
        return ResolvedEntry(entry.name, entry.version, entry.digest, notice, entry.is_python)


def _lasts(known: ResolvedEntry | Failure, seconds: float) -> float:
    return seconds if isinstance(known, ResolvedEntry) else _ALIAS_SECONDS
