"""One retraining on a real store: labelled rows in, a version and its alias out, or a sentence why not."""

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelyard.api.entry import Entry
from modelyard.api.monitoring.spec import Feedback
from modelyard.builder.artifacts.source import read_source
from modelyard.builder.evaluation.evaluation_set import read_arrays
from modelyard.builder.evaluation.reference_profile import read_profile
from modelyard.builder.optimization.training import environment
from modelyard.builder.retraining.retrainer import RetrainingRequest, RetrainingResult, next_version, retrain
from modelyard.clients.store import S3Store
from modelyard.errors import InvalidEntry, InvalidInput, UnsupportedModel
from modelyard.registry.bucket import BucketRegistry
from tests.support.recording.retrained_rows import BEGAN, ENTRY, MODEL, NAMESPACE, record, write_entry


@pytest.fixture(autouse=True)
def own_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recipes of these tests need numpy and onnx, which this Python has."""
    monkeypatch.setenv(environment.PYTHON, sys.executable)


@pytest.fixture
def pushed(store: S3Store, tmp_path: Path) -> Entry:
    return BucketRegistry(store).push(write_entry(tmp_path / "entry")).entry


def asked(entry: Entry, recipe: str = "retrain", **more: Any) -> RetrainingRequest:
    said = {
        "namespace": NAMESPACE, "model": MODEL, "entry": entry, "recipe": f"retrain.py:{recipe}", "run": "run-1",
        "reason": "decay", "feedback": Feedback(), "first_day": "2026-11-01", "since": 0.0, "publish": True, **more,
    }  # fmt: skip
    return RetrainingRequest(**said)


def run(store: S3Store, request: RetrainingRequest, folder: Path) -> RetrainingResult:
    folder.mkdir(exist_ok=True)
    return retrain(request, store, BucketRegistry(store), folder, lambda _: None)


@pytest.fixture
def retrained(store: S3Store, pushed: Entry, tmp_path: Path) -> RetrainingResult:
    record(store)
    return run(store, asked(pushed), tmp_path / "scratch")


def test_a_better_version_is_pushed_and_challenges(
    store: S3Store, retrained: RetrainingResult, pushed: Entry, tmp_path: Path
) -> None:
    registry = BucketRegistry(store)
    challenger = registry.resolve(ENTRY, alias="challenger")

    assert (retrained.passed, retrained.report["version"], challenger.version) == (True, "2", "2")
    assert retrained.message.startswith("Pushed loans:2: accuracy 0.8")
    assert retrained.message.endswith("loans@challenger is now this version.")
    assert retrained.report["candidate"] > retrained.report["champion"] + 0.2
    origin = challenger.metadata.retrained
    assert origin is not None
    assert (origin.parent, origin.parent_digest, origin.reason, origin.run) == ("1", pushed.digest, "decay", "run-1")
    assert (origin.first_day, origin.last_day, origin.rows) == ("2026-11-20", "2026-11-20", 800 - _held())
    assert challenger.metadata.metrics["accuracy"] == pytest.approx(retrained.report["candidate"])
    assert challenger.metadata.training_data == pushed.metadata.training_data
    assert [one.version for one in registry.versions(ENTRY)] == ["1", "2"]


def _held() -> int:
    return sum(hashlib.sha256(f"3-{at}".encode()).digest()[0] < 51 for at in range(800))


def test_no_recorded_row_is_in_the_version(store: S3Store, retrained: RetrainingResult, tmp_path: Path) -> None:
    registry = BucketRegistry(store)
    version = registry.resolve(ENTRY, version="2")
    registry.fetch(version, tmp_path / "version")
    before = {"model.onnx", "modelyard.yaml", "eval.npz", "profile.json", "training/old.npz", "training/retrain.py"}

    assert retrained.passed
    assert {file.path for file in version.files} == before
    arrays = read_arrays(tmp_path / "version" / "eval.npz")
    assert set(arrays) == {"input:x", "output:p"}
    assert len(arrays["input:x"]) == 300
    profile = read_profile(tmp_path / "version" / "profile.json")
    assert "labelled rows of demo/loans" in profile.model_dump_json()
    assert read_source(tmp_path / "version").metadata == version.metadata


def test_a_retraining_is_written_down_where_it_is_asked_for(
    store: S3Store, pushed: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENSORBOARD_LOGDIR", str(tmp_path / "runs"))
    record(store)

    result = run(store, asked(pushed, track="tensorboard"), tmp_path / "scratch")

    version = BucketRegistry(store).resolve(ENTRY, version="2")
    [model] = [file for file in version.files if file.path == "model.onnx"]
    [written] = (tmp_path / "runs").rglob("events.out.tfevents.*")
    assert result.passed
    assert f"sha256:{model.sha256}".encode() in written.read_bytes()
    assert b"| recipe | retrain.py:retrain |" in written.read_bytes()


def test_another_try_of_the_same_pushes_nothing_twice(
    store: S3Store, retrained: RetrainingResult, pushed: Entry, tmp_path: Path
) -> None:
    again = run(store, asked(pushed), tmp_path / "again")

    assert (again.passed, again.report["version"]) == (True, retrained.report["version"])
    assert "by an earlier try" in again.message
    assert len(BucketRegistry(store).versions(ENTRY)) == 2


def test_what_is_no_better_is_not_pushed(store: S3Store, pushed: Entry, tmp_path: Path) -> None:
    record(store)
    result = run(store, asked(pushed, "same"), tmp_path / "scratch")

    assert not result.passed
    assert result.message.startswith("What was trained is not pushed, since it is not surely better than what serves")
    assert [one.version for one in BucketRegistry(store).versions(ENTRY)] == ["1"]
    assert BucketRegistry(store).alias_version(ENTRY, "challenger") is None


def test_a_model_of_another_kind_is_not_pushed(store: S3Store, pushed: Entry, tmp_path: Path) -> None:
    record(store)
    result = run(store, asked(pushed, "of_three"), tmp_path / "scratch")

    assert (result.passed, "another kind of model" in result.message) == (False, True)


def test_without_publish_it_is_only_said(store: S3Store, pushed: Entry, tmp_path: Path) -> None:
    record(store)
    result = run(store, asked(pushed, publish=False), tmp_path / "scratch")

    assert (result.passed, result.message.startswith("It would be pushed as version 2: ")) == (True, True)
    assert len(BucketRegistry(store).versions(ENTRY)) == 1


def test_an_alias_that_somebody_moved_meanwhile_stays(store: S3Store, pushed: Entry, tmp_path: Path) -> None:
    record(store)
    registry = BucketRegistry(store)
    registry.set_alias(ENTRY, "challenger", "1")

    class Busy(BucketRegistry):
        """Somebody pushes a version of his own and points the alias there while it trains."""

        def push(self, folder: Path, progress: Any = None) -> Any:
            done = super().push(folder)
            self.set_alias(ENTRY, "challenger", super().push(write_entry(tmp_path / "theirs", "9")).entry.version)
            return done

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    result = retrain(asked(pushed), store, Busy(store), scratch, lambda _: None)

    assert result.passed
    assert "`modelyard alias set loans challenger 2` moves it here" in result.message
    assert registry.alias_version(ENTRY, "challenger") == "9"


def test_a_version_that_somebody_pushed_meanwhile_is_passed_over(store: S3Store, pushed: Entry, tmp_path: Path) -> None:
    record(store)

    class Late(BucketRegistry):
        """Has not seen version 2 yet."""

        def versions(self, name: str) -> list[Entry]:
            return [entry for entry in super().versions(name) if entry.version == "1"]

    BucketRegistry(store).push(write_entry(tmp_path / "theirs", "2"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    result = retrain(asked(pushed), store, Late(store), scratch, lambda _: None)

    assert result.report["version"] == "3"


def test_only_what_was_labelled_since_the_change_judges(store: S3Store, pushed: Entry, tmp_path: Path) -> None:
    record(store)
    result = run(store, asked(pushed, since=BEGAN + 60.0 * 100, publish=False), tmp_path / "late")
    few = run(store, asked(pushed, since=BEGAN + 60.0 * 790, publish=False), tmp_path / "latest")

    assert 100 <= result.report["heldOut"] < _held()
    assert few.report["heldOut"] == 100


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ("nothing", r"left no model.onnx in the folder it was given, but notes.txt"),
        ("failing", "ArithmeticError: the matrix is singular"),
        ("unknown", "retrain.py has no unknown that can be called"),
    ],
)
def test_a_recipe_that_breaks_is_quoted(store: S3Store, pushed: Entry, tmp_path: Path, recipe: str, says: str) -> None:
    record(store)
    with pytest.raises(UnsupportedModel, match=says):
        run(store, asked(pushed, recipe), tmp_path / "scratch")


def test_a_recipe_writes_no_metadata(store: S3Store, pushed: Entry, tmp_path: Path) -> None:
    record(store)
    with pytest.raises(InvalidEntry, match=r"the recipe left modelyard\.yaml, which is not for it to write"):
        run(store, asked(pushed, "too_much"), tmp_path / "scratch")


def test_without_labels_nothing_is_trained(store: S3Store, pushed: Entry, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no recorded row of demo/loans since 2026-11-01 has a label"):
        run(store, asked(pushed), tmp_path / "scratch")
    record(store, count=40)
    with pytest.raises(InvalidInput, match="of them would judge: it takes 30"):
        run(store, asked(pushed), tmp_path / "few")


def test_an_entry_without_the_recipe_says_which_file_it_lacks(store: S3Store, pushed: Entry, tmp_path: Path) -> None:
    other = replace(asked(pushed), recipe="other.py:f")
    with pytest.raises(InvalidEntry, match=r"has no training/other\.py, which spec.retrain.recipe names"):
        run(store, other, tmp_path / "scratch")


@pytest.mark.parametrize(
    ("parent", "known", "version"),
    [
        ("1", ["1"], "2"),
        ("9", ["9", "10", "x"], "11"),
        ("2026-01-15", ["2026-01-15"], "2026-01-15-r1"),
        ("a-r1", ["a", "a-r1", "a-r2"], "a-r3"),
    ],
)
def test_the_next_version_follows_those_that_there_are(parent: str, known: list[str], version: str) -> None:
    assert next_version(parent, known) == version


def test_rows_of_a_slice_are_judged_by_themselves(store: S3Store, pushed: Entry, tmp_path: Path) -> None:
    record(store)
    result = run(store, asked(pushed, feedback=Feedback(slices=["sex"])), tmp_path / "scratch")

    assert result.passed
    assert json.loads(json.dumps(result.report))["rows"] == 800 - _held()
    assert np.isfinite(result.report["low"])
