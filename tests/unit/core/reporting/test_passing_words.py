"""What may pass in a moment has to stand before it is written; a fact never waits."""

import pytest

from modelyard.api.rollout_status import Phase, RolloutStatus
from modelyard.api.status import Condition, ModelStatus
from modelyard.core.conditions import timestamp
from modelyard.core.reporting.passing_words import STANDS, seconds_to_stand

NOW = 1_800_000_000.0


def condition(kind: str, status: str = "False", reason: str = "Starting", message: str = "It starts.") -> Condition:
    return Condition.model_validate(
        {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": timestamp(NOW)}
    )


def a_status(*conditions: Condition, begun: str = timestamp(NOW), **fields: object) -> ModelStatus:
    rollout = RolloutStatus(phase=Phase.STARTING, phase_start_time=begun)
    return ModelStatus.model_validate({"conditions": list(conditions), "rollout": rollout, **fields})


READY, ROUTED = condition("Ready"), condition("Routed", reason="Publishing", message="Service a is not there.")
BEFORE = a_status(READY, ROUTED)


def wait(new: ModelStatus, old: ModelStatus = BEFORE, now: float = NOW + 1) -> float | None:
    return seconds_to_stand(old, new, now)


@pytest.mark.parametrize(
    "new",
    [
        a_status(READY, condition("Routed", reason="Publishing", message="Route a waits for the gateway.")),
        a_status(READY, condition("Routed", "True", "Accepted", "The gateway carries all routes.")),
        a_status(condition("Ready", message="It starts, still."), ROUTED),
        a_status(READY, ROUTED, replicas=1),
        a_status(READY, ROUTED, url="http://a", path_url="http://b/a", grpc="a:80"),
    ],
)
def test_sentences_about_what_is_waited_for_stand_first(new: ModelStatus) -> None:
    assert wait(new) == STANDS - 1
    assert wait(new, now=NOW + STANDS) is None


@pytest.mark.parametrize(
    "new",
    [
        a_status(condition("Ready", "True", "Serving"), ROUTED),
        a_status(READY, condition("Routed", reason="NotAccepted", message="The gateway says no.")),
        a_status(READY, ROUTED, condition("Serving")),
        a_status(READY),
        a_status(READY, condition("Serving", reason="Publishing")),
        a_status(READY, ROUTED, observed_generation=2),
        a_status(READY, ROUTED, requested_replicas=3),
        a_status(READY, ROUTED, traffic="100%"),
        a_status(READY, ROUTED, begun=timestamp(NOW - 1)),
    ],
)
def test_facts_are_written_at_once(new: ModelStatus) -> None:
    assert wait(new) is None


def test_that_harm_is_over_is_written_at_once() -> None:
    refused = condition("Routed", reason="NotAccepted", message="The gateway says no.")

    assert wait(BEFORE, a_status(READY, refused)) is None
    assert wait(a_status(READY, ROUTED, replicas=1), a_status(READY, refused)) is None


def test_without_a_rollout_nothing_waits() -> None:
    bare = ModelStatus(conditions=[READY, ROUTED])

    assert wait(bare.model_copy(update={"replicas": 1}), bare) is None
    assert wait(a_status(READY, ROUTED, begun="", replicas=1), a_status(READY, ROUTED, begun="")) is None
