"""What a status says of a Model's answers, as far as labels came."""

from typing import Any

from modelyard.api.monitoring.performance import (
    DecayedSlice,
    MeasuredPerformance,
    PerformanceStatus,
    PerformanceVerdict,
)
from modelyard.api.monitoring.status import DataStatus, DataVerdict, MonitoringStatus
from modelyard.core.conditions import timestamp
from modelyard.core.reporting.monitoring import STALE_SECONDS
from tests.support.worlds.world import World
from tests.unit.core.reporting.test_monitoring import a_recorded_world

LABELLED = {"monitoring": {"sample": "100%", "log": {"columns": ["*"]}, "feedback": {}}}
HEALTHY = "PerformanceHealthy"


def judged(world: World, verdict: PerformanceVerdict = PerformanceVerdict.KEPT, **fields: Any) -> None:
    """The evaluator has written, and the operator looks."""
    world.monitoring = MonitoringStatus(
        revision=world.status.revision,
        time=timestamp(world.now),
        data=DataStatus(verdict=DataVerdict.AS_REFERENCE, reference="eval.npz", features=30),
        performance=PerformanceStatus.model_validate({"verdict": verdict, "labels": 600, **fields}),
    )
    world.look()


def decayed(name: str = "") -> DecayedSlice:
    return DecayedSlice(
        slice=name, output="p", since="2026-11-29T10:00:00Z", share=0.3, reference=0.05,
        message="30% of the answers are wrong; of the reference 5%",
    )  # fmt: skip


def test_where_no_labels_are_taken_nothing_is_told() -> None:
    assert a_recorded_world().condition(HEALTHY) == ("", "")


def test_before_the_first_word_and_without_labels_nothing_is_claimed() -> None:
    world = a_recorded_world(**LABELLED)
    assert world.condition(HEALTHY) == ("Unknown", "NotEvaluated")
    judged(world, PerformanceVerdict.NO_LABELS, message="3 labels are of rows that are not recorded.")
    assert world.condition(HEALTHY) == ("Unknown", "NoLabels")
    assert world.message(HEALTHY).endswith("came in the last 30 days. 3 labels are of rows that are not recorded.")
    judged(world, PerformanceVerdict.LEARNING, learning=44)
    assert world.condition(HEALTHY) == ("Unknown", "LearningReference")
    assert world.message(HEALTHY).startswith("44 labels more of revision ")
    assert world.said == []


def test_answers_as_right_as_promised_are_told_with_their_measures() -> None:
    world = a_recorded_world(**LABELLED)
    measure = MeasuredPerformance(name="accuracy", output="p", labels=600, value=0.91)
    unknown = MeasuredPerformance(name="auc", output="p", labels=4)
    judged(world, measures=[measure, unknown])
    assert world.condition(HEALTHY) == ("True", "PerformanceKept")
    assert ": accuracy 0.91, no decay." in world.message(HEALTHY)
    assert (world.said, world.decide().empty) == ([], True)
    judged(world, measures=[unknown], message="7 labels came again.")
    assert world.message(HEALTHY).endswith(": no measure, no decay. 7 labels came again.")


def test_decay_is_told_once_and_its_end_too() -> None:
    world = a_recorded_world(**LABELLED)
    judged(world)
    judged(world, PerformanceVerdict.DECAYED, decayed=3, worst=[decayed(), decayed("sex=f"), decayed("sex=m")])
    assert world.condition(HEALTHY) == ("False", "PerformanceDecayed")
    assert world.message(HEALTHY) == (
        "Answers are worse than the reference: all answers since 2026-11-29T10:00:00Z: 30% of the answers are wrong; "
        "of the reference 5%; sex=f since 2026-11-29T10:00:00Z: 30% of the answers are wrong; of the reference 5%; "
        "and 1 more. `modelyard quality digits` shows all of it."
    )
    assert world.condition("Ready") == ("True", "Serving")
    assert world.condition("DataHealthy") == ("True", "AsReference")
    judged(world, PerformanceVerdict.DECAYED, decayed=1, worst=[decayed()])
    assert world.said == [("Warning", "PerformanceDecayed")]
    judged(world)
    assert world.said == [("Warning", "PerformanceDecayed"), ("Normal", "PerformanceKept")]


def test_numbers_alone_are_written_once_an_hour() -> None:
    world = a_recorded_world(**LABELLED)
    judged(world)
    judged(world, labels=700)
    assert world.status.monitoring is not None
    assert world.status.monitoring.performance is not None
    assert world.status.monitoring.performance.labels == 600


def test_an_evaluator_that_is_silent_is_told_in_both_conditions_and_by_one_event() -> None:
    world = a_recorded_world(**LABELLED)
    judged(world)
    world.now += STALE_SECONDS + 1
    world.look()
    assert world.condition(HEALTHY) == world.condition("DataHealthy") == ("Unknown", "EvaluationStopped")
    assert world.said == [("Warning", "EvaluationStopped")]


def test_a_word_of_an_evaluator_that_knows_no_labels_claims_nothing() -> None:
    world = a_recorded_world(**LABELLED)
    world.monitoring = MonitoringStatus(revision=world.status.revision, time=timestamp(world.now))
    world.look()
    assert world.condition(HEALTHY) == ("Unknown", "NotEvaluated")
