"""Whether there is anything to judge by: do the gateway's counters come, and do requests reach the candidate.

No requests for half a minute are worth a word to whoever waits. With little traffic and a small weight that is
quite usual, so the patience is as long as makes silence a one in fifty surprise, exp(-4), and five minutes at most.
"""

from collections.abc import Iterator

from modelyard.core.traffic import TrafficWindow

from .gate_input import GateInput
from .objectives import Objective

SPAN = 60
QUIET = 30.0
LONGEST_QUIET = 300.0
SURPRISE = 4.0
LATE = 5.0
NEVER = 10.0


def outage(look: GateInput) -> float | None:
    """For how many seconds the counters have not come; None while they do, or may be about to."""
    if not look.traffic.failure:
        return None
    slices = look.traffic.windows
    age = look.now - (slices[-1].end if slices else look.since)
    return age if age > (LATE if slices else NEVER) else None


def rate(look: GateInput, asked: Objective) -> float:
    """The candidate's counted requests per second over the last minute, at this weight."""
    return _rate(look, asked, (look.candidate_key,))


def silence(look: GateInput, asked: Objective, counted_to: int = 0) -> float:
    """Seconds without a request to the candidate, as far as is known; `counted_to` is the end of its last window."""
    for one in _at_this_weight(look):
        if asked.count(one.of(look.candidate_key))[0]:
            return look.now - one.end
    slices = look.traffic.windows
    known = slices[0].end - slices[0].seconds if slices else counted_to
    return look.now - max(look.since, known)


def silence_limit(look: GateInput, asked: Objective) -> float:
    """Seconds of silence that mean something."""
    expected = look.share * _rate(look, asked, (look.candidate_key, look.stable_slot))
    if expected <= 0.0:
        return QUIET
    return min(max(QUIET, SURPRISE / expected), LONGEST_QUIET)


def _rate(look: GateInput, asked: Objective, slots: tuple[str, ...]) -> float:
    requests = span = 0
    for one in _at_this_weight(look):
        if one.end <= look.now - SPAN:
            break
        span += one.seconds
        requests += sum(asked.count(one.of(slot))[0] for slot in slots)
    return requests / span if span else 0.0


def _at_this_weight(look: GateInput) -> Iterator[TrafficWindow]:
    """Slices since the weight was written, newest first."""
    for one in reversed(look.traffic.windows):
        if one.end <= look.since:
            return
        yield one
