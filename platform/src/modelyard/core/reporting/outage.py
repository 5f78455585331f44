"""Do users get answers? Whether the revision that holds the traffic fails them, by what the gateway counted.

Pods may be ready and KServe content while every request fails, so the counts of the last minute decide: they are an
outage when FEWEST of them failed and at least 14.4 times as many as `slo.errorRate` allows, the burn rate of
`statistics.burn_rate`, or half of all where so many cannot be.
"""

from typing import NamedTuple

from modelyard.api.model import ModelSpec
from modelyard.core.analysis.objectives import objectives
from modelyard.core.analysis.statistics.burn_rate import BURN
from modelyard.core.traffic import Traffic

SPAN = 60.0
FEWEST = 5
HALF = 0.5


class FailedShare(NamedTuple):
    """How many requests failed, of how many, in the last minute."""

    failed: int
    requests: int


def outage(spec: ModelSpec, traffic: Traffic, slot: str, now: float) -> FailedShare | None:
    """The requests that the revision in `slot` failed up to `now`, epoch seconds, if that is an outage; else None."""
    counted = [window.of(slot) for window in traffic.windows if window.end > now - SPAN]
    failed, requests = sum(counts.errors for counts in counted), sum(counts.requests for counts in counted)
    limit = min(HALF, BURN * objectives(spec)[-1].allowed)
    return FailedShare(failed, requests) if failed >= max(FEWEST, limit * requests) else None
