"""What of labelled answers goes into a status: little, whatever there is."""

from modelyard.api.monitoring.performance import PerformanceVerdict
from modelyard.core.monitoring.alarms import Alarm, Clock
from modelyard.core.monitoring.performance.decay import DECAY, DecayFinding, QualityQuestion
from modelyard.records.feedback.measures import Measure
from modelyard.records.feedback.performance import ModelQuality, RevisionQuality
from modelyard.records.feedback.performance_status import performance_status

NOTHING = ModelQuality([], 0, 0, 0, 0, 0, [])
ALARM = Alarm(Clock.DAY, DECAY, "wrong", 1, 29_000_000, 29_001_000, 29_001_000, 30, 100, 0.05)
ACCURACY = Measure("accuracy", 0.9123456789, 0.9, 0.92, 500)


def a_quality(name: str = "loans-1", learning: int = 0, **shares: int) -> RevisionQuality:
    """Of a revision whose slices, by name (`everything` is all answers), have so many wrong answers of a hundred."""
    decays = [
        DecayFinding(
            QualityQuestion("" if slice_name == "everything" else slice_name, "wrong", 50, 1000),
            ALARM._replace(hits=wrong) if wrong else None, 900, 90,
        )
        for slice_name, wrong in shares.items()
    ]  # fmt: skip
    slices = {"": [ACCURACY, Measure("auc", None, None, None, 8)]}
    return RevisionQuality(name, "p", "class", 500, slices, {}, decays, {}, learning)


def a_model(*revisions: RevisionQuality) -> ModelQuality:
    return NOTHING.__class__(revisions, 520, 0, 0, 0, 0, [])


def test_before_labels_come_nothing_is_claimed_and_labels_that_fit_nothing_are_told() -> None:
    status = performance_status(ModelQuality([], 5, 3, 2, 0, 0, ["age"]), "loans-1")
    assert (status.verdict, status.labels, status.measures) == (PerformanceVerdict.NO_LABELS, 0, [])
    assert status.message.startswith("3 labels are of rows that are not recorded. 2 labels fit no recorded answer")
    assert status.message.endswith("the column age of a slice: name it in spec.monitoring.log.columns.")
    assert performance_status(NOTHING, "loans-1").message == ""


def test_only_the_revision_that_was_asked_for_counts() -> None:
    found = a_model(a_quality("loans-2", everything=30), a_quality(everything=0))
    assert performance_status(found, "loans-1").verdict is PerformanceVerdict.KEPT
    assert performance_status(found, "loans-2").verdict is PerformanceVerdict.DECAYED
    assert performance_status(found, "loans-3").verdict is PerformanceVerdict.NO_LABELS


def test_measures_are_those_of_all_answers_and_unknown_ones_have_no_value() -> None:
    status = performance_status(a_model(a_quality(everything=0)), "loans-1")
    assert [one.model_dump(exclude_none=True) for one in status.measures] == [
        {"name": "accuracy", "output": "p", "labels": 500, "value": 0.9123, "low": 0.9, "high": 0.92},
        {"name": "auc", "output": "p", "labels": 8},
    ]
    assert (status.labels, status.decayed, status.worst) == (500, 0, [])


def test_while_the_reference_is_learnt_it_says_how_many_labels_are_needed() -> None:
    status = performance_status(a_model(a_quality(learning=44)), "loans-1")
    assert (status.verdict, status.learning) == (PerformanceVerdict.LEARNING, 44)


def test_the_worst_are_all_answers_and_then_what_has_gone_farthest_and_at_most_five() -> None:
    slices = {f"region={number}": 20 + number for number in range(9)}
    status = performance_status(a_model(a_quality(everything=15, **slices)), "loans-1")
    assert (status.verdict, status.decayed) == (PerformanceVerdict.DECAYED, 10)
    assert [one.slice for one in status.worst] == ["", "region=8", "region=7", "region=6", "region=5"]
    first = status.worst[0]
    assert (first.since, first.share, first.reference) == ("2025-02-19T21:20:00Z", 0.15, 0.05)
    assert first.message == "15% of the answers are wrong; of the reference 5%"
