"""Request rates read from counted traffic."""

from modelyard.api.status import RevisionStatus
from modelyard.core.revisions.readiness import ready_replicas
from modelyard.core.snapshot import Snapshot

SPAN = 60
QUIET = 10.0
"""Requests per second a load test puts on a replica when the stable has no traffic to go by."""


def load_rate(snapshot: Snapshot, stable: RevisionStatus, candidate: RevisionStatus) -> float:
    """Requests per second for a load test: what the spec says, else what the stable gets now.

    That is per replica: the candidate's ready replicas times the stable's requests per ready replica (`QUIET` without
    traffic); a revision without ready replicas counts as one.
    """
    load_test = snapshot.model.spec.rollout.load_test
    if load_test is not None and load_test.requests_per_second is not None:
        return load_test.requests_per_second
    replicas = max(1, ready_replicas(snapshot, candidate.name))
    stable_replicas = max(1, ready_replicas(snapshot, stable.name))
    return replicas * (request_rate(snapshot, stable.slot) / stable_replicas or QUIET)


def request_rate(snapshot: Snapshot, slot: str) -> float:
    """Requests per second of a slot over the windows of the last `SPAN` seconds; 0 when nothing was counted."""
    windows = [window for window in snapshot.traffic.windows if window.end > snapshot.now - SPAN]
    seconds = sum(window.seconds for window in windows)
    return sum(window.of(slot).requests for window in windows) / seconds if seconds else 0.0
