"""Request rates read from counted traffic."""

from modelyard.api.status import RevisionStatus
from modelyard.core.reporting.view import ready_replicas
from modelyard.core.snapshot import Snapshot

SPAN = 60
QUIET = 10.0
"""Requests per second a load test puts on a replica when the stable has no traffic to go by."""


def load_rate(snapshot: Snapshot, stable: RevisionStatus, candidate: RevisionStatus) -> float:
    """Requests per second for a load test: as asked, or as many per replica as the stable gets now."""
    asked = snapshot.model.spec.rollout.load_test
    if asked is not None and asked.requests_per_second is not None:
        return asked.requests_per_second
    mine, others = ready_replicas(snapshot, candidate.name), ready_replicas(snapshot, stable.name)
    return max(1, mine) * (request_rate(snapshot, stable.slot) / max(1, others) or QUIET)


def request_rate(snapshot: Snapshot, slot: str) -> float:
    """Requests per second of a slot over the last minute that was counted; 0 when nothing was."""
    slices = [one for one in snapshot.traffic.windows if one.end > snapshot.now - SPAN]
    seconds = sum(one.seconds for one in slices)
    return sum(one.of(slot).requests for one in slices) / seconds if seconds else 0.0
