"""One Event for one fact, whichever part of a status tells of it."""

from modelyard.api.rollout_status import Phase, RolloutStatus
from modelyard.api.status import ModelStatus
from modelyard.core.conditions import ConditionUpdate, merge
from modelyard.core.reporting.events import told

BUILDING = ConditionUpdate(False, "Building", "Job a builds the artifact.")
OPTIMIZING = ConditionUpdate(False, "Optimizing", "4 of 9 variants were tried.")
PUBLISHED = ConditionUpdate(True, "Published", "The artifact is in the store.")
ANSWERING = ConditionUpdate(True, "Answering", "Revision a holds the traffic.")
STARTS = "Revision b is starting."


def a_status(built: ConditionUpdate, serving: ConditionUpdate, phase: Phase = Phase.BUILDING) -> ModelStatus:
    rollout = RolloutStatus(phase=phase, reason=phase.value, message=STARTS, candidate="b", stable="a")
    return ModelStatus(conditions=merge((), {"Built": built, "Serving": serving}, 1, 0), rollout=rollout)


def reasons(before: ModelStatus, now: ModelStatus) -> list[str]:
    return [event.reason for event in told(before, now)]


def test_the_revision_that_starts_tells_that_its_build_is_there() -> None:
    starting = ConditionUpdate(False, "Starting", STARTS)
    none = ConditionUpdate(False, "NoRevision", "None yet.")

    assert reasons(a_status(BUILDING, none), a_status(PUBLISHED, starting, Phase.STARTING)) == ["Starting"]
    assert reasons(a_status(BUILDING, ANSWERING), a_status(PUBLISHED, ANSWERING, Phase.STARTING)) == ["RolloutStarting"]


def test_a_build_without_a_start_is_told() -> None:
    assert reasons(a_status(BUILDING, ANSWERING), a_status(PUBLISHED, ANSWERING)) == ["Published"]


def test_what_an_optimization_gave_is_told_beside_the_start() -> None:
    before, now = a_status(OPTIMIZING, ANSWERING), a_status(PUBLISHED, ANSWERING, Phase.STARTING)

    assert reasons(before, now) == ["Published", "RolloutStarting"]


def test_a_status_without_a_rollout_tells_of_its_conditions() -> None:
    now = a_status(BUILDING, ANSWERING).model_copy(update={"rollout": None})

    assert reasons(ModelStatus(), now) == ["Building"]
