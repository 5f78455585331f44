"""What became of MLflow's versions, written into MLflow as tags; nothing of it is ever read from there.

A tag is written when it is other than what was written before; after a restart every tag once more, which changes
nothing. What MLflow does not take now is written in a later round, but to no version that is gone. The alias of
promoted versions is set once a promotion, so that a person who moves it away is not overruled.
"""

import logging
from collections.abc import Iterable, Mapping

from modelyard.api.model import Model
from modelyard.clients.mlflow import MlflowServer, RegisteredModel
from modelyard.core.storage.version_tags import promotion, version_tags
from modelyard.errors import OutsideError

_log = logging.getLogger(__name__)


class WriteBack:
    """Writes tags of versions, and the alias `promoted`, unless it is empty."""

    def __init__(self, server: MlflowServer, promoted: str) -> None:
        self._server, self._promoted = server, promoted
        self._written: dict[tuple[str, str, str], str] = {}

    def write(self, models: Iterable[Model], registered: Mapping[str, RegisteredModel]) -> int:
        """Writes what is new about these Models; how many tags that were. Raises nothing that MLflow causes."""
        count = 0
        for model in models:
            known = registered.get(model.spec.source.name)
            if known is None:
                continue
            try:
                count += self._tags(model, known.name)
                self._promote(model, known)
            except OutsideError as bad:
                _log.warning("not written to MLflow", extra={"fields": {"model": model.name, "error": str(bad)}})
        return count

    def _tags(self, model: Model, registered: str) -> int:
        count = 0
        for version, tags in version_tags(model).items():
            for key, value in tags.items():
                if self._written.get((registered, version, key)) != value:
                    count += self._server.set_tag(registered, version, key, value)
                    self._written[registered, version, key] = value
        return count

    def _promote(self, model: Model, known: RegisteredModel) -> None:
        last = promotion(model) if self._promoted else None
        if last is None or known.aliases.get(self._promoted) == last.version:
            return
        found = self._server.version(known.name, last.version)
        if found is None or found.tags.get(last.tag) == last.time:
            return
        if self._server.set_alias(known.name, self._promoted, last.version):
            self._server.set_tag(known.name, last.version, last.tag, last.time)
