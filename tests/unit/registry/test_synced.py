"""MLflow's entries as the bucket has them: what is served stands, and what is missing is explained."""

from pathlib import Path

import pytest

from modelyard.clients.store import S3Store
from modelyard.core.snapshot import Failure
from modelyard.core.storage import keys
from modelyard.core.storage.synced import SyncedModel, SyncHeartbeat, SyncRefusal
from modelyard.errors import ModelyardError
from modelyard.registry.bucket import BucketRegistry
from modelyard.registry.synced import SyncedRegistry
from tests.support.artifacts.entries import an_entry

NOW = 1_800_000_000.0
REFUSED = {"2": SyncRefusal(reason="UnsupportedModel", message="fraud version 2 is a poem; log it as ONNX.")}


@pytest.fixture
def synced(store: S3Store, tmp_path: Path) -> SyncedRegistry:
    bucket = BucketRegistry(store)
    bucket.push(an_entry(tmp_path, name="fraud", version="1"))
    bucket.set_alias("fraud", "champion", "1")
    return SyncedRegistry(store, lambda: NOW)


def beat(store: S3Store, ago: float = 1.0, failure: str = "") -> None:
    since = "2027-01-15T07:00:00+00:00" if failure else ""
    written = SyncHeartbeat(time=NOW - ago, every=30, failure=failure, since=since)
    store.put(keys.sync_heartbeat(), written.model_dump_json(by_alias=True).encode())


def says(store: S3Store, name: str = "fraud", **told: object) -> None:
    written = SyncedModel.model_validate({"model": name.title(), **told})
    store.put(keys.synced_model(name), written.model_dump_json(by_alias=True).encode())


def notice(synced: SyncedRegistry) -> Failure | None:
    assert synced.resolve("fraud", alias="champion").version == "1"
    return synced.notice("fraud", "champion", "1")


def test_what_is_here_is_given_and_nothing_is_said_when_mlflow_says_the_same(
    synced: SyncedRegistry, store: S3Store
) -> None:
    assert notice(synced) is None
    beat(store)
    assert notice(synced) is None
    says(store, aliases={"champion": "1"})
    assert notice(synced) is None
    says(store, aliases={"champion": "3"})
    assert notice(synced) is None, "it is on its way"


@pytest.mark.parametrize(
    ("ago", "failure", "words"),
    [
        (121, "", "MLflow has not been asked since 2027-01-15T07:57:59+00:00: see whether the Deployment"),
        (1, "it is away.", "MLflow has not been read since 2027-01-15T07:00:00+00:00: it is away."),
    ],
)
def test_an_outage_is_told_and_what_is_served_stands(
    synced: SyncedRegistry, store: S3Store, ago: float, failure: str, words: str
) -> None:
    beat(store, ago, failure)

    told = notice(synced)

    assert told is not None
    assert (told.reason, told.retry) == ("RegistryUnreachable", True)
    assert told.message.startswith(words)
    assert told.message.endswith(" Version 1 stands.")


@pytest.mark.parametrize(
    ("told", "reason", "words"),
    [
        ({"aliases": {}}, "AliasGone", "MLflow's Fraud has no alias champion any more; set it there again."),
        ({"missing": "MLflow has no registered model called fraud."}, "AliasGone", "MLflow has no registered model"),
        (
            {"aliases": {"champion": "2"}, "refused": REFUSED},
            "VersionRefused",
            "In MLflow, champion is version 2 now: ",
        ),
    ],
)
def test_an_alias_that_cannot_be_followed_is_told(
    synced: SyncedRegistry, store: S3Store, told: dict[str, object], reason: str, words: str
) -> None:
    beat(store)
    says(store, **told)

    said = notice(synced)

    assert said is not None
    assert said.reason == reason
    assert said.message.startswith(words)
    assert said.message.endswith("Version 1 stands.")


def why(synced: SyncedRegistry, version: str | None = None, alias: str | None = None, name: str = "fraud") -> list[str]:
    with pytest.raises(ModelyardError) as missing:
        synced.resolve(name, version=version, alias=alias)
    return [missing.value.reason, str(missing.value)]


def test_what_is_not_here_is_explained(synced: SyncedRegistry, store: S3Store) -> None:
    reason, words = why(synced, "2")
    assert (reason, "modelyard mlflow sync fraud" in words) == ("UnknownEntry", True)

    beat(store)
    assert why(synced, "2") == ["NotSynced", "fraud is being brought in from MLflow; that happens every 30 s."]

    says(store, aliases={"champion": "1", "next": "3"}, refused=REFUSED)
    assert why(synced, "2") == ["UnsupportedModel", "fraud version 2 is a poem; log it as ONNX."]
    assert why(synced, alias="next")[0] == "NotSynced"
    assert why(synced, alias="none") == [
        "UnknownEntry", "MLflow's Fraud has no alias none; it has champion, next: set it there."
    ]  # fmt: skip

    says(store, "churn", missing="MLflow has no registered model called churn.")
    assert why(synced, "1", name="churn") == ["UnknownEntry", "MLflow has no registered model called churn."]

    beat(store, failure="it is away")
    assert why(synced, "3")[0] == "RegistryUnreachable"
    assert why(synced, "2")[0] == "UnsupportedModel", "that is known, whoever is away"


def test_what_cannot_be_read_is_as_if_it_were_not_there(synced: SyncedRegistry, store: S3Store) -> None:
    beat(store)
    store.put(keys.synced_model("fraud"), b"{")
    assert notice(synced) is None
    store.put(keys.sync_heartbeat(), b"{")
    assert notice(synced) is None
