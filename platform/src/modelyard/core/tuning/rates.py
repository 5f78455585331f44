"""Which rate to offer next, until the highest one is known at which a server keeps its objective.

    first      what another server kept, if there is one to beat; else 0.7 of the rate at saturation
    all kept   half as much again, up to a quarter above the rate at saturation, which was measured for a moment only
    all missed a quarter of it, until a 64th of the first was missed too
    both       the geometric mean of the highest kept and the lowest missed, until they are 3 % apart
    at last    7, 5 and 3 tenths of the highest kept, where nothing near was offered

A rate that was missed once is offered once more: a server that is not in a queue of its own making keeps it then. Below
the highest kept there is looked because a server may do more when it is asked more: one that has a single core takes
requests one by one until so many come that they wait for one another, and then together. Who is asked less than that
waits longer, so what it takes on is the highest rate below all that were missed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

CLOSE = 1.03
_BEGIN, _UP, _DOWN, _LEAST, _CEILING = 0.7, 1.5, 0.25, 1 / 64, 1.25
_BELOW, _NEAR = (0.7, 0.5, 0.3), 1.1
_TWICE = 2


@dataclass(frozen=True)
class OfferedRate:
    """Requests a second that were offered, and whether the objective was kept."""

    rate: float
    kept: bool


def next_rate(offered: Sequence[OfferedRate], saturated: float, to_beat: float = 0.0, most: int = 24) -> float | None:
    """The next rate to offer to a server that answers `saturated` requests a second at most; None when enough is known.

    `to_beat` is a rate that is known to be kept by others: whoever misses it is not looked at further.
    """
    first, ceiling = to_beat or _BEGIN * saturated, _CEILING * saturated
    if not offered:
        return first if first <= ceiling else None
    doubtful = [rate for rate, count in _missed(offered).items() if count < _TWICE]
    if len(offered) >= most:
        return None
    if doubtful:
        return doubtful[0]
    kept, lowest = highest_kept(offered), _lowest_missed(offered)
    if to_beat and lowest <= to_beat:
        return None
    if kept == 0.0:
        return lowest * _DOWN if lowest > first * _LEAST else None
    if lowest / kept > CLOSE and kept < ceiling:
        return math.sqrt(kept * lowest) if lowest < math.inf else min(kept * _UP, ceiling)
    return next((share * kept for share in _BELOW if not _is_offered(share * kept, offered)), None)


def _is_offered(rate: float, offered: Sequence[OfferedRate]) -> bool:
    return any(rate / _NEAR <= point.rate <= rate * _NEAR for point in offered)


def highest_kept(offered: Sequence[OfferedRate]) -> float:
    """The highest rate that was kept and lies below all that were missed; 0 when there is none."""
    limit = _lowest_missed(offered)
    return max((point.rate for point in offered if point.kept and point.rate < limit), default=0.0)


def _missed(offered: Sequence[OfferedRate]) -> dict[float, int]:
    """How often each rate was missed that was never kept, in the order they were offered."""
    kept = {point.rate for point in offered if point.kept}
    missed = [point.rate for point in offered if point.rate not in kept]
    return {rate: missed.count(rate) for rate in missed}


def _lowest_missed(offered: Sequence[OfferedRate]) -> float:
    return min(_missed(offered), default=math.inf)
