"""When requests are due: every shape, and that users share it without knowing of one another."""

import math

import numpy as np
import pytest

from loadtests.arrivals import Arrivals, Curve, Piece, Trace, due_times, steady

RAMP = Curve([Piece(10, 0, 20), Piece(5, 20, 20), Piece(5, 20, 0)])
SHAPES = [steady(50, 20), RAMP, Curve([Piece(5, 10, 10), Piece(2, 100, 100), Piece(5, 10, 10)])]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_request_that_is_due_is_the_one_that_was_planned(shape: Arrivals) -> None:
    total = shape.planned(shape.seconds)

    for count in np.linspace(0.0, total, 41):
        assert shape.planned(shape.due(float(count))) == pytest.approx(count, abs=1e-6)
    assert math.isinf(shape.due(total + 1))
    assert shape.planned(shape.seconds + 100) == pytest.approx(total)


def test_a_ramp_asks_as_often_as_its_rate_says() -> None:
    assert RAMP.planned(10) == pytest.approx(100)  # 20 a second in the end, 10 on the average
    assert RAMP.planned(5) == pytest.approx(25)
    assert RAMP.due(25) == pytest.approx(5)
    assert RAMP.planned(20) == pytest.approx(250)
    assert (RAMP.highest, RAMP.seconds) == (20, 20)


@pytest.mark.parametrize("shape", SHAPES)
def test_users_share_a_load_and_none_is_sent_twice(shape: Arrivals) -> None:
    dealt = [list(due_times(shape, (0.5, 0.25, 0.25), worker, 3)) for worker in range(3)]

    sent = sorted(one.at for requests in dealt for one in requests)
    assert all(requests == sorted(requests) for requests in dealt)
    assert len(sent) == shape.planned(shape.seconds)
    for share, part in enumerate((6, 12, 12)):
        counts = [sum(one.share == share for one in requests) for requests in dealt]
        assert counts == pytest.approx([len(sent) / part] * 3, abs=1)
    for second in np.linspace(0.0, shape.seconds, 7):
        assert sum(time < second for time in sent) == pytest.approx(shape.planned(second), abs=1)


def test_a_piece_gets_the_requests_that_were_planned_for_it_whatever_the_places_drawn() -> None:
    steps = Curve([Piece(3, 5, 5), Piece(3, 20, 20)])

    for _ in range(20):
        times = [one.at for one in due_times(steps, (0.6, 0.0, 0.4))]
        assert [sum(time < 3 for time in times), sum(time >= 3 for time in times)] == [15, 60]


def test_a_recorded_load_is_replayed_to_the_request_and_faster_when_asked_to() -> None:
    times = [0.0, 0.1, 0.1, 0.5, 2.0, 2.2]
    trace = Trace(times)

    assert [one.at for one in due_times(trace, (1.0,))] == times
    assert [one.share for one in due_times(trace, (0.5, 0.5))] == [0, 1] * 3
    assert sorted(one.at for worker in range(2) for one in due_times(trace, (0.0, 1.0), worker, 2)) == times
    assert trace.highest == 4
    assert (trace.planned(0.1), trace.planned(1.0), trace.planned(9.0)) == (3, 4, 6)
    assert Trace(times, speed=2).seconds == pytest.approx(1.1)
