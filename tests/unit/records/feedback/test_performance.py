"""From files in the store to what is said of a Model's quality."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from modelyard.api.monitoring.labels import AnswerLabel
from modelyard.api.monitoring.spec import Feedback
from modelyard.api.report import Quality, Report
from modelyard.core.storage.keys import build_report
from modelyard.core.storage.monitoring_keys import ROWS, MinuteKey, feedback_key, quality_key
from modelyard.core.storage.object_store import Stored
from modelyard.records.feedback.labels import to_file
from modelyard.records.feedback.performance import ModelQuality, keep_reference, quality_of
from modelyard.records.parquet import to_parquet
from tests.support.objects.reports import WRITTEN

DIGEST = "sha256:" + "7" * 64
DAY = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp())
NOW = DAY // 60 + 4 * 1440


class Bucket:
    """A store in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def list(self, prefix: str) -> Iterator[Stored]:
        return iter([Stored(key, 1) for key in sorted(self.objects) if key.startswith(prefix)])

    def get(self, key: str) -> bytes | None:
        return self.objects.get(key)

    def put(self, key: str, content: bytes) -> None:
        self.objects[key] = content


class World:
    """Recorded hours of a Model, and labels for them."""

    def __init__(self) -> None:
        self.bucket, self.chance, self._number = Bucket(), np.random.default_rng(3), 0

    def hour(self, at: int, wrong: float, rows: int = 60, labelled: bool = True, number: bool = False) -> None:
        """Rows that were answered in the hour `at` after the first day's begin, a share of them wrong."""
        ids = np.array([f"r{self._number + one}" for one in range(rows)], object)
        self._number += rows
        truth = self.chance.integers(0, 2, rows)
        answer = np.where(self.chance.random(rows) < wrong, 1 - truth, truth)
        sure = np.where(answer == 1, 0.8, 0.2)
        outputs: dict[str, Any] = {"output.p[0]": 1 - sure, "output.p[1]": sure}
        if number:
            truth = self.chance.normal(100, 20, rows)
            outputs = {"output.price": truth + self.chance.normal(0, 1 + 9 * wrong, rows)}
        minute = DAY + at * 3600
        table = {
            "request_id": ids, "row": np.zeros(rows, np.int32), "time": minute + 60.0 * np.arange(rows),
            "share": np.ones(rows, np.int32), "input.sex": np.array(["f", "m"] * (rows // 2), object), **outputs,
        }  # fmt: skip
        self.bucket.put(MinuteKey("demo", "loans", "loans-1", minute, "w").key(ROWS), to_parquet(table))
        if labelled:
            self.tell({request: str(label) for request, label in zip(ids, truth.tolist(), strict=True)})

    def tell(self, labels: dict[str, str], output: str = "") -> None:
        """Labels that come now."""
        told = [AnswerLabel(request, 0, output, label, float(DAY), float(DAY)) for request, label in labels.items()]
        self.bucket.put(feedback_key("demo", "loans", "2026-11-24", f"f{len(self.bucket.objects)}"), to_file(told))

    def evaluated(self, wrong: int, rows: int, metric: str = "accuracy") -> None:
        """The build measured this on its evaluation set."""
        quality = Quality(rows=rows, largest_difference={}, metric=metric, value=1 - wrong / rows)
        report = Report.model_validate(WRITTEN).model_copy(update={"quality": quality})
        self.bucket.put(build_report(DIGEST), report.model_dump_json(by_alias=True).encode())

    def quality(self, **asked: Any) -> ModelQuality:
        return quality_of(
            self.bucket, "demo", "loans", {"loans-1": DIGEST}, Feedback(**asked), "2026-11-01", NOW  # pyright: ignore
        )  # fmt: skip


@pytest.fixture
def world() -> World:
    return World()


def test_measures_come_by_slice_and_by_the_day_of_the_answer_and_labels_that_say_nothing_are_counted(
    world: World,
) -> None:
    world.hour(0, 0.1)
    world.hour(24, 0.5)
    world.tell({"r0": "1", "nobody": "1", "r1": "dog"})
    world.tell({"r2": "3"}, output="other")
    found = world.quality(slices=["sex", "unkept"])
    assert (found.labels, found.unknown, found.unfit) == (122, 1, 2)
    assert found.unkept == ["unkept"]
    [one] = found.revisions
    assert (one.revision, one.output, one.kind, one.rows, one.learning) == ("loans-1", "p", "class", 119, 381)
    assert sorted(one.slices) == ["", "sex=f", "sex=m"]
    assert sorted(one.days) == ["2026-11-20", "2026-11-21"]
    accuracy = {day: found[0].value for day, found in one.days.items()}
    assert accuracy["2026-11-20"] > 0.8 > 0.65 > accuracy["2026-11-21"]  # pyright: ignore
    assert one.decays == []


def test_what_the_build_measured_is_what_answers_are_held_against_from_the_first_label_on(world: World) -> None:
    world.evaluated(wrong=50, rows=1000)
    for hour in range(24):
        world.hour(hour, 0.4)
    [one] = world.quality().revisions
    [decay] = one.decays
    assert (decay.question.hits, decay.question.trials, decay.rows) == (50, 1000, 24 * 60)
    assert decay.alarm is not None
    assert one.learning == 0


def test_a_report_that_is_damaged_is_as_if_there_were_none(world: World) -> None:
    world.bucket.put(build_report(DIGEST), b"{}")
    world.hour(0, 0.1)
    assert world.quality().revisions[0].learning == 440


def test_without_it_the_first_labels_are_and_what_was_learnt_stays_when_they_go(world: World) -> None:
    for hour in range(24):
        world.hour(hour, 0.1)
    before = world.quality(slices=["sex"])
    [one] = before.revisions
    assert {decay.question.slice: decay.rows for decay in one.decays} == {"": 940, "sex=f": 220, "sex=m": 220}
    assert keep_reference(world.bucket, "demo", "loans", one)  # pyright: ignore
    assert not keep_reference(world.bucket, "demo", "loans", one)  # pyright: ignore
    for key in [key for key in world.bucket.objects if key.startswith("monitor/") and key.endswith(ROWS)]:
        del world.bucket.objects[key]
    for hour in range(48, 60):
        world.hour(hour, 0.35)
    [later] = world.quality(slices=["sex"]).revisions
    assert [decay.question for decay in later.decays] == [decay.question for decay in one.decays]
    assert all(decay.alarm is not None for decay in later.decays)


def test_a_written_reference_that_is_damaged_is_learnt_anew(world: World) -> None:
    for hour in range(9):
        world.hour(hour, 0.1)
    for damaged in (b"{", b"[[1]]", b"7"):
        world.bucket.put(quality_key("demo", "loans", "loans-1", "p"), damaged)
        [one] = world.quality().revisions
        assert [decay.rows for decay in one.decays] == [40]


def test_numbers_are_held_against_their_first_errors(world: World) -> None:
    for hour in range(10):
        world.hour(hour, 0.0, number=True)
    for hour in range(24, 30):
        world.hour(hour, 1.0, number=True)
    [one] = world.quality().revisions
    assert one.kind == "number"
    assert [decay.question.event.rpartition(" ")[0] for decay in one.decays] == ["error above"] * 2
    assert [decay.question.hits for decay in one.decays] == [250, 50]
    assert all(decay.alarm is not None for decay in one.decays)


def test_what_unlabelled_answers_of_the_last_day_let_expect_is_an_estimate_beside_it(world: World) -> None:
    for hour in range(5):
        world.hour(hour, 0.1)
    assert world.quality().revisions[0].estimates == {}, "no answer is of the last day"
    world.hour(80, 0.9, labelled=False)
    [one] = world.quality().revisions
    assert one.rows == 300
    assert 0.8 < one.estimates["accuracy"] < 1.0
    assert "auc" in one.estimates


def test_without_labels_or_rows_there_is_nothing_to_say(world: World) -> None:
    assert world.quality().revisions == []
    world.tell({"r0": "1"})
    found = world.quality(slices=["sex"])
    assert (found.revisions, found.labels, found.unknown, found.unkept) == ([], 1, 1, [])
