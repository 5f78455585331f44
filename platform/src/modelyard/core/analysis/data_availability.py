"""Whether there is anything to judge by: do the gateway's counters come, and do requests reach the candidate.

No requests for half a minute are worth telling whoever waits. With little traffic and a small weight that is
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


def outage(gate_input: GateInput) -> float | None:
    """Seconds since the last slice of counters; None while they come, or are at most LATE (the first: NEVER) late."""
    if not gate_input.traffic.failure:
        return None
    slices = gate_input.traffic.windows
    age = gate_input.now - (slices[-1].end if slices else gate_input.since)
    return age if age > (LATE if slices else NEVER) else None


def rate(gate_input: GateInput, objective: Objective) -> float:
    """The candidate's counted requests per second over the last minute, at this weight."""
    return _rate(gate_input, objective, (gate_input.candidate_key,))


def silence(gate_input: GateInput, objective: Objective) -> float:
    """Seconds without a request to the candidate, as far as was counted.

    What nobody counted is not known to be silence: 0 as long as there is no window, as when the operator was away.
    """
    for window in _at_this_weight(gate_input):
        if objective.count(window.of(gate_input.candidate_key))[0]:
            return gate_input.now - window.end
    slices = gate_input.traffic.windows
    if not slices:
        return 0.0
    return gate_input.now - max(gate_input.since, slices[0].end - slices[0].seconds)


def silence_limit(gate_input: GateInput, objective: Objective) -> float:
    """Seconds of silence from which on it is a surprise: QUIET at least, LONGEST_QUIET at most."""
    expected = gate_input.share * _rate(gate_input, objective, (gate_input.candidate_key, gate_input.stable_slot))
    if expected <= 0.0:
        return QUIET
    return min(max(QUIET, SURPRISE / expected), LONGEST_QUIET)


def _rate(gate_input: GateInput, objective: Objective, slots: tuple[str, ...]) -> float:
    requests = span = 0
    for window in _at_this_weight(gate_input):
        if window.end <= gate_input.now - SPAN:
            break
        span += window.seconds
        requests += sum(objective.count(window.of(slot))[0] for slot in slots)
    return requests / span if span else 0.0


def _at_this_weight(gate_input: GateInput) -> Iterator[TrafficWindow]:
    """Slices since the weight was written, newest first."""
    for window in reversed(gate_input.traffic.windows):
        if window.end <= gate_input.since:
            return
        yield window
