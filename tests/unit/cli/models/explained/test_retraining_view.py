"""`explain` and `get` tell of retraining."""

from typing import Any

import pytest

from modelyard.api.model import Model
from modelyard.cli.models.explained.path_step import Standing
from modelyard.cli.models.explained.retraining_view import retraining_steps, retraining_word

RUN = {
    "id": "1", "causes": ["decay"], "revision": "r", "version": "1", "startTime": "2027-01-15T08:00:00Z",
    "endTime": "2027-01-15T09:00:00Z", "message": "So it ended.",
}  # fmt: skip


def a_model(state: str = "", reason: str = "", outcome: str = "") -> Model:
    status: dict[str, Any] = {}
    if state:
        status["retraining"] = {"state": state, "reason": reason, "message": "So it stands.", "since": ""}
    if outcome:
        status["retraining"]["last"] = {**RUN, "outcome": outcome}
    metadata, spec = {"name": "loans", "namespace": "demo"}, {"source": {"name": "loans", "version": "1"}}
    return Model.model_validate({"metadata": metadata, "spec": spec, "status": status})


def test_a_model_that_is_not_retrained_has_no_such_step() -> None:
    assert (retraining_steps(a_model()), retraining_word(a_model())) == ([], "")


@pytest.mark.parametrize(
    ("state", "reason", "standing", "remedy"),
    [
        ("Idle", "NotCalledFor", Standing.GOOD, ""),
        ("Off", "SwitchedOff", Standing.GOOD, ""),
        ("Running", "Training", Standing.WAITING, ""),
        ("Waiting", "FewLabels", Standing.WAITING, ""),
        ("Waiting", "OverBudget", Standing.BAD, "raise retrain.budget"),
        ("Waiting", "TrainingOff", Standing.BAD, "config.build.trainImage"),
        ("Waiting", "DataBroken", Standing.BAD, "modelyard drift loans -n demo"),
    ],
)
def test_where_it_stands_is_a_step(state: str, reason: str, standing: Standing, remedy: str) -> None:
    [step] = retraining_steps(a_model(state, reason))
    assert (step.subject, step.verdict, step.found) == ("Retraining", standing, "So it stands.")
    assert remedy in step.remedy


@pytest.mark.parametrize(
    ("state", "outcome", "standing"),
    [
        ("Idle", "Pushed", Standing.GOOD),
        ("Idle", "Failed", Standing.GOOD),
        ("Waiting", "Pushed", Standing.GOOD),
        ("Waiting", "Failed", Standing.BAD),
        ("Waiting", "Refused", Standing.BAD),
    ],
)
def test_how_the_last_one_ended_is_another(state: str, outcome: str, standing: Standing) -> None:
    _, step = retraining_steps(a_model(state, "TooSoon" if state == "Waiting" else "NotCalledFor", outcome))
    assert (step.subject, step.verdict) == ("Last retraining", standing)
    assert step.found == f"{outcome} at 2027-01-15T09:00:00Z: So it ended."
    assert bool(step.remedy) is (standing is Standing.BAD)


def test_one_under_way_is_a_word_in_the_list() -> None:
    assert retraining_word(a_model("Running", "Training")) == "retraining"
    assert retraining_word(a_model("Waiting", "TooSoon")) == ""
