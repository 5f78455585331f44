"""A revision whose build has no reference: its first days are one, once they are over."""

from typing import Any

import pytest

from modelyard.api.monitoring.profile import ReferenceProfile
from modelyard.api.monitoring.status import DataStatus, DataVerdict
from modelyard.core.storage.keys import build_profile
from modelyard.core.storage.monitoring_keys import learnt_profile_key
from modelyard.evaluator.revision_evaluation import REFERENCE_MINUTES, RevisionEvaluation
from modelyard.records.first_days import DAY, SETTLED_MINUTES
from tests.unit.evaluator.conftest import DIGEST, PROFILE, RecordedWorld, a_revision
from tests.unit.records.test_first_days import FIRST, PLACE, recorded

LEARNT = learnt_profile_key(*PLACE)
OVER = FIRST + 2 * DAY + SETTLED_MINUTES


@pytest.fixture
def world() -> RecordedWorld:
    world = RecordedWorld()
    del world.objects[build_profile(DIGEST)]
    return world


def an_evaluation(world: RecordedWorld, **log: Any) -> RevisionEvaluation:
    kept = {"columns": ["*"], **log}
    return RevisionEvaluation(world, a_revision(log=kept, drift={"reference": {"firstDays": 2}}))


def looked(world: RecordedWorld, evaluation: RevisionEvaluation, minute: int) -> DataStatus:
    """What is told at a minute."""
    while evaluation.step(minute * 60.0):
        pass
    status = world.status()
    assert status is not None
    assert status.data is not None
    return status.data


def test_until_they_are_over_it_says_how_many_days_more(world: RecordedWorld) -> None:
    evaluation = an_evaluation(world)
    told = looked(world, evaluation, FIRST)
    assert told.verdict is DataVerdict.NO_REFERENCE
    assert told.message == (
        "The reference is made of the first 2 days of loans-1: 2 days more from its first recorded row on, and drift "
        "can be told."
    )
    recorded(world, 0)
    told = looked(world, evaluation, FIRST + DAY + 30)
    assert told.message == "The reference is made of the first 2 days of loans-1: 1 day more, and drift can be told."
    assert LEARNT not in world.objects


def test_then_it_is_made_once_and_rows_are_held_against_it(world: RecordedWorld) -> None:
    for minute in range(0, 2 * DAY, 360):
        recorded(world, minute)
    evaluation = an_evaluation(world)
    told = looked(world, evaluation, OVER)
    assert (told.verdict, told.reference) == (DataVerdict.NO_ROWS, "the first 2 days of loans-1")
    written = world.objects[LEARNT]
    assert ReferenceProfile.model_validate_json(written).rows == 8 * 20
    recorded(world, 7, rows=90)
    assert looked(world, an_evaluation(world), OVER + 60).verdict is DataVerdict.NO_ROWS
    assert world.objects[LEARNT] is written, "it is never learnt again"


def test_hashes_are_no_part_of_it_and_where_nothing_else_is_kept_it_says_so(world: RecordedWorld) -> None:
    recorded(world, 0)
    told = looked(world, an_evaluation(world, redact=["name", "age", "p", "score"]), OVER)
    assert told.verdict is DataVerdict.NO_REFERENCE
    assert told.message.startswith("No reference can be made: the first 2 days of loans-1 have no column that is kept")
    assert "name" not in {one.name for one in made(world, redact=["name"]).features}


def made(world: RecordedWorld, **log: Any) -> ReferenceProfile:
    looked(world, an_evaluation(world, **log), OVER)
    return ReferenceProfile.model_validate_json(world.objects[LEARNT])


def test_a_build_that_has_one_is_never_replaced(world: RecordedWorld) -> None:
    world.objects[build_profile(DIGEST)] = PROFILE.model_dump_json(by_alias=True).encode()
    recorded(world, 0)
    assert looked(world, an_evaluation(world), OVER).reference == "eval.npz of loans:1"
    assert LEARNT not in world.objects


def test_it_is_looked_for_now_and_then_and_a_spec_that_does_not_ask_gets_none(world: RecordedWorld) -> None:
    recorded(world, 0)
    evaluation = an_evaluation(world)
    looked(world, evaluation, OVER - 1)
    asked = world.asked["list"]
    looked(world, evaluation, OVER)
    assert world.asked["list"] == asked
    assert looked(world, evaluation, OVER - 1 + REFERENCE_MINUTES).reference == "the first 2 days of loans-1"
    del world.objects[LEARNT]
    told = looked(world, RevisionEvaluation(world, a_revision()), OVER)
    assert told.message.endswith("or write drift.reference: {firstDays: 7}, and its first days are.")
    assert LEARNT not in world.objects
