"""`explain` tells of an optimization apart from the build: how far it is, what it gave, or why it failed."""

from typing import Any

import pytest

from modelyard.cli.models.diagnosis import PathStep, Standing, diagnose
from modelyard.core.names import BUILD_LABEL
from tests.unit.cli.models.test_diagnosis import DIGEST, REACHED, SETTINGS, a_model, condition, facts, pod

OPTIMIZED = "sha256:" + "cd" * 32
TRIED = "Job modelyard-system/optimize-cdcdcdcdcdcdcdcd tries variants: 4 of 9; the plain artifact serves meanwhile."
CHOSE = "The artifact of digits version 1 is in the store, optimized as openvino-int8: 3.1x faster."
WAITS = {"reason": "Unschedulable", "type": "PodScheduled", "message": "0/1 nodes: memory."}


def stations(built: dict[str, Any], build: str = DIGEST, *pods: dict[str, Any], **known: Any) -> dict[str, PathStep]:
    """The steps of a Model whose condition Built and status.optimization are these, by station."""
    model = a_model(REACHED[0], built)
    status = model.status.model_dump(by_alias=True, mode="json")
    status |= {"build": {"digest": build}, "optimization": {"digest": OPTIMIZED, **known}}
    told = type(model).model_validate({**model.model_dump(by_alias=True, mode="json"), "status": status})
    return {step.subject: step for step in diagnose(facts(told, *pods), SETTINGS)}


def test_while_variants_are_tried_the_build_is_done_and_the_optimization_is_waited_for() -> None:
    steps = stations(condition("Built", "False", "Optimizing", TRIED), message=TRIED, summary="4/9")

    assert (steps["Build"].verdict, steps["Optimization"].verdict) == (Standing.GOOD, Standing.WAITING)
    assert steps["Optimization"].found == TRIED
    assert steps["Optimization"].remedy == "kubectl -n modelyard-system logs job/optimize-cdcdcdcdcdcdcdcd"


def test_a_pod_no_node_takes_is_what_to_begin_with() -> None:
    built = condition("Built", "False", "Optimizing", TRIED)
    steps = stations(built, DIGEST, pod(label=BUILD_LABEL, value="cd" * 8, conditions=[WAITS]), message=TRIED)

    assert steps["Optimization"].verdict is Standing.BAD
    assert "No node can take pod" in steps["Optimization"].found


def test_what_was_chosen_is_told_once() -> None:
    steps = stations(condition("Built", "True", "Published", CHOSE), OPTIMIZED, message=CHOSE, variant="openvino-int8")

    assert "Build" not in steps
    assert (steps["Optimization"].verdict, steps["Optimization"].found) == (Standing.GOOD, CHOSE)


@pytest.mark.parametrize(
    ("reason", "failure", "remedy"),
    [("BudgetTooSmall", "Too little.", "logs job/optimize-"), ("Unreachable", "", "tried again by itself")],
)
def test_a_failure_is_told_with_what_to_do(reason: str, failure: str, remedy: str) -> None:
    steps = stations(condition("Built", "False", reason, "Too little."), message="Too little.", failure=failure)

    assert steps["Build"].verdict is Standing.GOOD
    assert steps["Optimization"].verdict is Standing.BAD
    assert remedy in steps["Optimization"].remedy


def test_an_optimization_that_has_not_begun_waits_and_leaves_the_build_its_own_words() -> None:
    built = condition("Built", "False", "Building", "Job x builds the artifact.")
    steps = stations(built, message="Variants are tried once the plain artifact is in the store.")

    assert steps["Build"].found == "Job x builds the artifact."
    assert (steps["Optimization"].verdict, steps["Optimization"].remedy) == (Standing.WAITING, "")


def test_with_wait_a_failed_optimization_is_the_failed_build() -> None:
    built = condition("Built", "False", "BudgetTooSmall", "Too little.")
    steps = stations(built, OPTIMIZED, message="Too little.", failure="Too little.")

    assert "Build" not in steps
    assert steps["Optimization"].verdict is Standing.BAD


def test_an_optimization_that_is_tried_again_says_so() -> None:
    waits = {"message": TRIED, "attempts": 2, "next_attempt_time": "2026-01-01T00:02:00Z"}
    steps = stations(condition("Built", "False", "Crashed", TRIED), **waits)

    assert steps["Optimization"].verdict is Standing.BAD
    assert steps["Optimization"].remedy.startswith("it is tried again by itself; to look closer: kubectl")
