"""Does the candidate reject requests that the stable accepts?

An answer that calls a request the client's mistake (HTTP 4xx, the client's gRPC codes) counts against nobody, for
clients do make mistakes, and their requests go to both arms alike. So the arms are compared: of all rejected requests
a share that the candidate's part of the traffic cannot explain is its own doing. A new version that expects another
input, say, rejects everything and never fails.

| the candidate has | fails when it is proven that |
|---|---|
| a part of the traffic | it rejects more than 1 + maxRegression times what the stable does at the same time |
| all of it | it rejects more than MOST of the requests, which the stable before it did not |

Rejections that are proven to be fewer than may fail (`slo.errorRate`) are excused.

The e-values are those of `statistics.evalues`: every request goes to an arm by chance, so of rejections that come in
bursts each is a coin of its own. This gate may fail one good candidate in a thousand, beside the one in a hundred of
the gates for latency and errors. It never waits: those gates see to it that there are enough requests.
"""

import math
from typing import Any, NamedTuple

from modelyard.api.rollout_status import GateName, GateStatus, GateVerdict

from .gate_input import GateInput
from .gate_result import short
from .messages import LONGEST, percent
from .objectives import objectives, weights
from .statistics import evalues
from .statistics.sequential_test import SURE

ALPHA = 0.001
MOST = 0.5
_LARGEST = 700.0


class Rejections(NamedTuple):
    """Requests counted up to `end`, of both arms, and how many of them each rejected."""

    end: int = 0
    requests: int = 0
    rejected: int = 0
    stable_requests: int = 0
    stable_rejected: int = 0

    @property
    def share(self) -> float:
        """The candidate's share of the requests; 0 before there were any."""
        both = self.requests + self.stable_requests
        return self.requests / both if both else 0.0


def client_errors(gate_input: GateInput) -> GateStatus:
    """The gate's status: Fail by the table above, else Pass."""
    seen = _with_new_windows(gate_input, _before(gate_input))
    threshold = math.log(weights(gate_input.spec.rollout) / ALPHA)
    against = _only_its_own(seen) if gate_input.without_baseline else _regression(gate_input, seen)
    failed = against >= threshold
    return GateStatus(
        name=GateName.CLIENT_ERRORS,
        verdict=GateVerdict.FAIL if failed else GateVerdict.PASS,
        message=_sentence(gate_input, seen, failed),
        requests=seen.requests,
        failed_requests=seen.rejected,
        stable_requests=seen.stable_requests,
        stable_failed_requests=seen.stable_rejected,
        evidence_against=short(math.exp(min(against, _LARGEST))),
        fail_threshold=short(math.exp(threshold)),
        state=_as_json(seen),
    )


def _with_new_windows(gate_input: GateInput, seen: Rejections) -> Rejections:
    """What was counted at this weight; with all the traffic at the candidate, the stable's before that."""
    for window in gate_input.traffic.windows:
        if window.end <= max(seen.end, gate_input.watched):
            continue
        stable, candidate = window.of(gate_input.stable_slot), window.of(gate_input.candidate_key)
        _, a, b, c, d = seen
        earlier = window.end <= gate_input.since
        if not earlier:
            a, b = a + candidate.requests, b + candidate.rejected
        if earlier == gate_input.without_baseline:
            c, d = c + stable.requests, d + stable.rejected
        seen = Rejections(window.end, a, b, c, d)
    return seen


def _regression(gate_input: GateInput, seen: Rejections) -> float:
    """log e against "it rejects no more than the stable, as far as maxRegression allows"; 0 where that is excused."""
    allowed = objectives(gate_input.spec)[-1].allowed
    ratio = 1.0 + gate_input.spec.rollout.regression()
    if not seen.rejected or evalues.below(seen.requests, seen.rejected, allowed) >= -math.log(SURE):
        return 0.0
    return evalues.ratio_above(seen.rejected, seen.stable_rejected, seen.share, ratio)


def _only_its_own(seen: Rejections) -> float:
    """log e against "it rejects at most MOST"; 0 where the stable before it did so too, or was not seen."""
    if not seen.rejected or seen.stable_rejected >= MOST * seen.stable_requests:
        return 0.0
    return evalues.above(seen.requests, seen.rejected, MOST)


def _sentence(gate_input: GateInput, seen: Rejections, failed: bool) -> str:
    rate = f" ({percent(seen.rejected / seen.requests)})" if seen.rejected else ""
    numbers = f"{seen.rejected} of {seen.requests} requests were rejected as the client's mistake{rate}"
    before = " before" if gate_input.without_baseline else ""
    stable = f"; stable{before} {seen.stable_rejected} of {seen.stable_requests}"
    end = "nothing that the stable does not reject as well"
    if failed:
        end = (
            "it rejects what the stable accepts: fails; "
            "its inputs (names, datatypes, shapes) must be those that clients send"
        )
    return f"{GateName.CLIENT_ERRORS}: {numbers}{stable}; {end}."[:LONGEST]


def _before(gate_input: GateInput) -> Rejections:
    """What was stored; nothing when another version wrote it in another form: counting begins anew."""
    gate = gate_input.before.get(GateName.CLIENT_ERRORS)
    stored = gate.state if gate is not None and gate.state is not None else {}
    try:
        return Rejections(*map(int, (stored["windowEnd"], *stored["counts"])))
    except (KeyError, TypeError, ValueError):
        return Rejections()


def _as_json(seen: Rejections) -> dict[str, Any]:
    return {"windowEnd": seen.end, "counts": list(seen[1:])}
