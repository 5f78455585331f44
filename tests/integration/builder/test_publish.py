"""Builds in the store: made once, shared where they can be, complete exactly when the report is there."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from modelyard.api.entry import Entry
from modelyard.api.monitoring.profile import ReferenceProfile
from modelyard.api.report import Report
from modelyard.builder.artifacts.assemble import ProgressSteps
from modelyard.builder.artifacts.publish import publish, published
from modelyard.builder.artifacts.staging import with_reference
from modelyard.clients.store import S3Store
from modelyard.core.names import build_digest
from modelyard.core.storage import keys
from modelyard.errors import InvalidEntry
from modelyard.registry.bucket import BucketRegistry
from tests.support.artifacts.entries import an_entry

Publish = Callable[[str], Report]


@pytest.fixture
def entry(store: S3Store, tmp_path: Path) -> Entry:
    return BucketRegistry(store).push(an_entry(tmp_path / "toy", labels=["low", "high"])).entry


def publishing(store: S3Store, entry: Entry, model: str, steps: ProgressSteps | None = None) -> Report:
    registry = BucketRegistry(store)
    return publish(entry, model, "cpu", store, lambda folder: registry.fetch(entry, folder), steps or ProgressSteps())


def under(store: S3Store, prefix: str) -> set[str]:
    return {stored.key.removeprefix(prefix) for stored in store.list(prefix)}


def test_a_published_build_is_what_the_serving_side_downloads(store: S3Store, entry: Entry) -> None:
    report = publishing(store, entry, "mine")

    digest = build_digest(entry.digest, "mine", {})
    assert report.digest == digest
    assert published(store, digest) == report
    assert under(store, keys.build_repository(digest)) == {"mine/config.pbtxt", "mine/1/model.onnx"}
    assert store.get(keys.build_warmup(digest)) is not None
    assert (report.source.name, report.source.version, report.labels) == ("toy", "1", ("low", "high"))


def test_the_same_build_is_never_made_twice(store: S3Store, entry: Entry) -> None:
    first, said = publishing(store, entry, "mine"), []

    assert publishing(store, entry, "mine", ProgressSteps(said.append)) == first
    assert said == ["already built"]


def test_two_models_share_all_that_does_not_depend_on_their_names(store: S3Store, entry: Entry) -> None:
    publishing(store, entry, "one")
    parts = under(store, "parts/")
    steps = ProgressSteps()

    report = publishing(store, entry, "two", steps)

    assert under(store, "parts/") == parts
    assert "evidence" not in steps.seconds
    assert under(store, keys.build_repository(report.digest)) == {"two/config.pbtxt", "two/1/model.onnx"}


def test_a_damaged_part_is_made_again(store: S3Store, entry: Entry) -> None:
    publishing(store, entry, "one")
    part = keys.part(keys.part_digest(entry.digest), "model.onnx")
    store.put(part, b"damaged")
    steps = ProgressSteps()

    report = publishing(store, entry, "two", steps)

    assert "evidence" in steps.seconds
    served = store.get(keys.build_repository(report.digest) + "two/1/model.onnx")
    assert served == store.get(part) != b"damaged"


def test_an_interrupted_build_is_not_there_and_is_made_again(store: S3Store, entry: Entry) -> None:
    digest = build_digest(entry.digest, "mine", {})
    store.put(keys.build_repository(digest) + "mine/1/model.onnx", b"half of it")
    assert published(store, digest) is None

    publishing(store, entry, "mine")

    assert store.get(keys.build_repository(digest) + "mine/1/model.onnx") != b"half of it"


def test_two_builders_of_one_build_both_succeed(store: S3Store, entry: Entry) -> None:
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda _: publishing(store, entry, "mine"), range(2)))

    assert reports[0] == reports[1] == published(store, reports[0].digest)


def test_an_entry_that_cannot_be_served_publishes_nothing(store: S3Store, tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "broken")
    (folder / "model.onnx").write_bytes(b"not a model")
    entry = BucketRegistry(store).push(folder).entry

    with pytest.raises(InvalidEntry, match="export it again"):
        publishing(store, entry, "mine")

    assert under(store, "builds/") == set()
    assert under(store, "parts/") == set()


def test_a_build_tells_what_rows_of_the_evaluation_set_look_like(store: S3Store, tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(300, 3)).astype(np.float32)
    folder = an_entry(tmp_path / "watched", arrays={"input:x": rows, "output:y": 2 * rows}, name="watched")
    report = publishing(store, BucketRegistry(store).push(folder).entry, "watched")

    assert report.profile is not None
    assert (report.profile.rows, report.profile.features) == (300, 6)
    profile = ReferenceProfile.model_validate_json(store.get(keys.build_profile(report.digest)) or b"")
    assert [one.name for one in profile.features] == ["y[0]", "y[1]", "y[2]", "x[0]", "x[1]", "x[2]"]
    assert [one.importance for one in profile.features[3:]] == [pytest.approx(1 / 3, abs=0.1)] * 3
    assert profile.source == "eval.npz of watched"


def test_a_build_without_a_reference_says_why(store: S3Store, entry: Entry, tmp_path: Path) -> None:
    report = publishing(store, entry, "mine")
    assert report.profile is not None
    assert (report.profile.rows, "--reference FILE" in report.profile.reason) == (0, True)
    assert store.get(keys.build_profile(report.digest)) is None


def test_a_given_reference_is_the_entrys_and_its_rows_are_not_pushed(store: S3Store, tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("age,hours,gain\n" + "".join(f"{at}.5,{at % 7},0.5\n" for at in range(200)))
    folder = with_reference(an_entry(tmp_path / "given", name="given"), table, tmp_path)
    entry = BucketRegistry(store).push(folder).entry
    report = publishing(store, entry, "given")

    assert [file.path for file in entry.files] == ["model.onnx", "modelyard.yaml", "profile.json"]
    profile = ReferenceProfile.model_validate_json(store.get(keys.build_profile(report.digest)) or b"")
    assert [(one.name, one.column) for one in profile.features] == [
        ("age", "x[0]"),
        ("hours", "x[1]"),
        ("gain", "x[2]"),
    ]
    assert report.profile is not None
    assert report.profile.source == "rows.csv"


def test_a_profile_that_is_none_is_refused_before_anything_is_stored(store: S3Store, tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "broken", name="broken")
    (folder / "profile.json").write_text("{}")
    entry = BucketRegistry(store).push(folder).entry

    with pytest.raises(InvalidEntry, match="no reference profile"):
        publishing(store, entry, "broken")
    assert under(store, "builds/") == set()
