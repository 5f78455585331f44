"""The table of a rollout's states: every phase, every signal."""

import pytest

from modelyard.api.rollout import Strategy
from modelyard.api.rollout_status import Outcome, Phase
from modelyard.core.rollout.state_machine import (
    AGAINST,
    PROMOTED,
    WATCHED,
    Course,
    Move,
    Signal,
    first_stage,
    following,
)

CANARY = Course(Strategy.CANARY, steps=3)


@pytest.mark.parametrize(
    ("phase", "step", "signal", "then"),
    [
        (Phase.IDLE, 0, Signal.WISHED, Move(Phase.BUILDING)),
        (Phase.BUILDING, 0, Signal.BUILT, Move(Phase.STARTING)),
        (Phase.STARTING, 0, Signal.ANSWERED, Move(Phase.ADVANCING)),
        (Phase.TESTING, 0, Signal.PASSED, Move(Phase.ADVANCING)),
        (Phase.ADVANCING, 0, Signal.PASSED, Move(Phase.ADVANCING, 1)),
        (Phase.ADVANCING, 1, Signal.PASSED, Move(Phase.ADVANCING, 2)),
        (Phase.ADVANCING, 2, Signal.PASSED, Move(Phase.BAKING, 3)),
        (Phase.BAKING, 3, Signal.PASSED, PROMOTED),
        (Phase.ADVANCING, 1, Signal.IGNORANT, Move(Phase.HOLDING, 1)),
        (Phase.HOLDING, 1, Signal.KNOWING, Move(Phase.ADVANCING, 1)),
        (Phase.HOLDING, 1, Signal.PROMOTE, Move(Phase.BAKING, 3)),
        (Phase.HOLDING, 1, Signal.PASSED, None),
        (Phase.ADVANCING, 0, Signal.PROMOTE, Move(Phase.BAKING, 3)),
        (Phase.BAKING, 3, Signal.PROMOTE, PROMOTED),
        (Phase.ABORTING, 1, Signal.LEFT, Move(Phase.IDLE)),
        (Phase.IDLE, 0, Signal.PASSED, None),
        (Phase.BUILDING, 0, Signal.PROMOTE, None),
        (Phase.STARTING, 0, Signal.IGNORANT, None),
    ],
)
def test_a_canary_goes_on_as_the_table_says(phase: Phase, step: int, signal: Signal, then: Move | None) -> None:
    assert following(phase, step, signal, CANARY) == then


@pytest.mark.parametrize("phase", sorted(set(Phase) - {Phase.IDLE, Phase.ABORTING}))
@pytest.mark.parametrize("signal", sorted(AGAINST))
def test_whatever_speaks_against_it_ends_a_rollout_from_anywhere(phase: Phase, signal: Signal) -> None:
    move = following(phase, 1, signal, CANARY)

    assert move is not None
    assert move.phase is Phase.ABORTING
    unproven = phase in (Phase.BUILDING, Phase.REPLACING, Phase.STARTING) and signal is Signal.FAILED
    assert move.outcome is (Outcome.FAILED if unproven else AGAINST[signal])


@pytest.mark.parametrize("phase", [Phase.IDLE, Phase.ABORTING])
@pytest.mark.parametrize("signal", sorted(AGAINST))
def test_what_has_ended_cannot_be_ended_again(phase: Phase, signal: Signal) -> None:
    assert following(phase, 0, signal, CANARY) is None


@pytest.mark.parametrize(
    ("course", "move"),
    [
        (Course(Strategy.CANARY), Move(Phase.ADVANCING)),
        (Course(Strategy.BLUE_GREEN), Move(Phase.PREVIEWING)),
        (Course(Strategy.SHADOW), Move(Phase.MIRRORING)),
        (Course(Strategy.AB), Move(Phase.SPLITTING)),
        (Course(Strategy.RECREATE), PROMOTED),
        (Course(Strategy.IMMEDIATE), PROMOTED),
        (Course(Strategy.CANARY, first=True), PROMOTED),
    ],
)
def test_every_strategy_has_its_first_stage(course: Course, move: Move) -> None:
    assert first_stage(course) == move


def test_a_load_test_comes_before_the_first_stage_but_not_for_the_very_first_revision() -> None:
    asked = Course(Strategy.BLUE_GREEN, load_test=True)
    first = Course(Strategy.BLUE_GREEN, load_test=True, first=True)

    assert following(Phase.STARTING, 0, Signal.ANSWERED, asked) == Move(Phase.TESTING)
    assert following(Phase.TESTING, 0, Signal.PASSED, asked) == Move(Phase.PREVIEWING)
    assert following(Phase.STARTING, 0, Signal.ANSWERED, first) == PROMOTED


def test_recreate_replaces_first_unless_there_is_nothing_to_replace() -> None:
    recreate = Course(Strategy.RECREATE)

    assert following(Phase.BUILDING, 0, Signal.BUILT, recreate) == Move(Phase.REPLACING)
    assert following(Phase.REPLACING, 0, Signal.LEFT, recreate) == Move(Phase.STARTING)
    assert following(Phase.BUILDING, 0, Signal.BUILT, Course(Strategy.RECREATE, first=True)) == Move(Phase.STARTING)


def test_comparisons_end_with_a_report_and_promote_nobody() -> None:
    reported = Move(Phase.ABORTING, outcome=Outcome.REPORTED)

    assert following(Phase.MIRRORING, 0, Signal.PASSED, Course(Strategy.SHADOW)) == reported
    assert following(Phase.SPLITTING, 0, Signal.PASSED, Course(Strategy.AB)) == reported
    assert following(Phase.MIRRORING, 0, Signal.PASSED, Course(Strategy.SHADOW, goes_on=True)) == Move(Phase.ADVANCING)


@pytest.mark.parametrize("phase", sorted(WATCHED))
def test_what_is_not_known_holds_every_watched_phase_and_only_that_goes_on(phase: Phase) -> None:
    held = Course(Strategy.CANARY, steps=3, held=phase)

    assert following(phase, 2, Signal.IGNORANT, held) == Move(Phase.HOLDING, 2)
    assert following(Phase.HOLDING, 2, Signal.KNOWING, held) == Move(phase, 2)


def test_a_promotion_while_the_bake_is_held_ends_it() -> None:
    held = Course(Strategy.CANARY, steps=3, held=Phase.BAKING)

    assert following(Phase.HOLDING, 3, Signal.PROMOTE, held) == PROMOTED


def test_blue_green_switches_to_its_bake() -> None:
    course = Course(Strategy.BLUE_GREEN, steps=3)

    assert following(Phase.PREVIEWING, 0, Signal.PASSED, course) == Move(Phase.BAKING, 3)
