"""The table of a rollout's states: every phase, every signal."""

import pytest

from modelyard.api.rollout import Strategy
from modelyard.api.rollout_status import Outcome, Phase
from modelyard.core.rollout.state_machine import (
    AGAINST,
    PROMOTED,
    WATCHED,
    RolloutSpecView,
    Signal,
    Transition,
    first_transition,
    next_transition,
)

CANARY = RolloutSpecView(Strategy.CANARY, steps=3)


@pytest.mark.parametrize(
    ("phase", "step", "signal", "then"),
    [
        (Phase.IDLE, 0, Signal.SPEC_CHANGED, Transition(Phase.BUILDING)),
        (Phase.BUILDING, 0, Signal.BUILT, Transition(Phase.STARTING)),
        (Phase.STARTING, 0, Signal.WARMED_UP, Transition(Phase.ADVANCING)),
        (Phase.TESTING, 0, Signal.PASSED, Transition(Phase.ADVANCING)),
        (Phase.ADVANCING, 0, Signal.PASSED, Transition(Phase.ADVANCING, 1)),
        (Phase.ADVANCING, 1, Signal.PASSED, Transition(Phase.ADVANCING, 2)),
        (Phase.ADVANCING, 2, Signal.PASSED, Transition(Phase.BAKING, 3)),
        (Phase.BAKING, 3, Signal.PASSED, PROMOTED),
        (Phase.ADVANCING, 1, Signal.INCONCLUSIVE, Transition(Phase.HOLDING, 1)),
        (Phase.HOLDING, 1, Signal.CONCLUSIVE, Transition(Phase.ADVANCING, 1)),
        (Phase.HOLDING, 1, Signal.PROMOTE, Transition(Phase.BAKING, 3)),
        (Phase.HOLDING, 1, Signal.PASSED, None),
        (Phase.ADVANCING, 0, Signal.PROMOTE, Transition(Phase.BAKING, 3)),
        (Phase.BAKING, 3, Signal.PROMOTE, PROMOTED),
        (Phase.ABORTING, 1, Signal.DRAINED, Transition(Phase.IDLE)),
        (Phase.IDLE, 0, Signal.PASSED, None),
        (Phase.BUILDING, 0, Signal.PROMOTE, None),
        (Phase.STARTING, 0, Signal.INCONCLUSIVE, None),
    ],
)
def test_a_canary_goes_on_as_the_table_says(phase: Phase, step: int, signal: Signal, then: Transition | None) -> None:
    assert next_transition(phase, step, signal, CANARY) == then


@pytest.mark.parametrize("phase", sorted(set(Phase) - {Phase.IDLE, Phase.ABORTING}))
@pytest.mark.parametrize("signal", sorted(AGAINST))
def test_whatever_speaks_against_it_ends_a_rollout_from_anywhere(phase: Phase, signal: Signal) -> None:
    transition = next_transition(phase, 1, signal, CANARY)

    assert transition is not None
    assert transition.phase is Phase.ABORTING
    unproven = phase in (Phase.BUILDING, Phase.REPLACING, Phase.STARTING) and signal is Signal.FAILED
    assert transition.outcome is (Outcome.FAILED if unproven else AGAINST[signal])


@pytest.mark.parametrize("phase", [Phase.IDLE, Phase.ABORTING])
@pytest.mark.parametrize("signal", sorted(AGAINST))
def test_what_has_ended_cannot_be_ended_again(phase: Phase, signal: Signal) -> None:
    assert next_transition(phase, 0, signal, CANARY) is None


@pytest.mark.parametrize(
    ("spec_view", "transition"),
    [
        (RolloutSpecView(Strategy.CANARY), Transition(Phase.ADVANCING)),
        (RolloutSpecView(Strategy.BLUE_GREEN), Transition(Phase.PREVIEWING)),
        (RolloutSpecView(Strategy.SHADOW), Transition(Phase.MIRRORING)),
        (RolloutSpecView(Strategy.AB), Transition(Phase.SPLITTING)),
        (RolloutSpecView(Strategy.RECREATE), PROMOTED),
        (RolloutSpecView(Strategy.IMMEDIATE), PROMOTED),
        (RolloutSpecView(Strategy.CANARY, first=True), PROMOTED),
    ],
)
def test_every_strategy_has_its_first_stage(spec_view: RolloutSpecView, transition: Transition) -> None:
    assert first_transition(spec_view) == transition


def test_a_load_test_comes_before_the_first_stage_but_not_for_the_very_first_revision() -> None:
    tested = RolloutSpecView(Strategy.BLUE_GREEN, tested=True)
    first = RolloutSpecView(Strategy.BLUE_GREEN, tested=True, first=True)

    assert next_transition(Phase.STARTING, 0, Signal.WARMED_UP, tested) == Transition(Phase.TESTING)
    assert next_transition(Phase.TESTING, 0, Signal.PASSED, tested) == Transition(Phase.PREVIEWING)
    assert next_transition(Phase.STARTING, 0, Signal.WARMED_UP, first) == PROMOTED


def test_recreate_replaces_first_unless_there_is_nothing_to_replace() -> None:
    recreate = RolloutSpecView(Strategy.RECREATE)

    assert next_transition(Phase.BUILDING, 0, Signal.BUILT, recreate) == Transition(Phase.REPLACING)
    assert next_transition(Phase.REPLACING, 0, Signal.DRAINED, recreate) == Transition(Phase.STARTING)
    assert next_transition(
        Phase.BUILDING, 0, Signal.BUILT, RolloutSpecView(Strategy.RECREATE, first=True)
    ) == Transition(Phase.STARTING)


def test_comparisons_end_with_a_report_and_promote_nobody() -> None:
    reported = Transition(Phase.ABORTING, outcome=Outcome.REPORTED)

    assert next_transition(Phase.MIRRORING, 0, Signal.PASSED, RolloutSpecView(Strategy.SHADOW)) == reported
    assert next_transition(Phase.SPLITTING, 0, Signal.PASSED, RolloutSpecView(Strategy.AB)) == reported
    assert next_transition(
        Phase.MIRRORING, 0, Signal.PASSED, RolloutSpecView(Strategy.SHADOW, goes_on=True)
    ) == Transition(Phase.ADVANCING)


@pytest.mark.parametrize("phase", sorted(WATCHED))
def test_what_is_not_known_holds_every_watched_phase_and_only_that_goes_on(phase: Phase) -> None:
    held = RolloutSpecView(Strategy.CANARY, steps=3, held=phase)

    assert next_transition(phase, 2, Signal.INCONCLUSIVE, held) == Transition(Phase.HOLDING, 2)
    assert next_transition(Phase.HOLDING, 2, Signal.CONCLUSIVE, held) == Transition(phase, 2)


def test_a_promotion_while_the_bake_is_held_ends_it() -> None:
    held = RolloutSpecView(Strategy.CANARY, steps=3, held=Phase.BAKING)

    assert next_transition(Phase.HOLDING, 3, Signal.PROMOTE, held) == PROMOTED


def test_blue_green_switches_to_its_bake() -> None:
    spec_view = RolloutSpecView(Strategy.BLUE_GREEN, steps=3)

    assert next_transition(Phase.PREVIEWING, 0, Signal.PASSED, spec_view) == Transition(Phase.BAKING, 3)
