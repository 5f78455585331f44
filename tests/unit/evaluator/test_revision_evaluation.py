"""One revision over time: what is written of it, and what a restart makes of it."""

import pytest

from modelyard.api.monitoring.status import DataVerdict
from modelyard.core.storage.keys import build_profile
from modelyard.core.storage.monitoring_keys import detector_key
from modelyard.errors import Unreachable
from modelyard.evaluator.revision_evaluation import KEPT_MINUTES, REFERENCE_MINUTES, RevisionEvaluation
from tests.unit.evaluator.conftest import DIGEST, NOON, PROFILE, RecordedWorld, a_revision

RECORD = detector_key("demo", "loans", "loans-1")


def lived(evaluation: RevisionEvaluation, first: int, last: int) -> None:
    """A look each minute, until nothing more is to be read."""
    for minute in range(first, last):
        while evaluation.step(minute * 60.0):
            pass


def verdict(world: RecordedWorld) -> DataVerdict | None:
    status = world.status()
    return status.data.verdict if status is not None and status.data is not None else None


@pytest.fixture
def evaluation(world: RecordedWorld) -> RevisionEvaluation:
    return RevisionEvaluation(world, a_revision())


def test_a_quiet_stream_raises_nothing_and_a_broken_one_does(
    world: RecordedWorld, evaluation: RevisionEvaluation
) -> None:
    for at in range(60):
        world.counts(NOON + at)
    lived(evaluation, NOON, NOON + 62)
    assert (verdict(world), evaluation.alarms) == (DataVerdict.AS_REFERENCE, [])
    for at in range(60, 80):
        world.broken(NOON + at)
    lived(evaluation, NOON + 62, NOON + 82)
    assert verdict(world) is DataVerdict.BROKEN
    status = world.status()
    assert status is not None
    assert status.data is not None
    assert (status.revision, status.time) == ("loans-1", "2026-11-29T13:21:00.000Z")
    assert status.data.worst[0].name == "age"
    for at in range(80, 500):
        world.counts(NOON + at)
    lived(evaluation, NOON + 82, NOON + 502)
    assert verdict(world) is DataVerdict.AS_REFERENCE, "what is over is over"


def test_a_restart_goes_on_from_what_was_kept_and_finds_the_same(world: RecordedWorld) -> None:
    for at in range(30):
        world.counts(NOON + at)
    for at in range(30, 60):
        world.broken(NOON + at)
    through = RevisionEvaluation(world, a_revision())
    lived(through, NOON, NOON + 62)
    found = through.alarms
    del world.objects[RECORD]
    first = RevisionEvaluation(world, a_revision())
    lived(first, NOON, NOON + 37)
    second = RevisionEvaluation(world, a_revision())
    lived(second, NOON + 37, NOON + 62)
    assert [(name, alarm.since, alarm.raised, alarm.kind) for name, alarm in second.alarms] == [
        (name, alarm.since, alarm.raised, alarm.kind) for name, alarm in found
    ]
    assert second.record.rows_a_day == through.record.rows_a_day


def test_the_record_is_kept_now_and_then_and_when_an_alarm_begins(
    world: RecordedWorld, evaluation: RevisionEvaluation
) -> None:
    for at in range(KEPT_MINUTES - 4):
        world.counts(NOON + at)
    lived(evaluation, NOON, NOON + KEPT_MINUTES - 2)
    assert RECORD not in world.objects
    evaluation.keep(NOON)
    kept = world.objects[RECORD]
    evaluation.keep(NOON)
    assert world.objects[RECORD] is kept, "what the store has is not written again"
    for at in range(KEPT_MINUTES - 4, KEPT_MINUTES + 9):
        world.broken(NOON + at)
    lived(evaluation, NOON + KEPT_MINUTES - 2, NOON + KEPT_MINUTES + 9)
    assert b'"missing"' in world.objects[RECORD]


@pytest.mark.parametrize("content", [b"{", b'{"format": 99}'])
def test_a_record_that_cannot_be_read_is_begun_anew(
    world: RecordedWorld, evaluation: RevisionEvaluation, content: bytes
) -> None:
    world.objects[RECORD] = content
    world.counts(NOON)
    lived(evaluation, NOON + 2, NOON + 3)
    assert (evaluation.damaged, verdict(world)) == (1, DataVerdict.AS_REFERENCE)


@pytest.mark.parametrize("content", [None, b"{}"])
def test_a_reference_that_is_not_there_is_said_and_looked_for(
    world: RecordedWorld, evaluation: RevisionEvaluation, content: bytes | None
) -> None:
    key = build_profile(DIGEST)
    del world.objects[key]
    if content is not None:
        world.objects[key] = content
    world.counts(NOON)
    lived(evaluation, NOON + 2, NOON + 4)
    status = world.status()
    assert status is not None
    assert status.data is not None
    assert status.data.verdict is DataVerdict.NO_REFERENCE
    assert "--reference FILE" in status.data.message
    world.objects[key] = PROFILE.model_dump_json().encode()
    lived(evaluation, NOON + 4, NOON + 2 + REFERENCE_MINUTES)
    assert verdict(world) is DataVerdict.NO_REFERENCE
    lived(evaluation, NOON + 2 + REFERENCE_MINUTES, NOON + 3 + REFERENCE_MINUTES)
    assert verdict(world) is DataVerdict.AS_REFERENCE


def test_a_model_nobody_asks_is_looked_at_all_the_same(world: RecordedWorld, evaluation: RevisionEvaluation) -> None:
    lived(evaluation, NOON, NOON + 1)
    assert verdict(world) is DataVerdict.NO_ROWS
    before = world.status()
    lived(evaluation, NOON + 1, NOON + 5)
    assert world.status() == before
    lived(evaluation, NOON + 5, NOON + 6)
    assert world.status() != before, "its time tells that somebody evaluates"
    assert RECORD not in world.objects


def test_what_the_spec_names_in_vain_is_said(world: RecordedWorld) -> None:
    spec = {"drift": {"features": ["age", "hours"]}, "quality": {"columns": [{"name": "income", "min": 0}]}}
    evaluation = RevisionEvaluation(world, a_revision(**spec))
    world.counts(NOON)
    lived(evaluation, NOON + 2, NOON + 3)
    status = world.status()
    assert status is not None
    assert status.data is not None
    assert "quality names 'income'" in status.data.message
    assert "does not have: hours." in status.data.message


def test_a_file_that_comes_too_late_is_counted(world: RecordedWorld, evaluation: RevisionEvaluation) -> None:
    for at in range(5):
        world.counts(NOON + at)
    lived(evaluation, NOON, NOON + 5)
    world.counts(NOON + 1, "late")
    lived(evaluation, NOON + 5, NOON + 6)
    assert (evaluation.late, evaluation.record.state.late) == (1, 1)


def test_a_store_that_is_away_loses_nothing(world: RecordedWorld, evaluation: RevisionEvaluation) -> None:
    for at in range(30):
        world.broken(NOON + at)
    world.away = True
    with pytest.raises(Unreachable):
        evaluation.step((NOON + 10) * 60.0)
    world.away = False
    lived(evaluation, NOON + 11, NOON + 32)
    assert verdict(world) is DataVerdict.BROKEN
    assert evaluation.record.rows_a_day > 0
