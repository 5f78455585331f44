"""When requests are due: every shape, and that users share it without knowing of one another."""

import math

import numpy as np
import pytest

from loadtests.arrivals import Arrivals, Curve, Piece, Trace, steady

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
    users = 40
    rng = np.random.default_rng(1)

    times = [shape.due(users * (turn + phase)) for phase in rng.random(users) for turn in range(1000 // users + 1)]

    sent = sorted(time for time in times if math.isfinite(time))
    assert len(sent) == pytest.approx(shape.planned(shape.seconds), rel=0.1)
    half = sum(time <= shape.seconds / 2 for time in sent)
    assert half == pytest.approx(shape.planned(shape.seconds / 2), abs=users)


def test_a_recorded_load_is_replayed_to_the_request_and_faster_when_asked_to() -> None:
    times = [0.0, 0.1, 0.1, 0.5, 2.0, 2.2]
    trace, users = Trace(times), 3

    replayed = [trace.due(users * (turn + (index + 0.5) / users)) for turn in range(3) for index in range(users)]

    assert [time for time in replayed if math.isfinite(time)] == times
    assert trace.highest == 4
    assert (trace.planned(0.1), trace.planned(1.0), trace.planned(9.0)) == (3, 4, 6)
    assert Trace(times, speed=2).seconds == pytest.approx(1.1)
