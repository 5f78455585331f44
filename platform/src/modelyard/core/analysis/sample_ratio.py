"""Does the candidate get the share of the requests that its weight promises?

With n requests since the weight took effect, c of them the candidate's, and w its weight,

    X^2 = (c - n w)^2 / (n w (1-w)) / d

has one degree of freedom. The design effect d, at least 2, is Pearson's dispersion of the slices: what comes
over one connection, or from one client in a row, counts as less than as many independent requests. Of an A/B
test's requests whole users go to one side, so they tell no more than USERS independent choices; that this many
users came is all that is assumed of them. Only the newest MOST requests count, so that a share that was
mended is seen to be.
"""

import math

from modelyard.api.rollout_status import GateName, GateStatus, GateVerdict, Phase

from .gate_input import GateInput
from .messages import percent

SETTLING = 2
FEWEST = 500
MOST = 20_000
SURPRISE = 1e-6
LEAST_EFFECT = 2.0
USERS = 100


def sample_ratio(gate_input: GateInput) -> GateStatus:
    """The gate's status: Hold when the observed share cannot be the weight's by chance; Pass otherwise.

    Needs a weight between 0 and 100 %, both excluded. Pass, too, while fewer than FEWEST requests were counted.
    """
    pairs = _pairs(gate_input)
    requests, mine = sum(both for both, _ in pairs), sum(own for _, own in pairs)
    status = GateStatus(
        name=GateName.SAMPLE_RATIO,
        verdict=GateVerdict.PASS,
        requests=mine,
        stable_requests=requests - mine,
        message=_say_few(requests),
    )
    if requests < FEWEST:
        return status
    observed = f"share: {mine} of {requests} requests ({percent(mine / requests)}) reached the candidate"
    weight = percent(gate_input.share)
    if chance(pairs, gate_input.share, sticky=gate_input.phase is Phase.SPLITTING) >= SURPRISE:
        return status.model_copy(update={"message": f"{observed}, weight {weight}: agrees."})
    message = (
        f"{observed}, but its weight is {weight}: SampleRatioMismatch, so counts are not comparable and it waits; "
        "check that no other route or weight points at the Model's services and that every pod of the gateway carries "
        "the route."
    )
    return status.model_copy(update={"verdict": GateVerdict.HOLD, "message": message})


def chance(pairs: list[tuple[int, int]], weight: float, *, sticky: bool = False) -> float:
    """Probability, 0..1, of a share at least as far from `weight` (0..1) as the observed one, by the formula above.

    `pairs` are (requests of both arms, the candidate's) by slice, with one request at least; `sticky` says that
    whole users go to one side.
    """
    requests, mine = sum(both for both, _ in pairs), sum(own for _, own in pairs)
    independent = requests / _design_effect(pairs, mine / requests)
    if sticky:
        independent = min(independent, float(USERS))
    return math.erfc(math.sqrt(independent * (mine / requests - weight) ** 2 / (weight * (1.0 - weight)) / 2.0))


def _pairs(gate_input: GateInput) -> list[tuple[int, int]]:
    """Requests of both arms and the candidate's, by slice, newest first."""
    pairs: list[tuple[int, int]] = []
    total = 0
    for window in reversed(gate_input.traffic.windows):
        if window.end - window.seconds < max(gate_input.since + SETTLING, gate_input.watched) or total >= MOST:
            break
        candidate, stable = window.of(gate_input.candidate_key).requests, window.of(gate_input.stable_slot).requests
        total += candidate + stable
        pairs.append((candidate + stable, candidate))
    return pairs


def _design_effect(pairs: list[tuple[int, int]], observed: float) -> float:
    filled = [(both, own) for both, own in pairs if both]
    if len(filled) < 2 or not 0.0 < observed < 1.0:
        return LEAST_EFFECT
    chi2 = sum((own - both * observed) ** 2 / both for both, own in filled) / (observed * (1.0 - observed))
    return max(LEAST_EFFECT, chi2 / (len(filled) - 1))


def _say_few(requests: int) -> str:
    return (
        f"share: {requests} requests so far; from {FEWEST} on the candidate's share of them is compared to its weight."
    )
