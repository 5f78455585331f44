"""`modelyard explain` says why there are so many replicas: who chooses, by what, and what it sees."""

from typing import Any

import pytest

from modelyard.cli.models.diagnosis import ClusterObjects, PathStep, Standing, replicas_step
from modelyard.cli.models.explained.autoscaling_view import seen_now
from tests.support.worlds.builders import a_model

DEPLOYMENT = "digits-1-predictor"
BY_REQUESTS = {
    "autoscaler": "KEDA", "reason": "ScaledByRequests", "message": "KEDA scales by what http://p counts.",
    "desiredReplicas": 3,
}  # fmt: skip


def external(name: str, part: str, value: str) -> dict[str, Any]:
    return {"type": "External", "external": {"metric": {"name": name}, part: {"averageValue": value}}}


def cpu(part: str, value: int) -> dict[str, Any]:
    resource = {"name": "cpu", "container": "kserve-container", part: {"averageUtilization": value}}
    return {"type": "ContainerResource", "containerResource": resource}


def an_autoscaler(metrics: list[Any], current: list[Any] | None, target: str = DEPLOYMENT) -> dict[str, Any]:
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": target}, "metrics": metrics}
    return {"kind": "HorizontalPodAutoscaler", "spec": spec, "status": {"currentMetrics": current}}


TWO = [external("s0-prometheus", "target", "90"), external("s1-prometheus", "target", "3")]


@pytest.mark.parametrize(
    ("thing", "sentence"),
    [
        (
            an_autoscaler(
                TWO, [external("s1-prometheus", "current", "0"), external("s0-prometheus", "current", "62500m")]
            ),
            " It sees 62.5 of 90 and 0 of 3 a replica.",
        ),
        (an_autoscaler(TWO, [external("s0-prometheus", "current", "100")]), " It sees 100 of 90 a replica."),
        (an_autoscaler([cpu("target", 75)], [cpu("current", 40)]), " It sees 40% of 75% a replica."),
        (an_autoscaler(TWO, [{"type": ""}]), ""),
        (an_autoscaler(TWO, None), ""),
        (an_autoscaler(TWO, [], "another"), ""),
        ({"kind": "Deployment", "spec": {}}, ""),
    ],
    ids=["KEDA", "one of two", "CPU", "nothing yet", "no status", "another's", "no autoscaler"],
)
def test_what_it_sees_stands_beside_what_it_aims_at(thing: dict[str, Any], sentence: str) -> None:
    assert seen_now([thing], DEPLOYMENT) == sentence


def step(**status: Any) -> list[PathStep]:
    scaling = status.pop("scaling", BY_REQUESTS)
    model = a_model(
        scaling={"minReplicas": 1, "maxReplicas": 6}, status={"revision": "digits-1", "scaling": scaling, **status}
    )
    return replicas_step(ClusterObjects(model, [an_autoscaler(TWO, [external("s0-prometheus", "current", "62500m")])]))


def test_the_step_says_how_many_by_what_and_what_is_seen() -> None:
    assert step() == [
        PathStep(
            "Replicas",
            Standing.GOOD,
            "3 of 1 to 6. KEDA scales by what http://p counts. It sees 62.5 of 90 a replica.",
        )
    ]


def test_a_rollout_that_keeps_more_is_named() -> None:
    rollout = {"phase": "Advancing", "stable": "digits-1", "candidate": "digits-2", "replicas": 4}

    assert "The rollout keeps at least 4." in step(rollout=rollout)[0].found
    assert "rollout" not in step(rollout={**rollout, "replicas": 1})[0].found


@pytest.mark.parametrize("reason", ["NoAutoscaler", "AutoscalerFails"])
def test_a_range_in_which_nobody_can_choose_needs_somebody(reason: str) -> None:
    [found] = step(scaling={**BY_REQUESTS, "reason": reason})

    assert found.verdict is Standing.BAD
    assert "modelyard doctor" in found.remedy


def test_without_a_range_there_is_no_such_step() -> None:
    assert replicas_step(ClusterObjects(a_model())) == []
    assert step(scaling=None) == []
