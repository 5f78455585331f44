"""A rollout whose candidate is judged by labels, too."""

from typing import Any

import pytest

from modelyard.api.monitoring.comparison import LabelledComparison
from modelyard.api.rollout_status import Outcome, Phase
from modelyard.core.analysis.feedback import gate
from modelyard.core.conditions import timestamp
from modelyard.settings import RecorderSettings
from tests.support.worlds.builders import a_serving_world
from tests.support.worlds.rollouts import CANARY, SLO, last, live_until, live_until_ended, state
from tests.support.worlds.world import World
from tests.unit.core.analysis.feedback.test_evidence import minutes

TAKEN = {"sample": "auto", "log": {"columns": ["*"]}, "feedback": {}}


def a_labelled_world(installed: bool = True, **rollout: Any) -> World:
    world = a_serving_world(rollout={**CANARY, "feedback": {}, **rollout}, slo=SLO, monitoring=TAKEN)
    world.settings = world.settings.model_copy(update={"recorder": RecorderSettings(installed=installed)})
    world.users.rate = 200
    world.sleep(30)
    world.ask(version="2")
    return world


def told(world: World, wrong: int, count: int = 150, **fields: Any) -> None:
    """The evaluator has found so many minutes in which so many of ten answers of the candidate were wrong."""
    rollout, units = state(world), minutes(count, wrong, 1)
    of = {"stable": rollout.stable, "candidate": rollout.candidate, "since": rollout.start_time, **fields}
    totals = {"requests": 10 * count, "wrong": wrong * count, "stableRequests": 10 * count, "stableWrong": count}
    world.labelled = LabelledComparison.model_validate({**of, "time": timestamp(world.now), **totals, "units": units})


def waits_for_labels(world: World) -> None:
    """Every other gate of the first step has passed."""
    live_until(world, lambda rollout: rollout.phase is Phase.ADVANCING and _others_pass(rollout.gates))


def _others_pass(gates: list[Any]) -> bool:
    return len(gates) > 1 and all(one.verdict == "Pass" for one in gates if one.name != "feedback")


def test_a_candidate_that_labels_prove_worse_loses_its_traffic() -> None:
    world = a_labelled_world()
    waits_for_labels(world)
    told(world, wrong=6)
    live_until_ended(world)
    assert (last(world).outcome, last(world).reason) == (Outcome.ABORTED, "FeedbackGateFailed")
    assert "labelled requests were answered wrong" in last(world).message


def test_no_step_is_over_before_labels_say_so_and_then_all_are() -> None:
    world = a_labelled_world()
    waits_for_labels(world)
    assert (state(world).step, state(world).weight) == (0, 10)
    told(world, wrong=1)
    live_until(world, lambda rollout: rollout.phase is Phase.BAKING and rollout.gate("feedback") is not None)
    known = state(world).gate("feedback")
    assert known is not None
    assert known.verdict == "Pass"
    live_until_ended(world)
    assert last(world).outcome is Outcome.PROMOTED


def test_what_labels_said_of_another_rollout_says_nothing() -> None:
    world = a_labelled_world()
    waits_for_labels(world)
    for other in ({"stable": "digits-0"}, {"candidate": "digits-9"}, {"since": "2026-01-01T00:00:00Z"}):
        told(world, 9, **other)
        world.look()
        known = state(world).gate("feedback")
        assert known is not None
        assert "no labelled answer of the candidate is known yet" in known.message


def test_where_no_label_comes_it_holds_and_max_duration_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "PATIENCE", 60.0)
    world = a_labelled_world(maxDuration="5m")
    live_until(world, lambda rollout: rollout.reason == "NoLabels")
    live_until_ended(world)
    assert (last(world).outcome, last(world).reason) == (Outcome.ABORTED, "Inconclusive")
    assert "waits for labels" in last(world).message


def test_without_a_recorder_it_says_what_is_missing() -> None:
    world = a_labelled_world(installed=False)
    live_until(world, lambda rollout: rollout.reason == "NoRecorder")
    assert "--set recorder.replicas=2" in state(world).message
