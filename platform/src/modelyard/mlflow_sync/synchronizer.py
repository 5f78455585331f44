"""Rounds of the sync: from what MLflow lists to entries and aliases in the bucket.

    which versions    those an alias means, those that a Model names, and, where asked for, the newest
    a version         is fetched once; refused ones are remembered, for they never change either, until somebody
                      brings them in from a machine that can
    an alias          follows once its version is here; until then it means what it meant
    a heartbeat       says when MLflow was asked last, for those who only read the bucket

A round in which nothing is new costs MLflow one request for a thousand registered models, and the bucket one write.
"""

import logging
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from modelyard.api.entry import VERSION_PATTERN, Entry
from modelyard.clients.mlflow import MlflowServer, RegisteredModel
from modelyard.core.storage import keys
from modelyard.core.storage.object_store import Store
from modelyard.core.storage.synced import SyncedModel, SyncHeartbeat, SyncRefusal, entry_name
from modelyard.errors import EntryExists, InvalidEntry, ModelyardError, UnknownEntry, UserError
from modelyard.registry.bucket import BucketRegistry, natural

from .intake import entry_folder

_READY = "READY"
_AT_A_TIME = 8
_REPORT = "the log of the sync says where it failed; log the model again, or report it."
_log = logging.getLogger(__name__)
_LASTING = frozenset({EntryExists.__name__})
"""Reasons that do not end when the version is here: it is there already, and another."""

Versions = Mapping[str, Collection[str]]
"""Versions to bring in beside those that aliases mean, by the name of their entry."""


@dataclass(frozen=True)
class SyncOptions:
    """`newest`: bring in each model's newest version too; `trust_pickle`: read what may run code.

    `sample` has rows to prove conversions on, and `say` gets what is told of one.
    """

    newest: bool = False
    trust_pickle: bool = False
    sample: Path | None = None
    say: Callable[[str], None] = lambda _: None


@dataclass
class RoundSummary:
    """What a round did, by entry name: versions brought in, aliases that moved, and what was refused."""

    names: int = 0
    pushed: list[tuple[str, str]] = field(default_factory=list)
    moved: list[tuple[str, str, str]] = field(default_factory=list)
    refused: list[tuple[str, str, SyncRefusal]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Named:
    """A registered model and the name of its entries; with the time it was made, another of its name is another."""

    name: str
    model: RegisteredModel

    def key(self, version: str) -> tuple[str, int, str]:
        return self.name, self.model.created, version


class Synchronizer:
    """Brings one server's models into one bucket. A round at a time."""

    def __init__(
        self, server: MlflowServer, store: Store, options: SyncOptions, now: Callable[[], float] = time.time
    ) -> None:
        self._server, self._store, self._options, self._now = server, store, options, now
        self._registry = BucketRegistry(store)
        self._here: set[tuple[str, int, str]] = set()
        self._refused: dict[tuple[str, int, str], SyncRefusal] = {}
        self._told: dict[str, SyncedModel] = {}
        self._pointed: dict[tuple[str, str], str] = {}
        self._silent_since = ""
        self.models: dict[str, RegisteredModel] = {}

    def round(self, wanted: Versions | None) -> RoundSummary:
        """Brings in what is `wanted`, or every registered model. Raises OutsideError when MLflow or the store does."""
        by_name: defaultdict[str, list[RegisteredModel]] = defaultdict(list)
        for model in self._server.models():
            by_name[entry_name(model.name)].append(model)
        self.models = {name: models[0] for name, models in by_name.items() if len(models) == 1}
        names = sorted(by_name if wanted is None else wanted)
        summary = RoundSummary(names=len(names))
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            states = pool.map(
                lambda name: self._state(name, by_name[name], (wanted or {}).get(name, ()), summary), names
            )
            for name, state in zip(names, states, strict=True):
                self._tell(name, state)
        return summary

    def beat(self, every: float, failure: str = "") -> None:
        """Writes the heartbeat; `failure` says why MLflow could not be read, empty when it was."""
        now = self._now()
        if not failure:
            self._silent_since = ""
        elif not self._silent_since:
            self._silent_since = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
        beat = SyncHeartbeat(time=now, every=every, server=self._server.url, failure=failure, since=self._silent_since)
        self._store.put(keys.sync_heartbeat(), beat.model_dump_json(by_alias=True).encode())

    def _state(
        self, name: str, models: list[RegisteredModel], versions: Collection[str], summary: RoundSummary
    ) -> SyncedModel:
        """Brings in one name; what is to be told of it."""
        if len(models) != 1:
            missing = _missing(name, models)
            summary.missing.append(missing)
            return SyncedModel(missing=missing)
        named = _Named(name, models[0])
        needed = {*versions, *named.model.aliases.values()}
        if self._options.newest and named.model.newest:
            needed.add(named.model.newest)
        refused = {}
        for version in sorted(needed, key=natural):
            refusal = self._refusal(named, version, summary)
            if refusal is not None:
                refused[version] = refusal
                summary.refused.append((name, version, refusal))
        for alias, version in sorted(named.model.aliases.items()):
            if version in refused or not re.fullmatch(VERSION_PATTERN, alias):
                continue
            refusal = self._point(name, alias, version, summary)
            if refusal is not None:
                refused[version] = refusal
                summary.refused.append((name, version, refusal))
        return SyncedModel(model=named.model.name, aliases=dict(named.model.aliases), refused=refused)

    def _refusal(self, named: _Named, version: str, summary: RoundSummary) -> SyncRefusal | None:
        """Why a version is not here; None when it is, from before or from now on."""
        key = named.key(version)
        if key in self._here:
            return None
        refused = self._refused.get(key)
        if refused is not None and (refused.reason in _LASTING or self._registry.find(named.name, version) is None):
            return refused
        try:
            if self._bring(named, version):
                summary.pushed.append((named.name, version))
        except ModelyardError as bad:
            refusal = SyncRefusal(reason=bad.reason, message=str(bad))
            if isinstance(bad, UserError) and not isinstance(bad, UnknownEntry):
                self._refused[key] = refusal
            return refusal
        except Exception as bad:  # noqa: BLE001 - what nobody foresaw in one version keeps nobody from the others
            _log.exception("not brought in", extra={"fields": {"entry": named.name, "version": version}})
            words = f"{named.model.name} version {version} cannot be brought in ({type(bad).__name__}): {_REPORT}"
            refusal = SyncRefusal(reason=InvalidEntry.__name__, message=words)
            if not isinstance(bad, OSError):  # a disk that is full will not always be
                self._refused[key] = refusal
            return refusal
        self._here.add(key)
        return None

    def _bring(self, named: _Named, version: str) -> bool:
        """Brings a version in unless it is here; whether it was new. Raises why it cannot be."""
        name, model = named.name, named.model
        found, present = self._server.version(model.name, version), self._registry.find(name, version)
        if found is None:
            if present is not None:
                return False
            raise UnknownEntry(f"MLflow has no version {version} of {model.name}: register it, or name another.")
        if present is not None:
            _require_same(present, found.source)
            return False
        if found.status != _READY:
            raise UnknownEntry(f"{model.name} version {version} is not complete in MLflow ({found.status}).")
        with tempfile.TemporaryDirectory(prefix="modelyard-mlflow-") as scratch:
            asked = self._options
            given = (asked.trust_pickle, asked.sample, asked.say)
            folder = entry_folder(self._server, model, found, name, Path(scratch), *given)
            try:
                return self._registry.push(folder).new
            except EntryExists:  # another sync was faster, and read a metric that came later
                _require_same(self._registry.resolve(name, version=version), found.source)
                return False

    def _point(self, name: str, alias: str, version: str, summary: RoundSummary) -> SyncRefusal | None:
        """Lets an alias mean a version, which is here; one that was set for entries pushed by hand is left alone."""
        if self._pointed.get((name, alias)) == version:
            return None
        before = self._meant(name, alias)
        if before is not None and before.metadata.mlflow is None:
            message = (
                f"{name}@{alias} means {before.version} here, which was pushed by hand: call one of both otherwise."
            )
            return SyncRefusal(reason=EntryExists.__name__, message=message)
        if before is None or before.version != version:
            self._registry.set_alias(name, alias, version)
            summary.moved.append((name, alias, version))
        self._pointed[name, alias] = version
        return None

    def _meant(self, name: str, alias: str) -> Entry | None:
        version = self._registry.alias_version(name, alias)
        return None if version is None else self._registry.find(name, version)

    def _tell(self, name: str, state: SyncedModel) -> None:
        """Writes what is told of a name, when that is other than before."""
        if self._told.get(name) == state:
            return
        self._store.put(keys.synced_model(name), state.model_dump_json(by_alias=True).encode())
        self._told[name] = state


def _require_same(present: Entry, source: str) -> None:
    """Raises EntryExists when an entry is not what MLflow has under its name and version now."""
    called, origin = f"{present.name}:{present.version}", present.metadata.mlflow
    if origin is None:
        raise EntryExists(
            f"{called} was pushed by hand, so MLflow's is not brought in: register it under another name."
        )
    if origin.uri != source:
        raise EntryExists(
            f"{called} is another model in MLflow now ({source[:100]}), and a version here never changes: register it "
            "again, as a version that was not there before."
        )


def _missing(name: str, models: list[RegisteredModel]) -> str:
    if not models:
        return f"MLflow has no registered model called {name}: register it, or correct spec.source.name."
    both = " and ".join(sorted(model.name for model in models))
    return f"{both} would both be called {name} here: give one of them another name in MLflow."
