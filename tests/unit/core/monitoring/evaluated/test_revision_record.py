"""What is kept of a revision between two looks."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from modelyard.api.monitoring.counts import FeatureCounts, MinuteCounts
from modelyard.api.monitoring.profile import FeatureProfile, ReferenceProfile
from modelyard.core.monitoring.evaluated.revision_record import (
    ANEW_MINUTES,
    HALVED_MINUTES,
    RevisionRecord,
    as_json,
    from_json,
    with_minute,
)
from modelyard.core.monitoring.model_state import ModelQuestions

Minute = Callable[..., MinuteCounts]
LATER = 10**9
START = 1_000_000 * HALVED_MINUTES


@pytest.fixture
def questions(profile: ReferenceProfile) -> ModelQuestions:
    return ModelQuestions(profile)


def after(questions: ModelQuestions, *minutes: MinuteCounts) -> RevisionRecord:
    record = RevisionRecord()
    for one in minutes:
        record = with_minute(questions, record, one, LATER)
    return record


def test_counts_of_the_last_hours_weigh_more_and_never_grow_beyond_twice_a_period(
    questions: ModelQuestions, minute: Minute
) -> None:
    record = after(questions, *(minute(START + at) for at in range(20 * HALVED_MINUTES)))
    rows = record.recent["age"].rows
    assert 100 * HALVED_MINUTES < rows <= 2 * 100 * HALVED_MINUTES
    record = with_minute(
        questions, record, minute(START + 300 * HALVED_MINUTES, missing=50, bins=(50, 0, 0, 0, 0, 0)), LATER
    )
    assert record.recent["age"] == FeatureCounts(rows=100, missing=50, bins=(50, 0, 0, 0, 0, 0))


def test_rows_of_a_day_are_told_from_the_hours_there_were(questions: ModelQuestions, minute: Minute) -> None:
    assert RevisionRecord().rows_a_day == 0
    record = after(questions, minute(START), minute(START + 1), minute(START + 61))
    assert (record.rows_a_day, record.rows_since(START + 60)) == (300 * 12, 100)
    record = after(questions, *(minute(START + 60 * at) for at in range(100)))
    assert (record.rows_a_day, len(record.hours)) == (2400, 24)


def test_a_minute_that_is_late_or_ahead_adds_nothing(questions: ModelQuestions, minute: Minute) -> None:
    record = after(questions, minute(START))
    late = with_minute(questions, record, minute(START), LATER)
    ahead = with_minute(questions, record, minute(START + 99), START)
    assert (late.recent, late.hours, late.state.late) == (record.recent, record.hours, 1)
    assert (ahead.recent, ahead.hours, ahead.state.ahead) == (record.recent, record.hours, 1)


def test_a_restart_goes_on_as_if_nothing_had_been(questions: ModelQuestions, minute: Minute) -> None:
    minutes = [minute(START + at, rows=100 + at % 4, missing=at % 4) for at in range(200)]
    through = after(questions, *minutes)
    record = after(questions, *minutes[:90])
    for one in minutes[90:]:
        record = with_minute(questions, from_json(as_json(record, questions), questions, START), one, LATER)
    assert (record.recent, record.hours, record.period) == (through.recent, through.hours, through.period)
    assert record.state.alarms() == through.state.alarms()
    kept, whole = record.state.features["age"].hour, through.state.features["age"].hour
    assert (kept.hits, kept.breaks) == (whole.hits, whole.breaks)


def test_a_feature_with_another_reference_begins_anew_and_no_other(
    questions: ModelQuestions, minute: Minute, number: Callable[..., FeatureProfile]
) -> None:
    record = after(questions, *(minute(START + at) for at in range(9)))
    declared = number(low=0.0, high=120.0, outside=0)
    changed = ModelQuestions(
        questions.profile.model_copy(update={"features": (declared, questions.profile.features[1])})
    )
    read = from_json(as_json(record, questions), changed, START + 10)
    assert list(read.state.features) == list(read.recent) == ["job"]
    assert (read.state.minute, read.hours) == (record.state.minute, record.hours)
    weighed = number(importance=0.4)
    same = ModelQuestions(questions.profile.model_copy(update={"features": (weighed, questions.profile.features[1])}))
    assert list(from_json(as_json(record, questions), same, START).recent) == ["age", "job"], (
        "importance is not gone by"
    )


def test_what_was_counted_by_the_reference_before_says_nothing_of_the_new_one(
    questions: ModelQuestions, minute: Minute, number: Callable[..., FeatureProfile]
) -> None:
    """Half of the ages are beyond the range; somebody declares a wider one, and minutes counted before come later."""

    def beyond(at: int) -> MinuteCounts:
        one = minute(at)
        age = one.features["age"]
        return one.model_copy(update={"features": {**one.features, "age": age.model_copy(update={"outside": 50})}})

    record = after(questions, *(beyond(START + at) for at in range(5)))
    assert [name for name, _ in record.state.alarms()] == ["age"]
    declared = (number(low=0.0, high=120.0, outside=0), questions.profile.features[1])
    changed = ModelQuestions(questions.profile.model_copy(update={"features": declared}))
    seen, clean = START + 7, START + 7 + ANEW_MINUTES
    record = from_json(as_json(record, questions), changed, seen)
    for at in range(START + 5, clean):
        record = with_minute(changed, record, beyond(at), LATER)
        record = from_json(as_json(record, changed), changed, at)
    assert (record.state.alarms(), list(record.recent), record.rows_a_day) == ([], ["job"], (clean - START) * 100 * 24)
    record = with_minute(changed, record, minute(clean), LATER)
    assert (list(record.recent), record.anew) == (["job", "age"], {"age": clean})
    for at in range(1, 5):
        record = with_minute(changed, record, beyond(clean + at), LATER)
    assert [name for name, _ in record.state.alarms()] == ["age"], "and from then on it is watched again"


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"format": 2}', b'{"format": 1, "marks": 3}', b"\xff"])
def test_what_is_no_record_is_refused(questions: ModelQuestions, content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(content, questions, START)


def test_a_record_with_impossible_counts_is_refused(questions: ModelQuestions, minute: Minute) -> None:
    kept = json.loads(as_json(after(questions, minute(START)), questions))
    kept["recent"]["age"]["rows"] = 7
    with pytest.raises(ValueError, match="no record of a revision"):
        from_json(json.dumps(kept).encode(), questions, START)


def test_bins_of_any_number_do_no_harm_where_the_reference_is_empty(number: Callable[..., FeatureProfile]) -> None:
    empty = ModelQuestions(ReferenceProfile(source="s", rows=4000, features=(number(missing=4000),)))

    def counts(at: int, *bins: int) -> MinuteCounts:
        return MinuteCounts(minute=at, features={"age": FeatureCounts(rows=sum(bins), bins=bins)})

    record = after(empty, counts(START, 5), counts(START + 1, 2, 3), counts(START + 2, 2, 3))
    assert record.recent["age"].bins == (4, 6)


def test_an_empty_minute_is_a_minute(questions: ModelQuestions) -> None:
    record = after(questions, MinuteCounts(minute=START, features={}))
    assert (record.state.minute, record.rows_a_day) == (START, 0)
    assert replace(record, hours=()).rows_a_day == 0
