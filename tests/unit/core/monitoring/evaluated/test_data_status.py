"""What is told of a revision's rows."""

from collections.abc import Callable

import pytest

from modelyard.api.monitoring.counts import FeatureCounts, MinuteCounts
from modelyard.api.monitoring.profile import FeatureProfile, ReferenceProfile
from modelyard.api.monitoring.status import DataVerdict
from modelyard.core.monitoring.evaluated.data_status import SILENT_MINUTES, data_status, moment, readings
from modelyard.core.monitoring.evaluated.revision_record import RevisionRecord, with_minute
from modelyard.core.monitoring.model_state import DriftPolicy, ModelQuestions

Minute = Callable[..., MinuteCounts]
START = 30_000_000
MOVED = (4, 13, 18, 22, 26, 17)


@pytest.fixture
def questions(profile: ReferenceProfile) -> ModelQuestions:
    return ModelQuestions(profile)


def after(questions: ModelQuestions, *minutes: MinuteCounts) -> RevisionRecord:
    record = RevisionRecord()
    for one in minutes:
        record = with_minute(questions, record, one, START + 10**6)
    return record


def test_rows_like_the_reference(questions: ModelQuestions, minute: Minute) -> None:
    record = after(questions, *(minute(START + at) for at in range(60)))
    status = data_status(questions, record, START + 60)
    assert (status.verdict, status.features, status.worst) == (DataVerdict.AS_REFERENCE, 2, [])
    assert (status.reference, status.message) == ("eval.npz", "")
    by_name = {one.name: one for one in readings(questions, record)}
    assert by_name["age"].missing == by_name["age"].outside == 0.0
    assert max(by_name["age"].broken, by_name["age"].shape) < 0.5
    assert by_name["age"].shift < 0.01


def test_what_broke_is_named_before_what_moved_and_since_when(questions: ModelQuestions, minute: Minute) -> None:
    record = after(questions, *(minute(START + at, bins=MOVED) for at in range(2881)))
    drifted = data_status(questions, record, START + 2881)
    assert (drifted.verdict, drifted.drifted, drifted.broken) == (DataVerdict.DRIFTED, 1, 0)
    assert (drifted.worst[0].name, drifted.worst[0].kind, drifted.worst[0].weight) == ("age", "shape", None)
    for at in range(2881, 2901):
        record = with_minute(questions, record, minute(START + at, rows=120, missing=20, bins=MOVED), START + 10**6)
    broken = data_status(questions, record, START + 2901)
    assert [one.kind for one in broken.worst] == ["missing", "shape"]
    assert (broken.verdict, broken.broken, broken.drifted) == (DataVerdict.BROKEN, 1, 0)
    assert moment(START + 2870) < broken.worst[0].since < moment(START + 2890)
    assert "have no value; of the reference 0%" in broken.worst[0].message
    [age] = [one for one in readings(questions, record) if one.name == "age"]
    assert age.broken >= 1.0
    assert age.shape >= 1.0
    assert 0.0 < age.missing < 0.2


def test_a_feature_that_is_not_watched_any_more_alarms_no_more(questions: ModelQuestions, minute: Minute) -> None:
    record = after(questions, *(minute(START + at, rows=120, missing=20) for at in range(20)))
    other = ModelQuestions(questions.profile, DriftPolicy(features=("job",)))
    status = data_status(other, record, START + 20)
    assert (status.verdict, status.worst) == (DataVerdict.AS_REFERENCE, [])


def test_a_day_without_a_row_says_nothing_of_rows(questions: ModelQuestions, minute: Minute) -> None:
    assert data_status(questions, RevisionRecord(), START).verdict is DataVerdict.NO_ROWS
    record = after(questions, minute(START))
    assert data_status(questions, record, START + SILENT_MINUTES - 60).verdict is DataVerdict.AS_REFERENCE
    assert data_status(questions, record, START + SILENT_MINUTES + 60).verdict is DataVerdict.NO_ROWS


def test_what_else_is_odd_is_said(questions: ModelQuestions, minute: Minute) -> None:
    strange = MinuteCounts(minute=START + 1, features={f"new{at}": FeatureCounts(rows=1, invalid=1) for at in range(9)})
    record = after(questions, minute(START, bins=(50, 50)), strange, minute(START + 2 * 10**6))
    status = data_status(questions, record, START + 2, ("One more thing.",))
    assert status.unknown == ["new0", "new1", "new2", "new3", "new4"]
    assert status.message == (
        "One more thing. 1 times counts did not fit the reference. 1 minutes came from a clock that is ahead."
    )


def test_a_hundred_alarms_are_five_and_their_number(number: Callable[..., FeatureProfile]) -> None:
    features = tuple(number(f"{'x' * 200}{at}", importance=at / 5000) for at in range(100))
    questions = ModelQuestions(ReferenceProfile(source="s" * 400, rows=4000, features=features))
    gone = FeatureCounts(rows=100, missing=100)
    minutes = [MinuteCounts(minute=START + at, features={one.name: gone for one in features}) for at in range(9)]
    status = data_status(questions, after(questions, *minutes), START + 9, ("n" * 900,))
    assert (status.broken, [one.name[200:] for one in status.worst]) == (100, ["99", "98", "97", "96", "95"])
    assert len(status.model_dump_json()) < 4000


def test_nothing_is_read_of_a_feature_without_rows(questions: ModelQuestions, minute: Minute) -> None:
    record = after(questions, MinuteCounts(minute=START, features={"job": FeatureCounts(rows=0)}))
    assert list(readings(questions, record)) == list(readings(questions, RevisionRecord())) == []
    gone = after(questions, minute(START, missing=100, bins=()))
    assert [one.outside for one in readings(questions, gone) if one.name == "age"] == [0.0]
