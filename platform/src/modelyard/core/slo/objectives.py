"""The promises of `spec.slo`, in the form in which they are counted and alerted on.

| objective | what is counted | bad is | allowed |
|---|---|---|---|
| errors | requests | HTTP 5xx, gRPC server codes | slo.errorRate |
| latency | answers, and requests their client gave up on | above slo.latency.threshold | 1 - slo.latency.percentile |
| availability | seconds | not Ready, or half of the requests fail | 1 - slo.availability |

A rollout judges errors by a default where none were promised (`core.analysis.objectives`); nobody is woken for what
nobody promised, so here only what the spec says counts.
"""

from enum import StrEnum
from typing import NamedTuple

from modelyard.api.model import Slo
from modelyard.api.quantity import fraction, seconds
from modelyard.core.analysis.objectives import usable_threshold

LATENCY_BOUNDS_MS = (
    1, 2, 3, 5, 7.5, 10, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000, 1500, 2000, 3000, 5000,
    10000,
)  # fmt: skip
"""Bounds of the gateway's latency buckets, milliseconds: the chart's EnvoyProxy has the same (a test compares)."""


class Promise(StrEnum):
    """What a Model can be held to."""

    ERRORS = "errors"
    LATENCY = "latency"
    AVAILABILITY = "availability"


class PromisedObjective(NamedTuple):
    """One promise: the share (0..1) that may be bad, in the words of the spec, and for latency the bound that judges.

    `bound` is the largest bucket bound, in milliseconds, that is not above the threshold; None for other promises, and
    for a threshold below every bound, which cannot be judged.
    """

    promise: Promise
    allowed: float
    text: str
    bound: float | None = None

    @property
    def countable(self) -> bool:
        """Whether the gateway's counters can tell good from bad."""
        return self.promise is not Promise.LATENCY or self.bound is not None


def promised(slo: Slo | None) -> tuple[PromisedObjective, ...]:
    """The promises of a spec, in the order of `Promise`; empty without any."""
    if slo is None:
        return ()
    found: list[PromisedObjective] = []
    if slo.error_rate is not None:
        found.append(PromisedObjective(Promise.ERRORS, float(fraction(slo.error_rate)), f"{slo.error_rate} may fail"))
    if slo.latency is not None:
        slow = round(1.0 - slo.latency.percentile / 100.0, 9)
        bound = usable_threshold(round(1000.0 * seconds(slo.latency.threshold), 6), LATENCY_BOUNDS_MS)
        text = f"p{slo.latency.percentile:g} within {slo.latency.threshold}"
        found.append(PromisedObjective(Promise.LATENCY, slow, text, bound))
    if slo.availability is not None:
        away = round(1.0 - float(fraction(slo.availability)), 9)
        found.append(PromisedObjective(Promise.AVAILABILITY, away, f"{slo.availability} of the time"))
    return tuple(found)
