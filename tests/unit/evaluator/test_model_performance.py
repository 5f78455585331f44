"""When a Model's labels are gone through, and what is said of them meanwhile."""

from typing import Any

import pytest

from modelyard.api.monitoring.comparison import LabelledComparison
from modelyard.api.monitoring.performance import PerformanceVerdict
from modelyard.api.monitoring.spec import Monitoring
from modelyard.core.storage.monitoring_keys import comparison_key, quality_key, status_key
from modelyard.errors import Unreachable
from modelyard.evaluator.model_performance import HOURLY_MINUTES, REST, SETTLING_MINUTES, ModelPerformance
from modelyard.evaluator.recorded_models import RecordedRevision
from modelyard.records.feedback.compared import LabelledTrial
from tests.support.recording.labelled_world import DIGEST, NOW, LabelledWorld
from tests.unit.evaluator.test_evaluator import Running


def a_revision(name: str = "loans-1", **feedback: Any) -> RecordedRevision:
    monitoring = Monitoring.model_validate({"sample": "auto", "log": {"columns": ["*"]}, "feedback": feedback})
    return RecordedRevision("demo", "loans", name, DIGEST, monitoring)


class Judged:
    """Labelled answers of loans-1, and what is known of them; a clock that going through them does not move."""

    def __init__(self) -> None:
        self.world, self.seconds, self.minute = LabelledWorld(), 0.0, NOW
        self.performance = ModelPerformance(self.world.bucket, "demo", "loans", lambda: self.seconds)
        self.revisions = [a_revision()]

    def step(self, minutes: int = 0) -> bool:
        self.minute += minutes
        return self.performance.step(self.revisions, self.minute * 60.0)

    @property
    def verdict(self) -> PerformanceVerdict | None:
        status = self.performance.of("loans-1")
        return status.verdict if status else None


@pytest.fixture
def judged() -> Judged:
    return Judged()


def test_what_is_found_is_said_and_the_learnt_reference_kept(judged: Judged) -> None:
    assert judged.verdict is None
    for hour in range(9):
        judged.world.hour(hour, 0.1)
    assert judged.step()
    assert judged.verdict is PerformanceVerdict.KEPT
    assert quality_key("demo", "loans", "loans-1", "p") in judged.world.bucket.objects
    for hour in range(48, 60):
        judged.world.hour(hour, 0.5)
    assert judged.step(2)
    assert judged.verdict is PerformanceVerdict.DECAYED


def test_labels_are_looked_for_every_other_minute_and_gone_through_when_some_came_or_an_hour_is_over(
    judged: Judged,
) -> None:
    judged.world.hour(0, 0.1)
    asked = judged.world.bucket.asked
    assert [judged.step(), judged.step(1)] == [True, False]
    assert asked["list"] == 4, "labels twice, rows once, builds' rows of the last day once"
    while judged.minute < NOW + SETTLING_MINUTES - 1:
        assert judged.step(2), "rows may come after their labels"
    assert [judged.step(2) for _ in range(3)] == [False] * 3
    judged.world.hour(1, 0.1)
    assert judged.step(2)
    waits = (SETTLING_MINUTES + 1, HOURLY_MINUTES - SETTLING_MINUTES - 2, 2)
    assert [judged.step(minutes) for minutes in waits] == [False, False, True]


def test_going_through_rests_as_long_as_it_is_dear(judged: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    judged.world.hour(0, 0.1)
    get = judged.world.bucket.get

    def slow(key: str) -> bytes | None:
        judged.seconds += 10.0
        return get(key)

    monkeypatch.setattr(judged.world.bucket, "get", slow)
    judged.step()
    took = judged.seconds
    assert took > 0
    judged.seconds += REST * took - 1
    assert not judged.step(2)
    judged.seconds += 2
    assert judged.step(2)


def test_a_store_that_is_away_takes_nothing_back_and_is_asked_again(judged: Judged) -> None:
    judged.world.hour(0, 0.1)
    judged.step()
    judged.world.bucket.away = True
    with pytest.raises(Unreachable):
        judged.step(2)
    assert not judged.step(1)
    assert judged.verdict is PerformanceVerdict.LEARNING
    judged.world.bucket.away = False
    assert judged.step(2)


def test_a_new_revision_or_another_spec_is_gone_through_at_once(judged: Judged) -> None:
    judged.world.hour(0, 0.1)
    judged.step()
    judged.revisions = [a_revision(slices=["sex"]), a_revision("loans-2", slices=["sex"])]
    assert judged.step()
    status = judged.performance.of("loans-2")
    assert status is not None
    assert status.verdict is PerformanceVerdict.NO_LABELS


def test_a_candidate_is_written_beside_its_stable_as_long_as_it_is_tried(judged: Judged) -> None:
    trial = LabelledTrial("loans-1", "loans-2", "2026-11-20T00:00:00Z")
    judged.world.hour(0, 0.0)
    judged.world.hour(0, 1.0, rows=30, revision="loans-2")
    key = comparison_key("demo", "loans", "loans-2")
    judged.step()
    assert key not in judged.world.bucket.objects
    judged.revisions = [a_revision(), a_revision("loans-2")._replace(trial=trial)]
    assert judged.step()
    found = LabelledComparison.model_validate_json(judged.world.bucket.objects[key])
    assert (found.stable, found.candidate, found.since, found.output) == (*trial, "p")
    assert (found.requests, found.wrong, found.stable_requests, found.stable_wrong) == (30, 30, 60, 0)
    assert len(found.units) == 30
    assert judged.step(HOURLY_MINUTES)
    later = LabelledComparison.model_validate_json(judged.world.bucket.objects[key])
    assert later.time > found.time, "that nothing came is said, too"


def test_models_without_feedback_are_refused(judged: Judged) -> None:
    judged.revisions = [a_revision()._replace(monitoring=Monitoring())]
    with pytest.raises(ValueError, match=r"spec\.monitoring\.feedback"):
        judged.step()


def test_the_evaluator_writes_it_beside_what_it_says_of_rows_and_without_a_reference_too() -> None:
    world = LabelledWorld()
    running = Running(world.bucket, a_revision(), a_revision("loans-2"))  # pyright: ignore[reportArgumentType]
    running.minute = NOW
    running.look()
    written = world.bucket.objects[status_key("demo", "loans", "loans-1")]
    assert b'"verdict":"NoLabels"' in written
    assert b'"verdict":"NoReference"' in written
    for hour in range(2):
        world.hour(hour, 0.1)
    running.look(2)
    written = world.bucket.objects[status_key("demo", "loans", "loans-1")]
    assert b'"verdict":"LearningReference","labels":120,"learning":380' in written
    world.bucket.away = True
    running.look(3)
    assert running.metric("evaluator_failures_total") != []
    running.revisions = [a_revision()._replace(monitoring=Monitoring.model_validate({"sample": "auto"}))]
    world.bucket.away = False
    running.look()
    assert b"performance" not in world.bucket.objects[status_key("demo", "loans", "loans-1")]
