"""A recorded revision with a reference, and its counts in a store in memory."""

from datetime import UTC, datetime
from typing import Any

import pytest

from modelyard.api.monitoring.counts import FeatureCounts, MinuteCounts
from modelyard.api.monitoring.profile import FeatureProfile, ReferenceProfile
from modelyard.api.monitoring.spec import Monitoring
from modelyard.api.monitoring.status import MonitoringStatus
from modelyard.core.storage.keys import build_profile
from modelyard.core.storage.monitoring_keys import COUNTS, MinuteKey, status_key
from modelyard.evaluator.recorded_models import RecordedRevision
from tests.support.objects.memory_store import MemoryStore

DIGEST = "sha256:" + "1" * 64
NOON = int(datetime(2026, 11, 29, 12, 0, tzinfo=UTC).timestamp()) // 60
AGE = FeatureProfile(
    name="age", column="age", role="input", kind="number", rows=4000, missing=0, low=0.0, high=99.0, outside=2,
    edges=(20.0, 30.0, 40.0, 50.0, 60.0), bins=(400, 800, 800, 800, 800, 400),
)  # fmt: skip
PROFILE = ReferenceProfile(source="eval.npz of loans:1", rows=4000, features=(AGE,))


class RecordedWorld(MemoryStore):
    """The store, with the reference of loans-1, and what a recorder writes into it."""

    def __init__(self) -> None:
        super().__init__()
        self.objects[build_profile(DIGEST)] = PROFILE.model_dump_json(by_alias=True).encode()

    def counts(self, minute: int, writer: str = "w", revision: str = "loans-1", **age: Any) -> None:
        """A recorder writes a minute of 100 usual rows, or other counts of `age`."""
        one = FeatureCounts.model_validate({"rows": 100, "bins": (10, 20, 20, 20, 20, 10), **age})
        counts = MinuteCounts(minute=minute, requests=one.rows, features={"age": one})
        key = MinuteKey("demo", "loans", revision, minute * 60, writer).key(COUNTS)
        self.objects[key] = counts.model_dump_json(by_alias=True, exclude_defaults=True).encode()

    def broken(self, minute: int) -> None:
        """The same with rows that lack their value."""
        self.counts(minute, rows=120, missing=20)

    def status(self, revision: str = "loans-1") -> MonitoringStatus | None:
        """What was written for people."""
        content = self.objects.get(status_key("demo", "loans", revision))
        return None if content is None else MonitoringStatus.model_validate_json(content)


def a_revision(name: str = "loans-1", **monitoring: Any) -> RecordedRevision:
    return RecordedRevision("demo", "loans", name, DIGEST, Monitoring.model_validate({"sample": "auto", **monitoring}))


@pytest.fixture
def world() -> RecordedWorld:
    return RecordedWorld()
