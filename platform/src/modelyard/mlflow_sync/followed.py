"""Which of MLflow's models the cluster's Models name, as last seen; a follower of a `list_watch.ListWatch`."""

import logging
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

from pydantic import ValidationError

from modelyard.api.model import Model, RegistryName

_log = logging.getLogger(__name__)


class FollowedModels:
    """Told by one thread, asked by another; `changed` is called when another version or name is wanted."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._lock, self._changed = threading.Lock(), changed
        self._models: dict[str, Model] = {}

    def models(self) -> list[Model]:
        """Those that name a model of MLflow's, by namespace and name."""
        with self._lock:
            models = list(self._models.values())
        return sorted(models, key=lambda model: (model.namespace, model.name))

    def wanted(self) -> dict[str, set[str]]:
        """The versions they name, by entry; those that follow an alias name none."""
        versions: dict[str, set[str]] = {}
        for model in self.models():
            source = model.spec.source
            versions.setdefault(source.name, set()).update({source.version} if source.version else ())
        return versions

    def listing(self) -> None:
        """What was seen before counts until the listing ends."""

    def take_in(self, event_type: str | None, thing: Mapping[str, Any]) -> None:
        """One Model."""
        uid = thing["metadata"]["uid"]
        model = None if event_type == "DELETED" else _read(thing)
        with self._lock:
            before = self._models.pop(uid, None)
            if model is not None:
                self._models[uid] = model
        if model is not None and (before is None or before.spec.source != model.spec.source):
            self._changed()

    def listed(self, uids: Collection[str]) -> None:
        """Forgets the Models that are gone."""
        with self._lock:
            for uid in self._models.keys() - set(uids):
                del self._models[uid]


def _read(thing: Mapping[str, Any]) -> Model | None:
    """The Model when it names one of MLflow's; one that cannot be read, because it is of a later version, does not."""
    if ((thing.get("spec") or {}).get("source") or {}).get("registry") != RegistryName.MLFLOW:
        return None
    try:
        return Model.model_validate({name: thing.get(name) or {} for name in ("metadata", "spec", "status")})
    except ValidationError as bad:
        _log.warning("not followed", extra={"fields": {"model": thing["metadata"].get("name"), "error": str(bad)}})
        return None
