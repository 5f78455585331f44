"""Labelled answers of a candidate beside its stable's."""

from typing import Any

import numpy as np
import pytest

from modelyard.core.conditions import epoch, timestamp
from modelyard.core.monitoring.performance.decay import DecayFinding, QualityQuestion
from modelyard.records.feedback.compared import (
    LONG,
    PARTS,
    PERIOD_SECONDS,
    SETTLED_SECONDS,
    LabelledTrial,
    Shares,
    comparison_of,
    units,
)
from modelyard.records.feedback.judged_rows import JudgedRows
from modelyard.records.feedback.performance import ModelQuality, RevisionQuality

NOON = epoch("2026-11-29T12:00:00Z")
TRIAL = LabelledTrial("loans-1", "loans-2", "2026-11-29T12:00:00Z")


def rows(*answered: tuple[float, bool], request: tuple[int, ...] = (), told: float = 60.0, **fields: Any) -> JudgedRows:
    """Answers by seconds after noon and whether they are wrong; labels came `told` seconds after noon."""
    wrong = np.array([float(one) for _, one in answered])
    return JudgedRows(
        output="p", kind="class", requests=np.array(request or range(len(answered))),
        minutes=np.array([int((NOON + at) // 60) for at, _ in answered], np.int64), weights=np.ones(len(answered)),
        answer=wrong, truth=np.zeros(len(answered)), told=np.full(len(answered), NOON + told), **fields,
    )  # fmt: skip


def quality(revision: str, judged: JudgedRows, *decays: DecayFinding, learning: int = 0) -> RevisionQuality:
    return RevisionQuality(
        revision, judged.output, judged.kind, judged.rows, {}, {}, decays, {}, learning, judged
    )  # fmt: skip


def compared(stable: JudgedRows, candidate: JudgedRows, after: float = 3600.0) -> Any:
    found = ModelQuality([quality("loans-1", stable), quality("loans-2", candidate)], 0, 0, 0, 0, 0, [])
    return comparison_of(found, TRIAL, NOON + after)


def test_answers_since_the_rollout_began_are_paired_by_their_minute() -> None:
    stable = rows((-60, True), (0, False), (30, False), (61, True), (200, False))
    found = compared(stable, rows((-90, True), (10, True), (70, False)))
    assert [tuple(unit) for unit in found.units] == [(0, 1, 1.0, 2, 0.0), (1, 1, 0.0, 1, 1.0)]
    assert (found.requests, found.wrong, found.stable_requests, found.stable_wrong) == (2, 1.0, 4, 1.0)
    assert (found.time, found.since, found.event) == (timestamp(NOON + 3600), TRIAL.since, "wrong")


def test_rows_of_one_request_stand_and_fall_together() -> None:
    found = compared(rows((0, False)), rows((0, True), (0, False), (0, False), (0, False), request=(7, 7, 7, 7)))
    assert (found.requests, found.wrong) == (1, 0.25)
    assert [tuple(unit) for unit in found.units] == [(0, 1, 0.25, 1, 0.0)]


def test_labels_count_when_those_of_their_time_are_all_there() -> None:
    stable, candidate = rows((0, False)), rows((0, True), told=PERIOD_SECONDS + 1.0)
    assert compared(stable, candidate, 2 * PERIOD_SECONDS + SETTLED_SECONDS - 1).requests == 0
    found = compared(stable, candidate, 2 * PERIOD_SECONDS + SETTLED_SECONDS)
    assert (found.requests, found.stable_requests, len(found.units)) == (1, 1, 1)


def test_units_that_are_there_stay_as_they_are_when_more_labels_come() -> None:
    early: tuple[Shares, Shares] = ({(0, 5): [1.0], (0, 6): [0.0]}, {(0, 5): [0.0], (0, 6): [0.0], (0, 8): [1.0]})
    late: tuple[Shares, Shares] = ({**early[0], (1, 3): [1.0]}, {**early[1], (1, 2): [0.0]})
    before, after = list(units(*early)), list(units(*late))
    assert after[: len(before)] == before
    assert [tuple(unit) for unit in after[len(before) :]] == [(4, 1, 1.0, 2, 1.0)]


def test_a_minute_of_many_is_several_units_of_one_group() -> None:
    made = list(units({(0, 1): [1.0] * 25}, {(0, 1): [0.0] * 40}))
    assert (len(made), {unit.group for unit in made}) == (PARTS, {0})
    assert (sum(unit.requests for unit in made), sum(unit.stable_requests for unit in made)) == (25, 40)


def test_of_very_many_the_later_ones_are_larger() -> None:
    minutes: Shares = {(0, minute): [0.0] * 20 for minute in range(12 * LONG)}
    made = list(units(minutes, minutes))
    assert LONG * 4 < len(made) < LONG * 8
    sizes = [unit.requests for unit in made]
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1] >= 80) == (2, True)


@pytest.mark.parametrize("found", [[], [quality("loans-1", rows((0, False)))], [quality("loans-2", rows((0, True)))]])
def test_without_labels_of_both_there_is_nothing_to_compare(found: list[RevisionQuality]) -> None:
    known = comparison_of(ModelQuality(found, 0, 0, 0, 0, 0, []), TRIAL, NOON)
    assert (known.output, known.requests, known.units) == ("", 0, ())


def test_numbers_are_held_against_the_stables_median_error_once_that_is_known() -> None:
    errors = {"kind": "number", "answer": np.array([0.5, 3.0, 9.0]), "truth": np.zeros(3)}
    judged = JudgedRows(**{**vars(rows((0, False), (1, False), (2, False))), **errors})
    question = [QualityQuestion("", f"error above {edge}", hits, 500) for edge, hits in ((7.5, 50), (2.0, 250))]
    other = QualityQuestion("sex=f", "error above 0.1", 250, 500)
    decays = [DecayFinding(one, None, 0, 0) for one in (*question, other)]
    known = ModelQuality([quality("loans-1", judged, *decays), quality("loans-2", judged)], 0, 0, 0, 0, 0, [])
    found = comparison_of(known, TRIAL, NOON + 3600)
    assert (found.event, found.requests, found.wrong) == ("error above 2.0", 3, 2.0)
    unknown = ModelQuality([quality("loans-1", judged, learning=44), quality("loans-2", judged)], 0, 0, 0, 0, 0, [])
    found = comparison_of(unknown, TRIAL, NOON + 3600)
    assert (found.learning, found.requests, found.units) == (44, 0, ())


def test_labels_of_which_it_is_not_known_when_they_came_say_nothing() -> None:
    untold = JudgedRows(**{**vars(rows((0, True))), "told": None})
    assert compared(rows((0, False)), untold).requests == 0
