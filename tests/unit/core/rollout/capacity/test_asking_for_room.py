"""Nodes and pods are asked for only while a rollout may begin a step, and of the runtime that its pods will have."""

from typing import Any

import pytest

from modelyard.api.model import Model
from modelyard.api.rollout_status import GateVerdict
from modelyard.core.artifacts.resolve import candidate_runtime
from modelyard.core.rollout.capacity.step_room import asks_for_room
from tests.support.worlds.builders import a_model, settings


def rolled(phase: str, spec: dict[str, Any] | None = None, **more: Any) -> Model:
    rollout = {"phase": phase, "stable": "digits-1", **more}
    return a_model(rollout={"strategy": "Canary", **(spec or {})}, status={"rollout": rollout})


PASS = {"gates": [{"name": "errors", "verdict": GateVerdict.PASS}]}
PROMOTE = {"command": {"id": "1", "action": "promote"}}


@pytest.mark.parametrize(
    ("model", "asks"),
    [
        (a_model(), False),
        (rolled("Idle"), False),
        (rolled("Aborting", **PASS), False),
        (rolled("Starting", stable=""), False),
        (rolled("Building"), True),
        (rolled("Starting"), True),
        (rolled("Advancing"), False),
        (rolled("Advancing", gates=[{"name": "errors", "verdict": GateVerdict.CONTINUE}]), False),
        (rolled("Advancing", **PASS), True),
        (rolled("Holding", held="Advancing", reason="InsufficientCapacity"), True),
        (rolled("Advancing", PROMOTE), True),
        (rolled("Advancing", PROMOTE, handledCommands=["1"]), False),
        (rolled("Advancing", {"onInconclusive": "Promote"}), True),
    ],
)
def test_only_a_rollout_that_may_begin_a_step_asks(model: Model, asks: bool) -> None:
    assert asks_for_room(model) is asks


def test_the_runtime_is_that_of_the_candidate_or_of_the_next_one() -> None:
    begun = {
        "name": "digits-2", "slot": "b", "digest": "sha256:2", "version": "2", "runtime": "older", "stage": "Starting",
    }  # fmt: skip
    tried = a_model(status={"revisions": [begun], "rollout": {"phase": "Starting", "candidate": "digits-2"}})

    assert candidate_runtime(tried, settings()) == "older"
    assert candidate_runtime(a_model(), settings()) == settings().serving.cpu_runtime
    assert candidate_runtime(a_model(serving={"runtime": "gpu"}), settings()) == settings().serving.gpu_runtime
