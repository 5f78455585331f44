"""What the sync with MLflow leaves in the store for those who only read there. Pure.

The store stays the truth of serving: an alias in it points at an entry that is complete. What MLflow has and the store
has not is told by two objects:

    heartbeat   when MLflow was asked last, and since when it has not answered
    model       one a name: MLflow's aliases, and why a version of it was not taken in
"""

import re

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

_UNUSABLE = re.compile(r"[^a-z0-9._-]+")
_MISSED_ROUNDS, _SHORTEST = 3, 120.0
"""A heartbeat is old after so many rounds, and never before so many seconds."""


class _Written(BaseModel):
    """Open to fields that a newer sync adds."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


class SyncRefusal(_Written):
    """Why something of MLflow's was not taken in: a reason word, and a sentence."""

    reason: str
    message: str


class SyncedModel(_Written):
    """What MLflow says of one name. `refused` is by version, `missing` a sentence when MLflow has no such model."""

    model: str = ""
    aliases: dict[str, str] = {}
    refused: dict[str, SyncRefusal] = {}
    missing: str = ""


class SyncHeartbeat(_Written):
    """`time` (epoch seconds) of the latest round and the seconds between two; `failure` since `since` (RFC 3339)."""

    time: float
    every: float
    server: str = ""
    failure: str = ""
    since: str = ""

    def outdated(self, now: float) -> bool:
        """Whether nobody syncs any more."""
        return now - self.time > max(_MISSED_ROUNDS * self.every, _SHORTEST)


def entry_name(model: str) -> str:
    """What an entry of the registered model is called: lower case, with a dash for what no name may have."""
    return _UNUSABLE.sub("-", model.lower()).strip("-._")[:63].strip("-._")
