"""Judged is from when a request was due; what the generator itself is late by is nobody's else."""

import heapq
from collections.abc import Callable

import pytest

from loadtests.arrivals import Curve, Piece, due_times, steady
from loadtests.judging import Judgement, Unusable, judge
from loadtests.options import Options
from loadtests.parts import highest_kept, judged_seconds, missed_by
from loadtests.recording import Recording, Row
from loadtests.reports.report import sentence
from modelyard.core.analysis.statistics.sequential_test import RuleVerdict
from tests.unit.loadtests.test_judging import BEGAN, options, verdicts


def simulated(given: Options, served: Callable[[float], float], users: int) -> Recording:
    """What a generator of so many connections records of a server that needs `served(second)` seconds for a request
    which reaches it then; by a clock of its own."""
    recording = Recording(1_000_000)
    recording.starts.append(float(BEGAN))
    free = [0.0] * users
    for due in due_times(given.arrivals, (1.0,)):
        sent = max(due.at, heapq.heappop(free))
        took = served(sent)
        heapq.heappush(free, sent + took)
        recording.add(Row(due.at, 0, took * 1000.0, (sent - due.at) * 1000.0, 0.0, False, "digits-2"))
    return recording


def judged(recording: Recording, given: Options) -> Judgement:
    return judge(recording, given, BEGAN + given.seconds)


def stalling(sent: float) -> float:
    """Answers in 5 ms, but for three seconds in which nothing moves."""
    return 23.0 - sent if 20.0 <= sent < 23.0 else 0.005


def test_a_stall_counts_for_all_who_would_have_come_in_it() -> None:
    """Only the eight requests that were under way took long; 150 were due, which is 5 % where 1 % may."""
    given = options(arrivals=steady(50.0, 60.0))
    recording = simulated(given, stalling, users=8)

    assert sum(row.took > 100.0 for row in recording.rows()) <= 9
    found = judged(recording, given)
    assert 140 <= sum(row.total > 100.0 for row in recording.rows()) <= 160
    assert verdicts(found)["latency"] is RuleVerdict.FAIL
    assert "from when they were due" in sentence(recording, found, given)


def test_a_server_that_only_seems_to_stall_for_want_of_connections_is_not_blamed() -> None:
    """500 connections of the 5,000 that the rate needs, 80 ms an answer: 6,250 a second at the most, 7,000 wanted."""
    given = options(arrivals=steady(7000.0, 6.0))
    assert given.users == 500 < given.wanted_users
    recording = simulated(given, lambda _: 0.08, users=500)

    with pytest.raises(Unusable, match="with the most users there may be"):
        judged(recording, given)
    slow = simulated(given, lambda _: 0.2, users=500)
    assert verdicts(judged(slow, given))["latency"] is RuleVerdict.FAIL, "every answer took too long by itself"


def late_itself(core: float, own: float) -> Recording:
    recording = Recording(10_000)
    recording.starts.append(float(BEGAN))
    recording.cores += [core] * 10
    for index in range(3000):
        recording.add(Row(index / 50.0, 0, 5.0, own, own, False, "digits-2"))
    return recording


@pytest.mark.parametrize(("core", "own", "said"), [(0.3, 300.0, "300 ms late"), (0.97, 99.0, "used 97% of a core")])
def test_a_generator_that_is_late_itself_gives_no_verdict_and_says_so(core: float, own: float, said: str) -> None:
    given = options(latency=0.1) if own > 100.0 else options(latency=0.1, arrivals=steady(100.0, 60.0))

    with pytest.raises(Unusable, match=said):
        judge(late_itself(core, own if own > 100.0 else 10.0), given, BEGAN + 60.0)


def test_answers_too_slow_by_more_than_the_generator_was_late_are_the_servers_own() -> None:
    recording = late_itself(0.97, 300.0)
    for index in range(len(recording)):
        recording.took[index] = 500.0

    assert verdicts(judge(recording, options(), BEGAN + 60.0))["latency"] is RuleVerdict.FAIL


def test_a_busy_generator_whose_answers_were_fast_all_the_same_passes() -> None:
    assert judge(late_itself(0.97, 10.0), options(), BEGAN + 60.0).passed


def test_requests_that_nobody_answered_by_the_end_are_late() -> None:
    given, recording = options(), Recording(10_000)
    recording.starts.append(float(BEGAN))
    for index in range(2850):
        recording.add(Row(index / 50.0, 0, 5.0, 0.0, 0.0, False, "digits-2"))
    assert judged(recording, given).passed

    recording.owed += [57.0 + index / 50.0 for index in range(150)]

    found = judged(recording, given)
    assert (found.objectives[1].bad, found.passed) == (150, False)


RISING = Curve([Piece(10, 20, 20), Piece(10, 40, 40), Piece(10, 60, 60)], until_missed=True)


def slower_above(seconds: float) -> Callable[[float], float]:
    return lambda sent: 0.5 if sent >= seconds else 0.005


@pytest.mark.parametrize(("slow_from", "highest"), [(20.0, 40.0), (10.0, 20.0), (99.0, 60.0)])
def test_a_limit_that_was_looked_for_is_the_last_step_that_was_kept(slow_from: float, highest: float) -> None:
    given = options(arrivals=RISING)
    recording = simulated(given, slower_above(slow_from), users=100)

    assert highest_kept(recording, given) == highest
    found = judge(recording, given, BEGAN + min(slow_from + 12.0, 30.0))
    assert found.passed
    assert judged_seconds(recording, given) == found.seconds
    assert f"the highest rate that was kept is {highest:g} per second" in sentence(recording, found, given)


def test_looking_ends_with_the_first_step_that_was_not_kept() -> None:
    given = options(arrivals=RISING)
    recording = simulated(given, slower_above(10.0), users=100)

    assert not missed_by(recording, given, elapsed=20.5, patience=1.0)
    assert missed_by(recording, given, elapsed=21.0, patience=1.0)


def test_a_limit_below_what_has_to_be_kept_does_not_pass() -> None:
    needed = Curve(RISING.pieces, until_missed=True, at_least=60.0)
    given = options(arrivals=needed)
    recording = simulated(given, slower_above(20.0), users=100)

    found = judge(recording, given, BEGAN + 30.0)

    assert not found.passed
    assert "60 per second have to be kept and 40 were" in sentence(recording, found, given)


def test_a_first_step_that_is_not_kept_does_not_pass() -> None:
    given = options(arrivals=RISING)
    recording = simulated(given, slower_above(0.0), users=100)

    found = judge(recording, given, BEGAN + 11.0)

    assert (found.passed, found.highest, found.seconds) == (False, None, 10.0)
