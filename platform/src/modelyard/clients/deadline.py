"""One budget of seconds for a chain of calls: each call of the chain takes what the ones before it have left.

    with within(4.0):          the chain may take four seconds
        left(10.0)             -> 4.0; the first call waits no longer than that
        left(10.0)             -> what is left after it; Unreachable once nothing is

The budget belongs to the thread (or task) that entered it. Outside of `within` a call takes what it takes by itself.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from modelyard.errors import Unreachable


class _Budget(NamedTuple):
    seconds: float
    end: float
    clock: Callable[[], float]


_BUDGET: ContextVar[_Budget | None] = ContextVar("budget", default=None)


@contextmanager
def within(seconds: float, clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Gives the calls made inside `seconds` in all."""
    token = _BUDGET.set(_Budget(seconds, clock() + seconds, clock))
    try:
        yield
    finally:
        _BUDGET.reset(token)


def left(most: float) -> float:
    """Seconds that the next call may take, `most` at most. Raises Unreachable when the chain's budget is spent."""
    budget = _BUDGET.get()
    if budget is None:
        return most
    rest = budget.end - budget.clock()
    if rest <= 0:
        raise Unreachable(f"too slow: not all answers were there within {budget.seconds:g} s; it is asked again.")
    return min(most, rest)
