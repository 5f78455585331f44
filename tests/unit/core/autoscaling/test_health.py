"""What an autoscaler's conditions say against it, and when that counts."""

from typing import Any

import pytest

from modelyard.core.autoscaling.health import GRACE, complaint
from modelyard.core.conditions import timestamp

NOW = 1_800_000_000.0
CONFLICT = (
    "failed to update ScaledObject with scaledObjectName label: Operation cannot be fulfilled on scaledobjects.keda.sh "
    '"digits-1-predictor": the object has been modified; please apply your changes to the latest version and try again'
)


def an_autoscaler(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "digits-1-predictor"}, "status": {"conditions": list(conditions)}}


def condition(kind: str, status: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "status": status, **more}


@pytest.mark.parametrize(
    "autoscaler",
    [
        {"metadata": {"name": "new"}},
        an_autoscaler(),
        an_autoscaler(condition("Ready", "True"), condition("Paused", "False"), condition("Active", "False")),
        an_autoscaler(condition("Ready", "Unknown")),
        an_autoscaler(condition("Ready", "False", message=CONFLICT)),
        an_autoscaler(condition("ScalingActive", "True")),
        an_autoscaler(condition("ScalingActive", "False", reason="ScalingDisabled")),
    ],
    ids=["new", "without conditions", "KEDA's", "partly", "written by others meanwhile", "works", "at zero"],
)
def test_one_that_works_or_has_said_nothing_yet_complains_of_nothing(autoscaler: dict[str, Any]) -> None:
    assert complaint(autoscaler, NOW) is None


def test_keda_that_cannot_ask_counts_at_once_in_its_own_words() -> None:
    said = complaint(an_autoscaler(condition("Ready", "False", message="Triggers are not working.")), NOW)

    assert said == ("AutoscalerFails", "KEDA cannot tell, so the replicas stay: Triggers are not working.", 0.0)


@pytest.mark.parametrize(("age", "wait"), [(0.0, GRACE), (GRACE - 1, 1.0), (GRACE, 0.0), (GRACE + 60, 0.0)])
def test_pods_that_have_just_started_have_no_metrics_and_that_is_waited_for(age: float, wait: float) -> None:
    since = timestamp(NOW - age)
    failing = condition("ScalingActive", "False", reason="FailedGetContainerResourceMetric", lastTransitionTime=since)

    said = complaint(an_autoscaler(failing), NOW)

    assert said is not None
    assert said.wait == pytest.approx(wait)
    assert said.message.endswith("cannot tell, so the replicas stay: FailedGetContainerResourceMetric.")


def test_one_that_does_not_say_since_when_counts_at_once() -> None:
    said = complaint(an_autoscaler(condition("ScalingActive", "False")), NOW)

    assert said is not None
    assert (said.reason, said.wait) == ("AutoscalerFails", 0.0)
    assert said.message.endswith("it does not say why.")


def test_a_paused_one_is_no_harm() -> None:
    said = complaint(an_autoscaler(condition("Paused", "True"), condition("Ready", "False")), NOW)

    assert said is not None
    assert said.reason == "AutoscalerPaused"
