"""`modelyard drift` on files, and on a revision's counts in a real store."""

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from modelyard.api.model import Model
from modelyard.api.monitoring.counts import FeatureCounts, MinuteCounts
from modelyard.api.monitoring.profile import FeatureProfile, ReferenceProfile
from modelyard.cli.main import app
from modelyard.cli.monitoring.page import page
from modelyard.cli.monitoring.watched_rows import of_files, of_model
from modelyard.clients.store import S3Store
from modelyard.core.monitoring.declared_quality import with_declared
from modelyard.core.monitoring.evaluated.revision_record import RevisionRecord, as_json
from modelyard.core.monitoring.model_state import ModelQuestions
from modelyard.core.storage import keys
from modelyard.core.storage.monitoring_keys import COUNTS, MinuteKey, detector_key, learnt_profile_key
from modelyard.errors import InvalidInput, InvalidModel, UserError

DIGEST = "sha256:" + "ab" * 32
NOW = 29_932_440
"""Minutes since the epoch: 2026-11-29 10:00."""
BINS = (400, 800, 800, 800, 800, 400)
Rows = Callable[..., Path]


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    """A file of 2,000 rows, 100 a minute, of an age and a job."""

    def made(name: str, age: float = 40.0, missing: float = 0.0, odd: float = 0.0) -> Path:
        chance, path = random.Random(name), tmp_path / name
        with path.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["age", "job", "at"])
            for number in range(2000):
                job = "pilot" if chance.random() < odd else chance.choice(["cook", "nurse"])
                value = "" if chance.random() < missing else f"{chance.gauss(age, 10.0):.2f}"
                writer.writerow([value, job, f"2026-11-29T10:{number // 100:02d}:00Z"])
        return path

    return made


def drift(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["drift", *map(str, arguments)])


def found(*arguments: str | Path, code: int = 1) -> dict[str, Any]:
    done = drift(*arguments, "--output", "json")
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def changed(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["name"], one["kind"]) for one in document["features"] if one["kind"]]


def test_rows_that_are_like_the_reference_end_with_0(rows: Rows) -> None:
    document = found("--reference", rows("before.csv"), "--file", rows("after.csv"), code=0)
    assert changed(document) == []
    assert document["rowsADay"] == 2000
    assert 0.001 < document["features"][0]["smallestVisible"]["missing"] < 0.05


def test_rows_that_are_not_end_with_1_and_say_what_and_how_far(rows: Rows) -> None:
    document = found("--reference", rows("before.csv"), "--file", rows("after.csv", age=46.0, missing=0.1, odd=0.05))
    assert changed(document) == [("age", "missing"), ("job", "outside"), ("age", "shape")]
    missing = document["features"][0]
    assert (missing["broken"], missing["since"], missing["clock"]) == (True, None, None)
    assert missing["what"].endswith("of the rows have no value; of the reference 0%")
    assert missing["shift"] == pytest.approx(0.1, abs=0.02)


def test_with_a_column_of_times_it_is_said_since_when(rows: Rows) -> None:
    after = rows("after.csv", missing=0.1)
    document = found("--reference", rows("before.csv"), "--file", after, "--time", "at", "--false-alarms", "2/m")
    assert changed(document) == [("age", "missing")]
    assert document["features"][0]["since"] == "2026-11-29 10:00Z"
    assert document["features"][0]["clock"] == "minute"
    assert document["rowsADay"] == 144_000


def test_people_get_a_table_and_a_page(rows: Rows, tmp_path: Path) -> None:
    html = tmp_path / "drift.html"
    done = drift("--reference", rows("before.csv"), "--file", rows("after.csv", age=46.0, odd=0.05), "--html", html)
    assert done.exit_code == 1
    first, head, *lines = done.stdout.splitlines()
    assert first == "after.csv against before.csv"
    assert head.split()[0] == "FEATURE"
    assert any(line.startswith("job") and "outside" in line for line in lines)
    text = html.read_text()
    assert "2 of 3 features are not like the reference." in text
    assert text.count("<svg") == 3
    assert "https://" not in text


def test_the_page_says_what_a_feature_is_called_and_never_runs_it(tmp_path: Path) -> None:
    before, after = tmp_path / "before.csv", tmp_path / "after.csv"
    before.write_text("<script>x</script>\n" + "<b>\n" * 50 + "c\n" * 50)
    after.write_text("<script>x</script>\n<b>\n")
    rows = of_files(before, after, "", 1.0)
    text = page(rows, rows.findings())
    assert "<script>" not in text
    assert "<b>" not in text
    assert "All 1 features are like the reference" in text


@pytest.mark.parametrize(
    "arguments",
    [(), ("digits", "--reference", "a.csv", "--file", "b.csv"), ("--reference", "a.csv"), ("--file", "b.csv")],
)
def test_a_model_or_two_files_are_needed(arguments: tuple[str, ...]) -> None:
    done = drift(*arguments)
    assert isinstance(done.exception, InvalidInput)
    assert "name a Model, or give both" in str(done.exception)


def test_what_cannot_be_used_is_refused_before_anything(rows: Rows, tmp_path: Path) -> None:
    before, after = rows("before.csv"), rows("after.csv")
    for more, says in ((("--time", "when"), "no column 'when'"), (("--false-alarms", "often"), 'such as "1/y"')):
        done = drift("--reference", before, "--file", after, *more)
        assert isinstance(done.exception, UserError)
        assert says in str(done.exception)
    done = drift("--reference", before, "--file", after, "--html", tmp_path / "none" / "x.html")
    assert "cannot be written" in str(done.exception)


def test_a_column_that_is_gone_and_one_that_is_new_are_told(tmp_path: Path) -> None:
    before, after = tmp_path / "before.csv", tmp_path / "after.csv"
    before.write_text("a,b\n" + "1.5,x\n" * 200)
    after.write_text("a,c\n" + "1.5,x\n" * 200)
    document = found("--reference", before, "--file", after)
    assert changed(document) == [("b", "invalid")]
    assert "columns that the reference does not have: c." in document["notes"]


def test_a_column_without_a_value_in_the_reference_is_named(tmp_path: Path) -> None:
    before = tmp_path / "before.csv"
    before.write_text("a,b\n" + "1.5,\n" * 50)
    document = found("--reference", before, "--file", before, code=0)
    assert any("without a single value in the reference" in note and note.endswith("b.") for note in document["notes"])


def a_model(monitoring: dict[str, Any] | None = None, revision: str = "digits-1") -> Model:
    there = {"name": "digits-1", "slot": "a", "digest": DIGEST, "version": "1", "runtime": "r", "stage": "Serving"}
    spec: dict[str, Any] = {"source": {"name": "digits", "version": "1"}}
    if monitoring is not None:
        spec["monitoring"] = monitoring
    status = {"revision": revision, "revisions": [there] if revision else []}
    return Model.model_validate({"metadata": {"name": "digits", "namespace": "demo"}, "spec": spec, "status": status})


@pytest.fixture
def watched(store: S3Store) -> S3Store:
    """A store with the profile of a build and two hours of its revision's counts, of which the second breaks."""
    shared = {"role": "input", "rows": 4000, "missing": 0}
    age = FeatureProfile(
        name="age", column="x[0]", kind="number", edges=(20.0, 30.0, 40.0, 50.0, 60.0), bins=BINS, low=0.0, high=99.0,
        importance=0.5, **shared,
    )  # fmt: skip
    job = FeatureProfile(name="job", column="x[1]", kind="category", categories=("a",), bins=(4000, 0), **shared)
    profile = ReferenceProfile(source="eval.npz of digits", rows=4000, features=(age, job))
    store.put(keys.build_profile(DIGEST), profile.model_dump_json(by_alias=True).encode())
    for minute in range(NOW - 119, NOW + 1):
        missing = 5 if minute > NOW - 60 else 0
        ages = FeatureCounts(rows=100 + missing, missing=missing, bins=(10, 20, 20, 20, 20, 10))
        counts = MinuteCounts(minute=minute, requests=100, features={"age": ages})
        key = MinuteKey("demo", "digits", "digits-1", minute * 60, "a").key(COUNTS)
        store.put(key, counts.model_dump_json(by_alias=True).encode())
    return store


def test_a_revision_is_judged_by_its_minutes_in_the_store(watched: S3Store) -> None:
    rows = of_model(a_model({"sample": "auto"}), "", 1, watched, NOW * 60.0)
    first, *_ = rows.findings()
    assert first.alarm is not None
    assert (first.profile.name, first.alarm.kind) == ("age", "missing")
    assert abs(first.alarm.since - (NOW - 60)) <= 2
    assert first.weight == pytest.approx(0.5 * first.shift)
    assert rows.rows_a_day == pytest.approx(102.5 * 1440, rel=0.01)
    assert rows.notes == ()
    assert "2026-11-29" in page(rows, rows.findings())


def test_counts_of_a_range_that_was_replaced_say_nothing_of_the_new_one(watched: S3Store) -> None:
    """The evaluator keeps since when a feature is counted by what is asked now; what it has not seen is not asked."""
    profile = ReferenceProfile.model_validate_json(watched.get(keys.build_profile(DIGEST)) or b"")
    declared = {"quality": {"columns": [{"name": "age", "min": 0, "max": 120}]}}
    key = detector_key("demo", "digits", "digits-1")
    watched.put(key, as_json(RevisionRecord(), ModelQuestions(profile)))

    def broken() -> set[str]:
        rows = of_model(a_model(declared), "", 1, watched, NOW * 60.0)
        return {one.profile.name for one in rows.findings() if one.alarm is not None}

    assert broken() == set(), "the evaluator has not seen the new range yet"
    seen = ModelQuestions(with_declared(profile, a_model(declared).spec.monitoring))
    watched.put(key, as_json(RevisionRecord(anew={"age": NOW - 30}), seen))
    assert broken() == {"age"}, "the last half hour was counted by it"
    watched.put(key, b"damaged")
    assert broken() == {"age"}, "nothing is known, so all of it counts"


def test_what_the_spec_says_of_columns_counts(watched: S3Store) -> None:
    allowed = {"quality": {"columns": [{"name": "age", "maxMissing": "20%"}, {"name": "shoe", "min": 1}]}}
    rows = of_model(a_model(allowed | {"drift": {"features": ["age", "hat"]}}), "", 1, watched, NOW * 60.0)
    assert [one.alarm for one in rows.findings()] == [None]
    assert [note.partition(" ")[0] for note in rows.notes] == ["quality", "drift.features"]


@pytest.mark.parametrize(
    ("monitoring", "why"), [(None, "write spec.monitoring.sample"), ({"sample": "5%"}, "nobody asked")]
)
def test_a_revision_without_counts_says_why(watched: S3Store, monitoring: dict[str, Any] | None, why: str) -> None:
    rows = of_model(a_model(monitoring), "", 1, watched, (NOW + 9 * 1440) * 60.0)
    assert (rows.minutes, rows.rows_a_day) == ((), 0)
    assert why in rows.notes[0]
    assert {one.alarm for one in rows.findings()} == {None}


def test_damaged_files_are_counted(watched: S3Store) -> None:
    watched.put(MinuteKey("demo", "digits", "digits-1", (NOW - 300) * 60, "b").key(COUNTS), b"{")
    assert "1 files of counts were left out" in of_model(a_model(), "", 1, watched, NOW * 60.0).notes[0]


@pytest.mark.parametrize(("revision", "there"), [("digits-9", "there is: digits-1"), ("", "none yet")])
def test_a_revision_that_is_not_there_is_refused(watched: S3Store, revision: str, there: str) -> None:
    model = a_model() if revision else a_model(revision="")
    with pytest.raises(InvalidModel, match=there):
        of_model(model, revision, 1, watched, NOW * 60.0)


def test_where_the_build_has_none_a_revision_is_held_against_its_first_days(watched: S3Store) -> None:
    content = watched.get(keys.build_profile(DIGEST))
    assert content is not None
    watched.delete(keys.build_profile(DIGEST))
    watched.put(learnt_profile_key("demo", "digits", "digits-1"), content)
    rows = of_model(a_model({"sample": "auto"}), "", 1, watched, NOW * 60.0)
    assert rows.questions.profile.source == "eval.npz of digits"
    assert rows.findings()[0].alarm is not None


def test_a_build_without_a_reference_says_how_to_get_one(store: S3Store) -> None:
    with pytest.raises(InvalidModel, match="--reference FILE"):
        of_model(a_model(), "", 1, store, NOW * 60.0)
    store.put(keys.build_profile(DIGEST), b"{}")
    with pytest.raises(InvalidModel, match="is damaged"):
        of_model(a_model(), "", 1, store, NOW * 60.0)
