"""What calls for a new version."""

from typing import Any

import pytest

from modelyard.api.lifecycle.retrain import Retrain
from modelyard.api.model import Model
from modelyard.core.conditions import timestamp
from modelyard.core.retraining.called_for import CalledFor, called_for, served_since

NOW = 1_800_000_000.0
DAY = 86_400.0
RETRAIN = {"when": ["decay", "drift", "age"], "maxAge": "10d", "webhook": {"url": "https://trainer.example.com"}}
DECAYED = {
    "verdict": "PerformanceDecayed", "labels": 900, "decayed": 1,
    "worst": [
        {"output": "y", "since": "2027-01-02T00:00:00Z", "message": "30% are wrong", "share": 0.3, "reference": 0.1}
    ],
}  # fmt: skip
DRIFTED = {
    "verdict": "DriftDetected", "drifted": 1,
    "worst": [{"name": "age", "kind": "shape", "since": "2027-01-01T00:00:00Z", "message": "moved", "shift": 0.2}],
}  # fmt: skip


def a_model(history: tuple[dict[str, Any], ...] = (), **monitoring: Any) -> Model:
    """Version 3 has served for a day."""
    revision = {
        "name": "digits-3", "slot": "a", "digest": "sha256:1", "version": "3", "runtime": "r", "stage": "Serving",
        "weight": 100, "stageStartTime": timestamp(NOW - DAY),
    }  # fmt: skip
    told = {"revision": "digits-3", "time": timestamp(NOW), **monitoring}
    status = {"revisions": [revision], "monitoring": told, "rollout": {"history": list(history)}}
    spec = {
        "source": {"name": "digits", "alias": "challenger"}, "retrain": RETRAIN,
        "monitoring": {"sample": "auto", "log": {"columns": ["*"]}, "feedback": {}},
    }  # fmt: skip
    return Model.model_validate({"metadata": {"name": "digits", "namespace": "demo"}, "spec": spec, "status": status})


def promoted(version: str, days_ago: float, outcome: str = "Promoted") -> dict[str, Any]:
    return {
        "revision": f"digits-{version}", "version": version, "strategy": "Canary", "outcome": outcome,
        "reason": "Passed", "message": "", "endTime": timestamp(NOW - days_ago * DAY),
    }  # fmt: skip


def called(model: Model, **retrain: Any) -> CalledFor:
    return called_for(model, Retrain.model_validate({**RETRAIN, **retrain}), model.status.revisions[0], NOW)


def test_nothing_calls_where_nothing_is_known() -> None:
    nothing = called(a_model())
    assert (nothing.causes, nothing.evidence, nothing.since, nothing.labels, nothing.broken) == ((), "", "", 0, False)


def test_every_cause_is_told_with_what_was_seen_and_since_when_answers_are_worse() -> None:
    found = called(a_model((promoted("3", 11.0),), performance=DECAYED, data=DRIFTED))
    assert (found.causes, found.labels, found.since) == (("decay", "drift", "age"), 900, "2027-01-02T00:00:00Z")
    assert found.evidence == (
        "Labelled answers are worse than the reference (all answers: 30% are wrong). Rows are no longer like the "
        "reference (age: moved). Version 3 has served for 10d."
    )


def test_only_causes_of_the_spec_count() -> None:
    found = called(a_model(performance=DECAYED, data=DRIFTED), when=["drift"], maxAge=None)
    assert (found.causes, found.since) == (("drift",), "2027-01-01T00:00:00Z")


def test_alarms_without_their_worst_are_alarms() -> None:
    bare = a_model(performance={"verdict": "PerformanceDecayed"}, data={"verdict": "DriftDetected"})
    found = called(bare)
    assert (found.causes, found.since) == (("decay", "drift"), "")
    assert found.evidence.count("see status.monitoring") == 2


@pytest.mark.parametrize("data", [{"verdict": "DataBroken", "drifted": 3}, {"verdict": "AsReference"}])
def test_broken_rows_are_no_drift(data: dict[str, Any]) -> None:
    found = called(a_model(data=data))
    assert (found.causes, found.broken) == ((), data["verdict"] == "DataBroken")


def test_words_about_another_revision_do_not_count() -> None:
    model = a_model(performance=DECAYED)
    other = model.status.revisions[0].model_copy(update={"name": "digits-4"})
    assert called_for(model, Retrain.model_validate(RETRAIN), other, NOW).causes == ()


@pytest.mark.parametrize(
    ("history", "days"),
    [
        ((), 1.0),
        ((promoted("3", 5.0),), 5.0),
        ((promoted("3", 5.0), promoted("3", 9.0)), 9.0),
        ((promoted("4", 0.5, "Aborted"), promoted("3", 5.0)), 5.0),
        ((promoted("3", 5.0), promoted("2", 8.0), promoted("3", 20.0)), 5.0),
    ],
    ids=["first", "promoted", "another-revision-of-it", "after-an-aborted", "after-going-back"],
)
def test_a_version_is_as_old_as_the_rollout_that_brought_it(history: tuple[dict[str, Any], ...], days: float) -> None:
    model = a_model(history)
    assert NOW - served_since(model, model.status.revisions[0]) == pytest.approx(days * DAY)


def test_a_model_without_a_rollout_has_its_age_from_its_stage() -> None:
    model = a_model()
    bare = model.model_copy(update={"status": model.status.model_copy(update={"rollout": None})})
    assert NOW - served_since(bare, bare.status.revisions[0]) == pytest.approx(DAY)
