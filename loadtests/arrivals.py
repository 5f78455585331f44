"""When requests are due: the shapes of an open loop, in which they come whether answers do or not.

A shape is the number of requests N(t) that are due in the first t seconds:

    curve   pieces in which the rate r goes evenly from one value to another: N(t) is the area under r
    trace   recorded seconds: N(t) counts those before t

Request number n, from 0 on, is due when N(t) reaches a random place between n and n + 1: requests come as
irregularly as independent users send them, and yet every time by which a whole number is planned has exactly so many
before it. `due_times` deals them out to protocols and processes by their numbers, so that none is sent twice.
"""

import bisect
import math
import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

_ROUNDING = 1e-9


class Arrivals(Protocol):
    """A shape; times are in seconds since its start. `exact`: single requests are recorded, not a rate."""

    exact: bool

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        ...

    @property
    def highest(self) -> float:
        """Requests per second where it is fastest."""
        ...

    def planned(self, elapsed: float) -> float:
        """N(t): how many requests are due by then."""
        ...

    def due(self, count: float) -> float:
        """The second in which N(t) reaches `count`; infinity when it never does."""
        ...


class Piece(NamedTuple):
    """`seconds` in which the rate goes evenly from `begin` to `end` requests per second."""

    seconds: float
    begin: float
    end: float

    @property
    def requests(self) -> float:
        """All that are due in it."""
        return self.seconds * (self.begin + self.end) / 2.0

    def planned(self, elapsed: float) -> float:
        """Those due in its first seconds."""
        return elapsed * (self.begin + (self.end - self.begin) * elapsed / (2.0 * self.seconds))

    def due(self, count: float) -> float:
        """The second in it by which so many are due: the root of a parabola, written so that a flat one has it too."""
        slope = (self.end - self.begin) / self.seconds
        return 2.0 * count / (self.begin + math.sqrt(max(0.0, self.begin**2 + 2.0 * slope * count)))


class Curve:
    """Pieces one after the other; with `until_missed` only until one was not kept, and `at_least` is the rate that has
    to be reached."""

    exact = False

    def __init__(self, pieces: Sequence[Piece], until_missed: bool = False, at_least: float = 0.0) -> None:
        self.pieces = tuple(pieces)
        self.until_missed, self.at_least = until_missed, at_least

    @property
    def seconds(self) -> float:
        return sum(piece.seconds for piece in self.pieces)

    @property
    def highest(self) -> float:
        return max(max(piece.begin, piece.end) for piece in self.pieces)

    def planned(self, elapsed: float) -> float:
        total = 0.0
        for piece in self.pieces:
            if elapsed < piece.seconds:
                return total + piece.planned(max(0.0, elapsed))
            total, elapsed = total + piece.requests, elapsed - piece.seconds
        return total

    def due(self, count: float) -> float:
        start = 0.0
        for piece in self.pieces:
            if 0.0 < piece.requests >= count:
                return start + (piece.due(count) if count > 0.0 else 0.0)
            start, count = start + piece.seconds, count - piece.requests
        return math.inf


class Trace:
    """Recorded seconds, replayed `speed` times as fast; `times` rise from 0."""

    exact = True

    def __init__(self, times: Sequence[float], speed: float = 1.0) -> None:
        self._times = [time / speed for time in times]
        ends = (bisect.bisect_right(self._times, start + 1.0) for start in self._times)
        self.highest = float(max(end - first for first, end in enumerate(ends)))

    @property
    def seconds(self) -> float:
        return self._times[-1]

    def planned(self, elapsed: float) -> float:
        return float(bisect.bisect_right(self._times, elapsed))

    def due(self, count: float) -> float:
        place = math.floor(count)
        return self._times[place] if place < len(self._times) else math.inf


def steady(rate: float, seconds: float) -> Curve:
    """The same rate all the time."""
    return Curve([Piece(seconds, rate, rate)])


class Due(NamedTuple):
    """A request: when it is due, in seconds from the start of the load, which of the shares of the load it belongs to,
    and its number in the plan."""

    at: float
    share: int
    number: int


def due_times(arrivals: Arrivals, shares: Sequence[float], worker: int = 0, workers: int = 1) -> Iterator[Due]:
    """The requests that one of so many processes sends, in their order.

    `shares` of all requests add up to 1; a request goes to the share that is furthest behind, and of every share each
    process gets the same number, one more or less.
    """
    dealt = [0] * len(shares)
    for number in range(math.floor(arrivals.planned(arrivals.seconds) + _ROUNDING)):
        owed = [round(share * (number + 1) - given, 9) for share, given in zip(shares, dealt, strict=True)]
        behind = owed.index(max(owed))
        if dealt[behind] % workers == worker % workers:
            place = 0.5 if arrivals.exact else random.random()  # noqa: S311 - spreads load, guards nothing
            yield Due(arrivals.due(number + place), behind, number)
        dealt[behind] += 1
