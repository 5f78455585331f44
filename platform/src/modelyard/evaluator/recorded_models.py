"""Which revisions are recorded, and what their Models want to be watched: read from the Models, as recorders do.

A Model that cannot be read, because it is of a later version, is not evaluated.
"""

import logging
import threading
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from modelyard.api.model import Model
from modelyard.api.monitoring.spec import Monitoring
from modelyard.records.feedback.compared import LabelledTrial

_log = logging.getLogger(__name__)


class RecordedRevision(NamedTuple):
    """A revision, its build, the spec.monitoring of its Model, and the rollout that tries it and asks for labels."""

    namespace: str
    model: str
    name: str
    digest: str
    monitoring: Monitoring
    trial: LabelledTrial | None = None


class RecordedModels:
    """The Models as last seen; told by one thread (see `list_watch.Follower`), asked by others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._revisions: dict[str, tuple[RecordedRevision, ...]] = {}

    def revisions(self) -> list[RecordedRevision]:
        """All of them, by namespace, Model and name."""
        with self._lock:
            return sorted((one for own in self._revisions.values() for one in own), key=lambda one: one[:3])

    def listing(self) -> None:
        """What was seen before counts until the listing ends."""

    def take_in(self, event_type: str | None, thing: Mapping[str, Any]) -> None:
        """One Model."""
        found = () if event_type == "DELETED" else _read(thing)
        with self._lock:
            self._revisions[thing["metadata"]["uid"]] = found

    def listed(self, uids: Collection[str]) -> None:
        """Forgets the Models that are gone."""
        with self._lock:
            for uid in self._revisions.keys() - uids:
                del self._revisions[uid]


def _read(thing: Mapping[str, Any]) -> tuple[RecordedRevision, ...]:
    try:
        model = Model.of(thing)
    except ValidationError as bad:
        name = f"{thing['metadata']['namespace']}/{thing['metadata']['name']}"
        _log.warning("not evaluated", extra={"fields": {"model": name, "error": str(bad)}})
        return ()
    monitoring = model.spec.monitoring
    if monitoring is None or monitoring.sample is None:
        return ()
    tried = _trial(model)
    return tuple(
        RecordedRevision(
            model.namespace, model.name, one.name, one.digest, monitoring,
            tried if tried is not None and tried.candidate == one.name else None,
        )
        for one in model.status.revisions
    )  # fmt: skip


def _trial(model: Model) -> LabelledTrial | None:
    """The rollout under way, where labels are to judge its candidate."""
    rollout = model.status.rollout
    if rollout is None or not (rollout.stable and rollout.candidate) or model.spec.rollout.feedback is None:
        return None
    return LabelledTrial(rollout.stable, rollout.candidate, rollout.start_time)
