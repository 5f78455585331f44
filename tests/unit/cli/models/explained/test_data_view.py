"""`explain` tells of the rows that a Model is asked with, last of all."""

import pytest

from modelyard.cli.models.explained.data_view import data_steps, remedy
from modelyard.cli.models.explained.path_step import PathStep, Standing
from tests.unit.cli.models.test_diagnosis import a_model, condition


def step(status: str, reason: str) -> PathStep:
    [found] = data_steps(a_model(condition("DataHealthy", status, reason, "So it is.")))
    return found


@pytest.mark.parametrize(
    ("status", "reason", "standing", "remedy"),
    [
        ("True", "AsReference", Standing.GOOD, ""),
        ("Unknown", "NotEvaluated", Standing.WAITING, ""),
        ("False", "DataBroken", Standing.BAD, "modelyard drift digits -n demo"),
        ("False", "DriftDetected", Standing.BAD, "modelyard drift digits -n demo"),
        ("Unknown", "NoRecorder", Standing.BAD, "helm upgrade"),
        ("Unknown", "NoReference", Standing.BAD, "--reference FILE"),
        ("Unknown", "EvaluationStopped", Standing.BAD, "`modelyard drift digits -n demo` reckons here"),
    ],
)
def test_what_the_condition_says_is_a_step(status: str, reason: str, standing: Standing, remedy: str) -> None:
    found = step(status, reason)
    assert (found.subject, found.verdict, found.found) == ("Data", standing, "So it is.")
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("status", "reason", "standing", "remedy"),
    [
        ("True", "PerformanceKept", Standing.GOOD, ""),
        ("Unknown", "NoLabels", Standing.WAITING, ""),
        ("False", "PerformanceDecayed", Standing.BAD, "modelyard quality digits -n demo"),
    ],
)
def test_answers_that_labels_tell_of_are_a_step_of_their_own(
    status: str, reason: str, standing: Standing, remedy: str
) -> None:
    [found] = data_steps(a_model(condition("PerformanceHealthy", status, reason, "So it is.")))
    assert (found.subject, found.verdict, found.remedy) == ("Performance", standing, remedy)


def test_a_word_of_another_version_has_no_remedy() -> None:
    assert remedy(a_model(), "Poisoned") == ""


def test_a_model_that_is_not_recorded_has_no_such_step() -> None:
    assert data_steps(a_model()) == []
