"""Entries that came from MLflow, as the bucket has them: `spec.source.registry: mlflow`.

MLflow itself is never asked here. `mlflow_sync` brings in what Models name, and leaves beside it what MLflow says; so
what is served goes on whether MLflow answers or not, and an alias means the last version that could be taken in.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import ValidationError

from modelyard.api.entry import Entry
from modelyard.core.snapshot import Failure
from modelyard.core.storage import keys
from modelyard.core.storage.object_store import Store
from modelyard.core.storage.synced import SyncedModel, SyncHeartbeat
from modelyard.errors import InvalidEntry, NotSynced, RegistryUnreachable, UnknownEntry, UnsupportedModel

from .bucket import BucketRegistry

_REFUSED = {kind.__name__: kind for kind in (InvalidEntry, UnsupportedModel)}


class SyncedRegistry:
    """What was brought in from MLflow; `now` gives seconds since the epoch."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        self._store, self._now, self._bucket = store, now, BucketRegistry(store)

    def resolve(self, name: str, version: str | None = None, alias: str | None = None) -> Entry:
        """As `BucketRegistry.resolve`; raises NotSynced or RegistryUnreachable while the answer may still come."""
        try:
            return self._bucket.resolve(name, version=version, alias=alias)
        except UnknownEntry as unknown:
            self._explain(name, version, alias)
            raise unknown

    def notice(self, name: str, alias: str, version: str) -> Failure | None:
        """Why `version`, which the alias means here, may not be what it means in MLflow; None when it is."""
        beat, stands = self._heartbeat(), f"Version {version} stands."
        late = self._unreachable(beat)
        if late:
            return Failure("RegistryUnreachable", f"{late} {stands}", retry=True)
        known = self._model(name)
        if known is None:
            return None
        meant = known.aliases.get(alias)
        if meant is None:
            gone = known.missing or f"MLflow's {known.model} has no alias {alias} any more; set it there again."
            return Failure("AliasGone", f"{gone} {stands}")
        refusal = known.refused.get(meant)
        if meant == version or refusal is None:
            return None
        return Failure("VersionRefused", f"In MLflow, {alias} is version {meant} now: {refusal.message} {stands}")

    def _explain(self, name: str, version: str | None, alias: str | None) -> None:
        """Raises what is known of an entry that is not here; returns when nothing is."""
        beat, known = self._heartbeat(), self._model(name)
        meant = version if known is None or alias is None else known.aliases.get(alias)
        refusal = known.refused.get(meant or "") if known is not None else None
        if refusal is not None:
            raise _REFUSED.get(refusal.reason, UnknownEntry)(refusal.message)
        late = self._unreachable(beat)
        if late:
            raise RegistryUnreachable(f"{late} {name} is brought in as soon as it is.")
        if beat is None:
            raise UnknownEntry(
                f"nobody has brought {name} in from MLflow: set config.mlflow.url in the chart, or run "
                f"`modelyard mlflow sync {name}`."
            )
        if known is None:
            raise NotSynced(f"{name} is being brought in from MLflow; that happens every {beat.every:g} s.")
        if known.missing:
            raise UnknownEntry(known.missing)
        if meant is None:
            has = ", ".join(sorted(known.aliases)) or "none"
            raise UnknownEntry(f"MLflow's {known.model} has no alias {alias}; it has {has}: set it there.")
        raise NotSynced(
            f"version {meant} of {name} is being brought in from MLflow; that happens every {beat.every:g} s."
        )

    def _unreachable(self, beat: SyncHeartbeat | None) -> str:
        """A sentence, empty when MLflow answers or nobody is said to ask it."""
        if beat is None:
            return ""
        if beat.outdated(self._now()):
            last = datetime.fromtimestamp(beat.time, UTC).isoformat(timespec="seconds")
            return f"MLflow has not been asked since {last}: see whether the Deployment modelyard-mlflow runs."
        return f"MLflow has not been read since {beat.since}: {beat.failure.rstrip('.')}." if beat.failure else ""

    def _heartbeat(self) -> SyncHeartbeat | None:
        content = self._store.get(keys.sync_heartbeat())
        try:
            return SyncHeartbeat.model_validate_json(content) if content is not None else None
        except ValidationError:
            return None  # the next round writes another

    def _model(self, name: str) -> SyncedModel | None:
        content = self._store.get(keys.synced_model(name))
        try:
            return SyncedModel.model_validate_json(content) if content is not None else None
        except ValidationError:
            return None
