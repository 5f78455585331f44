"""What a rollout is told and what it says: defaults are read, never written; every field knows its strategies."""

import pytest

from modelyard.api.model import ModelSpec
from modelyard.api.rollout import (
    AB,
    FITS,
    FeedbackGate,
    LoadTest,
    OnInconclusive,
    Preview,
    Rollout,
    Shadow,
    Step,
    Strategy,
)
from modelyard.api.rollout_status import GateStatus, GateVerdict, Phase, RolloutStatus
from tests.support.objects.refusals import SOURCE


def a_rollout(**fields: object) -> Rollout:
    return Rollout.model_validate(fields)


def test_a_rollout_of_which_nothing_is_said_is_a_canary_with_defaults() -> None:
    rollout = ModelSpec.model_validate({"source": SOURCE}).rollout

    assert rollout.strategy is Strategy.CANARY
    assert rollout.weights() == (5, 25, 50)
    assert (rollout.bake_seconds(), rollout.max_seconds(), rollout.kept_seconds()) == (600, 7200, 600)
    assert rollout.regression() == pytest.approx(0.25)
    assert rollout.inconclusive() is OnInconclusive.ABORT
    assert rollout.model_dump(exclude_none=True) == {"strategy": "Canary"}


def test_what_is_said_wins_over_the_defaults() -> None:
    rollout = a_rollout(
        steps=[{"weight": 10, "hold": "1m30s"}, {"weight": 60}],
        bake="30m",
        maxDuration="4h",
        abortScaleDownDelay="1h",
        maxRegression="50%",
        onInconclusive="Hold",
    )

    assert rollout.weights() == (10, 60)
    assert rollout.step(0).hold == "1m30s"
    assert (rollout.bake_seconds(), rollout.max_seconds(), rollout.kept_seconds()) == (1800, 14400, 3600)
    assert rollout.regression() == pytest.approx(0.5)
    assert rollout.inconclusive() is OnInconclusive.HOLD


def test_a_step_behind_the_last_is_the_last() -> None:
    assert a_rollout(steps=[{"weight": 10}]).step(7).weight == 10
    assert a_rollout().step(7).weight == 50


def test_load_tests_and_shadows_have_a_length_without_saying_it() -> None:
    assert LoadTest().duration_seconds() == 60
    assert LoadTest(duration="5m").duration_seconds() == 300
    assert Shadow().duration_seconds() == 600
    assert Shadow(duration="1h").duration_seconds() == 3600
    assert Shadow().allowed_disagreement() == pytest.approx(0.01)
    assert Shadow(max_disagreement="2%").allowed_disagreement() == pytest.approx(0.02)


def test_a_gate_on_labels_allows_five_points_unless_told_otherwise() -> None:
    assert (FeedbackGate().labels, FeedbackGate().allowed()) == (200, pytest.approx(0.05))
    assert FeedbackGate(margin="2%").allowed() == pytest.approx(0.02)


def test_holds_and_tests_last_as_long_as_is_said_or_no_time_or_for_ever() -> None:
    assert [Step(weight=5, hold=hold).hold_seconds() for hold in (None, "90s")] == [0, 90]
    assert [Preview(hold=hold).hold_seconds() for hold in (None, "2m")] == [0, 120]
    assert [AB(cookie="user", duration=duration).duration_seconds() for duration in (None, "24h")] == [None, 86400]


def test_every_field_says_which_strategies_use_it() -> None:
    assert set(Rollout.model_fields) - {"strategy", "command"} == set(FITS)


def test_a_gate_is_found_by_its_name() -> None:
    latency = GateStatus(name="latency", verdict=GateVerdict.PASS)
    status = RolloutStatus(gates=[GateStatus(name="errors", verdict=GateVerdict.CONTINUE), latency])

    assert status.gate("latency") == latency
    assert status.gate("shadow") is None


def test_a_rollout_is_under_way_in_every_phase_but_idle() -> None:
    assert [phase for phase in Phase if not RolloutStatus(phase=phase).active] == [Phase.IDLE]
