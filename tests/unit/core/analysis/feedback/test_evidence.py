"""From units of labelled answers to evidence."""

import pytest

from modelyard.api.monitoring.comparison import LabelledUnit
from modelyard.core.analysis.feedback.evidence import LabelledEvidence, labelled_evidence, remaining

MARGIN = 0.05


def minutes(count: int, wrong: int, stable_wrong: int, of: int = 10, parts: int = 1) -> tuple[LabelledUnit, ...]:
    """So many minutes alike, each of `parts` units with `of` requests of both revisions."""
    return tuple(
        LabelledUnit(minute, of, wrong, of, stable_wrong) for minute in range(count) for _ in range(parts)
    )  # fmt: skip


def test_without_labels_nothing_is_proven() -> None:
    found = labelled_evidence((), MARGIN)
    assert found == LabelledEvidence()
    assert (found.fails, found.passes, remaining(found, 0)) == (False, False, None)


def test_a_candidate_that_is_worse_fails_and_one_that_is_alike_passes() -> None:
    worse, alike = labelled_evidence(minutes(40, 5, 1), MARGIN), labelled_evidence(minutes(150, 1, 1), MARGIN)
    assert (worse.fails, worse.passes) == (True, False)
    assert (alike.fails, alike.passes) == (False, True)


def test_a_minute_accuses_once_however_many_parts_it_has_and_excuses_by_each() -> None:
    whole, parted = (labelled_evidence(minutes(8, 10, 0, parts=parts), MARGIN) for parts in (1, 10))
    assert whole.against == pytest.approx(parted.against)
    assert not whole.fails
    whole, parted = (labelled_evidence(minutes(30, 1, 1, parts=parts), MARGIN) for parts in (1, 10))
    assert (whole.passes, parted.passes) == (False, True)


def test_minutes_that_go_wrong_as_a_whole_cost_what_excuses() -> None:
    calm = minutes(40, 1, 1, parts=5)
    bursts = tuple(
        unit._replace(wrong=0 if unit.group % 2 else 2) for unit in calm
    )  # fmt: skip
    found = labelled_evidence(bursts, MARGIN)
    assert found.phi == pytest.approx(5.0)
    assert found.favour < labelled_evidence(calm, MARGIN).favour


def test_what_was_proven_stays_so() -> None:
    alike = minutes(150, 1, 1)
    later = tuple(unit._replace(group=unit.group + 150) for unit in minutes(20, 2, 1))
    assert labelled_evidence(alike + later, MARGIN).passes
    assert labelled_evidence(alike + later, MARGIN).favour_now < labelled_evidence(alike, MARGIN).favour_now


def test_how_many_labels_a_pass_still_takes_goes_by_those_that_came() -> None:
    half = labelled_evidence(minutes(50, 1, 1), MARGIN)
    assert not half.passes
    assert remaining(half, 500) == pytest.approx(1000, rel=0.6)
    assert remaining(labelled_evidence(minutes(50, 3, 1), MARGIN), 500) is None
