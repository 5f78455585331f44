"""What a sync leaves in the store: when it is old, what entries are called, and where all of it lies."""

import pytest

from modelyard.core.storage.keys import (
    build_profile,
    build_provenance,
    build_repository,
    entry_signature,
    sync_heartbeat,
    synced_model,
)
from modelyard.core.storage.synced import SyncHeartbeat, entry_name


@pytest.mark.parametrize(
    ("every", "after", "outdated"), [(10, 119, False), (10, 121, True), (60, 179, False), (60, 181, True)]
)
def test_a_heartbeat_is_old_after_three_rounds_and_two_minutes(every: float, after: float, outdated: bool) -> None:
    assert SyncHeartbeat(time=1000, every=every).outdated(1000 + after) is outdated


@pytest.mark.parametrize(
    ("model", "entry"),
    [("Credit Risk", "credit-risk"), ("team/fraud.v2", "team-fraud.v2"), ("--x--", "x"), ("a" * 62 + "-b", "a" * 62)],
)
def test_an_entry_is_called_as_its_model_as_far_as_names_may(model: str, entry: str) -> None:
    assert entry_name(model) == entry


def test_each_has_a_key_of_its_own() -> None:
    digest = "sha256:" + "ab" * 32
    assert synced_model("loans") == "synced/mlflow/loans.json"
    assert sync_heartbeat() == "synced/mlflow.json"
    assert build_provenance(digest).startswith(build_repository(digest))
    assert build_profile(digest) == f"builds/{'ab' * 32}/profile.json"
    assert entry_signature("loans", "1", "k1") == entry_signature("loans", "1") + "k1.json"
