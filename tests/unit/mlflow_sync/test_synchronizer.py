"""Rounds of the sync, against a simulated MLflow and a real store: once in, never changed; aliases follow."""

import threading
from pathlib import Path
from typing import Any

import joblib
import pytest
from sklearn.tree import DecisionTreeRegressor

from modelyard.clients.mlflow import MlflowServer
from modelyard.clients.store import S3Store
from modelyard.core.storage import keys
from modelyard.core.storage.synced import SyncedModel, SyncHeartbeat, entry_name
from modelyard.errors import UnknownEntry, Unreachable
from modelyard.mlflow_sync import synchronizer as module
from modelyard.mlflow_sync.synchronizer import Synchronizer, SyncOptions
from modelyard.registry.bucket import BucketRegistry
from tests.support.artifacts.entries import an_entry
from tests.support.servers.mlflow.calls import MlflowUser, onnx_files
from tests.support.servers.mlflow.simulated import SimulatedMlflow

FRAUD: dict[str, set[str]] = {"fraud-check": set()}


@pytest.fixture
def registry(store: S3Store) -> BucketRegistry:
    return BucketRegistry(store)


def told(store: S3Store, name: str) -> SyncedModel:
    return SyncedModel.model_validate_json(store.get(keys.synced_model(name)) or b"")


def test_an_aliased_version_becomes_an_entry_and_the_alias_means_it(
    synchronizer: Synchronizer, user: MlflowUser, registry: BucketRegistry, store: S3Store
) -> None:
    user.register("Fraud Check", metrics={"auc": 0.9})
    user.set_alias("Fraud Check", "champion", "1")
    user.set_tag("Fraud Check", "1", "modelyard.task", "fraud-detection")

    summary = synchronizer.round(FRAUD)

    entry = registry.resolve("fraud-check", alias="champion")
    origin = entry.metadata.mlflow
    assert (summary.pushed, summary.moved) == ([("fraud-check", "1")], [("fraud-check", "champion", "1")])
    assert [file.path for file in entry.files] == ["model.onnx", "modelyard.yaml"]
    assert (entry.metadata.task, entry.metadata.metrics, entry.metadata.framework) == (
        "fraud-detection", {"auc": 0.9}, "onnx"
    )  # fmt: skip
    assert origin is not None
    assert (origin.model, origin.flavor, origin.uri[:10]) == ("Fraud Check", "onnx", "models:/m-")
    assert told(store, "fraud-check") == SyncedModel(model="Fraud Check", aliases={"champion": "1"})


def test_an_idle_round_asks_once_and_writes_nothing(
    synchronizer: Synchronizer, user: MlflowUser, mlflow: SimulatedMlflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.register("Fraud Check")
    user.set_alias("Fraud Check", "champion", "1")
    synchronizer.round(None)
    mlflow.asked.clear()
    monkeypatch.setattr(S3Store, "put", lambda *_: pytest.fail("it wrote"))
    monkeypatch.setattr(S3Store, "get", lambda *_: pytest.fail("it read"))

    summary = synchronizer.round(None)

    assert mlflow.asked == ["GET registered-models/search"]
    assert (summary.names, summary.pushed, summary.moved) == (1, [], [])


def test_another_sync_finds_everything_there(
    synchronizer: Synchronizer, user: MlflowUser, server: Any, store: S3Store
) -> None:
    user.register("Fraud Check")
    user.set_alias("Fraud Check", "champion", "1")
    synchronizer.round(None)

    again = Synchronizer(server, store, SyncOptions()).round(None)

    assert (again.pushed, again.moved, again.refused) == ([], [], [])


def test_only_what_is_asked_for_is_brought_in(
    synchronizer: Synchronizer, user: MlflowUser, server: Any, store: S3Store
) -> None:
    for _ in range(3):
        user.register("Fraud Check")
    user.register("other")

    named = synchronizer.round({"fraud-check": {"2"}})
    newest = Synchronizer(server, store, SyncOptions(newest=True)).round(FRAUD)

    assert (named.pushed, newest.pushed) == ([("fraud-check", "2")], [("fraud-check", "3")])


def test_an_alias_moves_only_to_a_version_that_is_here(
    synchronizer: Synchronizer, user: MlflowUser, registry: BucketRegistry, store: S3Store
) -> None:
    user.register("Fraud Check")
    user.register("Fraud Check", onnx_files(flavors={"python_function": {}}))
    user.set_alias("Fraud Check", "champion", "1")
    synchronizer.round(FRAUD)
    user.set_alias("Fraud Check", "champion", "2")

    summary = synchronizer.round(FRAUD)

    assert registry.resolve("fraud-check", alias="champion").version == "1"
    assert [refusal.reason for *_, refusal in summary.refused] == ["UnsupportedModel"]
    assert "only the flavors python_function" in told(store, "fraud-check").refused["2"].message


def test_a_refused_version_is_not_fetched_again(
    synchronizer: Synchronizer, user: MlflowUser, mlflow: SimulatedMlflow
) -> None:
    user.register("Fraud Check", onnx_files(flavors={"python_function": {}}))
    user.set_alias("Fraud Check", "champion", "1")
    synchronizer.round(FRAUD)
    mlflow.asked.clear()

    assert len(synchronizer.round(FRAUD).refused) == 1
    assert mlflow.asked == ["GET registered-models/search"]


def test_a_version_that_no_entry_can_be_keeps_nobody_from_the_others(
    synchronizer: Synchronizer, user: MlflowUser, mlflow: SimulatedMlflow
) -> None:
    for name in ("Fraud Check", "other"):
        user.register(name)
        user.set_alias(name, "champion", "1")
    mlflow.versions["Fraud Check", "1"]["run_id"] = "r" * 70

    summary = synchronizer.round(None)

    [(name, version, refusal)] = summary.refused
    assert (name, version, refusal.reason) == ("fraud-check", "1", "InvalidEntry")
    assert "has a mlflow.run_id in MLflow that no entry can have" in refusal.message
    assert summary.pushed == [("other", "1")]


def test_what_nobody_foresaw_in_one_version_keeps_nobody_from_the_others(
    server: MlflowServer, user: MlflowUser, store: S3Store
) -> None:
    def say(sentence: str) -> None:
        if sentence.startswith("fragile"):
            raise RuntimeError("a defect")

    for name in ("fragile", "other"):
        user.register(name)
        user.set_alias(name, "champion", "1")

    summary = Synchronizer(server, store, SyncOptions(sample=Path("rows.csv"), say=say)).round(None)

    assert [(name, version) for name, version, _ in summary.refused] == [("fragile", "1")]
    assert "cannot be brought in (RuntimeError)" in summary.refused[0][2].message
    assert summary.pushed == [("other", "1")]


def test_what_is_not_complete_yet_is_taken_when_it_is(
    synchronizer: Synchronizer, user: MlflowUser, mlflow: SimulatedMlflow
) -> None:
    user.register("Fraud Check")
    user.set_alias("Fraud Check", "champion", "1")
    mlflow.versions["Fraud Check", "1"]["status"] = "PENDING_REGISTRATION"
    early = synchronizer.round(FRAUD)
    mlflow.versions["Fraud Check", "1"]["status"] = "READY"

    assert "is not complete in MLflow (PENDING_REGISTRATION)" in early.refused[0][2].message
    assert synchronizer.round(FRAUD).pushed == [("fraud-check", "1")]


def test_a_deleted_version_and_alias_stay_as_they_were(
    synchronizer: Synchronizer, user: MlflowUser, registry: BucketRegistry, store: S3Store, server: Any
) -> None:
    user.register("Fraud Check")
    user.set_alias("Fraud Check", "champion", "1")
    synchronizer.round(FRAUD)
    user.delete_version("Fraud Check", "1")

    summary = Synchronizer(server, store, SyncOptions()).round({"fraud-check": {"1"}})

    assert summary.refused == []
    assert registry.resolve("fraud-check", alias="champion").version == "1"
    assert told(store, "fraud-check").aliases == {}


def test_a_version_that_never_was_is_said(synchronizer: Synchronizer, user: MlflowUser) -> None:
    user.register("Fraud Check")

    (refused,) = synchronizer.round({"fraud-check": {"9"}}).refused

    assert refused[2].reason == "UnknownEntry"
    assert "MLflow has no version 9 of Fraud Check" in refused[2].message


def test_a_version_made_again_with_other_content_is_refused(
    synchronizer: Synchronizer, user: MlflowUser, registry: BucketRegistry
) -> None:
    user.register("Fraud Check")
    user.set_alias("Fraud Check", "champion", "1")
    synchronizer.round(FRAUD)
    before = registry.resolve("fraud-check", version="1")
    user.delete_model("Fraud Check")
    user.register("Fraud Check", metrics={"auc": 0.1})
    user.set_alias("Fraud Check", "champion", "1")

    (refused,) = synchronizer.round(FRAUD).refused

    assert refused[2].reason == "EntryExists"
    assert "is another model in MLflow now" in refused[2].message
    assert registry.resolve("fraud-check", version="1") == before


def test_what_was_pushed_by_hand_is_never_touched(
    synchronizer: Synchronizer, user: MlflowUser, registry: BucketRegistry, tmp_path: Any
) -> None:
    registry.push(an_entry(tmp_path, name="fraud-check", version="1"))
    registry.set_alias("fraud-check", "champion", "1")
    for _ in range(2):
        user.register("Fraud Check")
    user.set_alias("Fraud Check", "champion", "2")
    user.set_alias("Fraud Check", "old", "1")

    refused = {version: refusal.message for _, version, refusal in synchronizer.round(FRAUD).refused}

    assert "pushed by hand" in refused["1"]
    assert "call one of both otherwise" in refused["2"]
    assert registry.resolve("fraud-check", alias="champion").version == "1"
    with pytest.raises(UnknownEntry):
        registry.resolve("fraud-check", alias="old")


def test_names_that_would_be_one_are_both_refused(synchronizer: Synchronizer, user: MlflowUser) -> None:
    for name in ("Fraud Check", "fraud-check"):
        user.register(name)

    (missing,) = synchronizer.round(None).missing

    assert missing.startswith("Fraud Check and fraud-check would both be called fraud-check here")


def test_a_model_that_is_not_registered_is_said(synchronizer: Synchronizer, store: S3Store) -> None:
    synchronizer.round(FRAUD)

    assert told(store, "fraud-check").missing.startswith("MLflow has no registered model called fraud-check")


def test_an_alias_that_no_entry_may_have_is_left_out(
    synchronizer: Synchronizer, user: MlflowUser, registry: BucketRegistry
) -> None:
    user.register("Fraud Check")
    user.set_alias("Fraud Check", "on prod", "1")

    assert synchronizer.round(FRAUD).moved == []


def test_a_faster_sync_is_no_mistake(
    synchronizer: Synchronizer,
    user: MlflowUser,
    registry: BucketRegistry,
    monkeypatch: pytest.MonkeyPatch,
    server: Any,
    store: S3Store,
) -> None:
    user.register("Fraud Check", metrics={"auc": 0.1})
    user.set_alias("Fraud Check", "champion", "1")
    fetched = module.entry_folder

    def slow(*given: Any) -> Any:
        folder = fetched(*given)
        text = (folder / "modelyard.yaml").read_text()
        if threading.current_thread() is not threading.main_thread() and "0.1" in text:
            monkeypatch.setattr(module, "entry_folder", fetched)
            user._post("runs/log-metric", {"run_id": "0" * 32, "key": "auc", "value": 0.2, "timestamp": 1, "step": 0})
            Synchronizer(server, store, SyncOptions()).round(FRAUD)
        return folder

    monkeypatch.setattr(module, "entry_folder", slow)

    summary = synchronizer.round(FRAUD)

    assert (summary.pushed, summary.refused) == ([], [])
    assert registry.resolve("fraud-check", alias="champion").metadata.metrics == {"auc": 0.2}


def test_an_outage_is_tried_again(synchronizer: Synchronizer, user: MlflowUser, mlflow: SimulatedMlflow) -> None:
    user.register("Fraud Check")
    user.set_alias("Fraud Check", "champion", "1")
    files, mlflow.files = mlflow.files, {}
    without = synchronizer.round({"fraud-check": {"1"}})
    mlflow.fails = 503
    with pytest.raises(Unreachable):
        synchronizer.round(FRAUD)
    mlflow.fails, mlflow.files = 0, files

    assert "has no file MLmodel" in without.refused[0][2].message
    assert synchronizer.round(FRAUD).refused, "files of a version never come later"


def test_a_heartbeat_says_since_when_mlflow_is_silent(
    synchronizer: Synchronizer, store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    for number, failure in enumerate(["", "it is away", "still away", ""]):
        monkeypatch.setattr(synchronizer, "_now", lambda number=number: 1_800_000_000.0 + number)
        synchronizer.beat(30, failure)
        beat = SyncHeartbeat.model_validate_json(store.get(keys.sync_heartbeat()) or b"")
        seen.append((beat.failure, beat.since))

    since = "2027-01-15T08:00:01+00:00"
    assert seen == [("", ""), ("it is away", since), ("still away", since), ("", "")]


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("Fraud Check", "fraud-check"),
        ("a.b_c-1", "a.b_c-1"),
        ("main.prod.Käse!", "main.prod.k-se"),
        ("x" * 80, "x" * 63),
    ],
)
def test_an_entry_is_called_as_the_model_as_far_as_a_name_may(model: str, name: str) -> None:
    assert entry_name(model) == name


def test_what_was_refused_counts_as_here_once_somebody_brought_it_in_elsewhere(
    synchronizer: Synchronizer, server: MlflowServer, user: MlflowUser, store: S3Store, tmp_path: Path
) -> None:
    joblib.dump(DecisionTreeRegressor().fit([[0.0], [1.0]], [0.0, 2.0]), tmp_path / "model.pkl")
    flavors = {"sklearn": {"pickled_model": "model.pkl"}}
    files = {"MLmodel": onnx_files(flavors=flavors)["MLmodel"], "model.pkl": (tmp_path / "model.pkl").read_bytes()}
    user.register("Fraud Check", files)
    user.set_alias("Fraud Check", "champion", "1")
    (refused,) = synchronizer.round(FRAUD).refused

    trusted = Synchronizer(server, store, SyncOptions(trust_pickle=True)).round(FRAUD)
    user.set_alias("Fraud Check", "challenger", "1")
    after = synchronizer.round(FRAUD)

    assert "sync NAME --trust-pickle" in refused[2].message
    assert trusted.pushed == [("fraud-check", "1")]
    assert (after.refused, after.moved) == ([], [("fraud-check", "challenger", "1")])
    assert told(store, "fraud-check").refused == {}
