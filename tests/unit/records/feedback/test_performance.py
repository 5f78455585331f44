"""From files in the store to what is said of a Model's quality."""

import pytest

from modelyard.core.storage.keys import build_report
from modelyard.core.storage.monitoring_keys import ROWS, quality_key
from modelyard.records.feedback.performance import keep_reference
from tests.support.recording.labelled_world import DIGEST, LabelledWorld


@pytest.fixture
def world() -> LabelledWorld:
    return LabelledWorld()


def test_measures_come_by_slice_and_by_the_day_of_the_answer_and_labels_that_say_nothing_are_counted(
    world: LabelledWorld,
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


def test_what_the_build_measured_is_what_answers_are_held_against_from_the_first_label_on(world: LabelledWorld) -> None:
    world.evaluated(wrong=50, rows=1000)
    for hour in range(24):
        world.hour(hour, 0.4)
    [one] = world.quality().revisions
    [decay] = one.decays
    assert (decay.question.hits, decay.question.trials, decay.rows) == (50, 1000, 24 * 60)
    assert decay.alarm is not None
    assert one.learning == 0


def test_a_report_that_is_damaged_is_as_if_there_were_none(world: LabelledWorld) -> None:
    world.bucket.put(build_report(DIGEST), b"{}")
    world.hour(0, 0.1)
    assert world.quality().revisions[0].learning == 440


def test_without_it_the_first_labels_are_and_what_was_learnt_stays_when_they_go(world: LabelledWorld) -> None:
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


def test_a_written_reference_that_is_damaged_is_learnt_anew(world: LabelledWorld) -> None:
    for hour in range(9):
        world.hour(hour, 0.1)
    for damaged in (b"{", b"[[1]]", b"7"):
        world.bucket.put(quality_key("demo", "loans", "loans-1", "p"), damaged)
        [one] = world.quality().revisions
        assert [decay.rows for decay in one.decays] == [40]


def test_numbers_are_held_against_their_first_errors(world: LabelledWorld) -> None:
    for hour in range(10):
        world.hour(hour, 0.0, number=True)
    for hour in range(24, 30):
        world.hour(hour, 1.0, number=True)
    [one] = world.quality().revisions
    assert one.kind == "number"
    assert [decay.question.event.rpartition(" ")[0] for decay in one.decays] == ["error above"] * 2
    assert [decay.question.hits for decay in one.decays] == [250, 50]
    assert all(decay.alarm is not None for decay in one.decays)


def test_what_unlabelled_answers_of_the_last_day_let_expect_is_an_estimate_beside_it(world: LabelledWorld) -> None:
    for hour in range(5):
        world.hour(hour, 0.1)
    assert world.quality().revisions[0].estimates == {}, "no answer is of the last day"
    world.hour(80, 0.9, labelled=False)
    [one] = world.quality().revisions
    assert one.rows == 300
    assert 0.8 < one.estimates["accuracy"] < 1.0
    assert "auc" in one.estimates


def test_without_labels_or_rows_there_is_nothing_to_say(world: LabelledWorld) -> None:
    assert world.quality().revisions == []
    world.tell({"r0": "1"})
    found = world.quality(slices=["sex"])
    assert (found.revisions, found.labels, found.unknown, found.unkept) == ([], 1, 1, [])
