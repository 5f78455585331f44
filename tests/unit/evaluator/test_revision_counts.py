"""Counts are read once they have settled, each once, whatever store and clock do."""

import pytest

from modelyard.core.storage.monitoring_keys import MinuteKey
from modelyard.errors import Unreachable
from modelyard.evaluator.revision_counts import FIRST_LOOK, MOST_BEHIND, MOST_MINUTES, SETTLED_MINUTES, RevisionCounts
from tests.unit.evaluator.conftest import NOON, RecordedWorld

PLACE = ("demo", "loans", "loans-1")


def minutes(counts: RevisionCounts, at: int) -> list[int]:
    return [one.minute for one in counts.read(at).stored.minutes]


def test_a_minute_is_read_once_all_recorders_have_had_time_to_write_it(world: RecordedWorld) -> None:
    counts = RevisionCounts(world, PLACE, NOON - 1)
    for writer in ("w", "v"):
        world.counts(NOON, writer)
    world.counts(NOON + 1)
    assert minutes(counts, NOON + SETTLED_MINUTES - 1) == []
    read = counts.read(NOON + SETTLED_MINUTES)
    assert [(one.minute, one.requests) for one in read.stored.minutes] == [(NOON, 200)]
    assert minutes(counts, NOON + SETTLED_MINUTES) == []
    assert minutes(counts, NOON + SETTLED_MINUTES + 1) == [NOON + 1]


def test_an_hour_is_listed_and_no_more(world: RecordedWorld) -> None:
    counts = RevisionCounts(world, PLACE, NOON + 9)
    for at in range(-200, 20):
        world.counts(NOON + at)
    assert minutes(counts, NOON + 20) == list(range(NOON + 10, NOON + 19))
    assert (world.asked["list"], world.asked["get"]) == (1, 9)


def test_what_comes_too_late_is_counted_once_and_not_read(world: RecordedWorld) -> None:
    counts = RevisionCounts(world, PLACE, NOON - 1)
    for at in range(9):
        world.counts(NOON + at)
    assert counts.read(NOON + 5).late == 0
    world.counts(NOON + 1, "late")
    read = counts.read(NOON + 8)
    assert (read.late, [one.minute for one in read.stored.minutes]) == (1, [NOON + 4, NOON + 5, NOON + 6])
    assert counts.read(NOON + 9).late == 0


def test_what_was_there_before_a_restart_is_not_late(world: RecordedWorld) -> None:
    for at in range(9):
        world.counts(NOON + at)
    counts = RevisionCounts(world, PLACE, NOON + 5)
    assert counts.read(NOON + 8).late == 0
    assert counts.read(NOON + 65).late == 0


def test_after_a_gap_so_much_is_read_at_a_time_and_a_week_at_most(world: RecordedWorld) -> None:
    counts = RevisionCounts(world, PLACE, NOON - 1)
    later = NOON + 2 * MOST_BEHIND
    for at in (NOON, later - MOST_BEHIND - 3, later - MOST_BEHIND + 3, later - 5):
        world.counts(at)
    found, more, steps = [], True, 0
    while more:
        read = counts.read(later)
        found += [one.minute for one in read.stored.minutes]
        more, steps = read.more, steps + 1
    assert found == [later - MOST_BEHIND + 3, later - 5]
    assert steps == MOST_BEHIND // MOST_MINUTES + 1


def test_of_a_revision_that_nothing_is_known_of_a_day_is_read(world: RecordedWorld) -> None:
    counts = RevisionCounts(world, PLACE, -1)
    last = NOON - SETTLED_MINUTES
    for at in (last - FIRST_LOOK - 1, last - FIRST_LOOK, last):
        world.counts(at)
    found = [one for _ in range(9) for one in minutes(counts, NOON)]
    assert found == [last - FIRST_LOOK, last]


def test_while_the_store_is_away_nothing_is_lost_and_then_it_is_given_time(world: RecordedWorld) -> None:
    counts = RevisionCounts(world, PLACE, NOON - 1)
    world.counts(NOON)
    world.away = True
    with pytest.raises(Unreachable):
        counts.read(NOON + 30)
    world.away = False
    world.counts(NOON + 20)
    assert minutes(counts, NOON + 31) == []
    world.counts(NOON + 10)
    assert minutes(counts, NOON + 32) == [NOON, NOON + 10, NOON + 20]


def test_a_clock_that_went_back_reads_nothing_twice(world: RecordedWorld) -> None:
    counts = RevisionCounts(world, PLACE, NOON - 1)
    for at in range(9):
        world.counts(NOON + at)
    assert len(minutes(counts, NOON + 8)) == 7
    assert minutes(counts, NOON + 3) == []
    assert minutes(counts, NOON + 8) == [NOON + at for at in range(2, 7)], "read again; the detector leaves them out"
    world.away = True
    with pytest.raises(Unreachable):
        counts.read(NOON + 9)
    world.away = False
    world.counts(NOON - 60)
    assert minutes(RevisionCounts(world, PLACE, NOON - 61), NOON - 58) == [NOON - 60]


def test_a_clock_that_jumped_ahead_and_came_back_goes_on(world: RecordedWorld) -> None:
    counts = RevisionCounts(world, PLACE, NOON - 1)
    assert minutes(counts, NOON + 10**6) == []
    world.counts(NOON + 30)
    assert minutes(counts, NOON + 32) == [NOON + 30] or minutes(counts, NOON + 33) == []
    world.counts(NOON + 40)
    assert minutes(counts, NOON + 42) == [NOON + 40]


def test_damaged_files_and_other_objects_are_left_out(world: RecordedWorld) -> None:
    counts = RevisionCounts(world, PLACE, NOON - 1)
    world.counts(NOON)
    world.objects[MinuteKey(*PLACE, (NOON + 1) * 60, "w").key(".counts.json")] = b"{"
    world.objects[MinuteKey(*PLACE, (NOON + 1) * 60, "w").key(".rows.parquet")] = b"PAR1"
    read = counts.read(NOON + 9)
    assert ([one.minute for one in read.stored.minutes], read.stored.damaged) == ([NOON], 1)


def test_before_there_was_a_time_nothing_is_read(world: RecordedWorld) -> None:
    assert minutes(RevisionCounts(world, PLACE, -1), 1) == []
