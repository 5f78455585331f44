"""What keeps a drain from taking all replicas of a revision at once: a PodDisruptionBudget each.

A revision with two replicas or more has one. It lets one replica go at a time (`maxUnavailable`, which holds for any
number) and always those that are not ready, so that a drain goes on as soon as the replica before last is back. A
revision with one replica has none: nothing could be evicted without an outage, and a drain must not wait for ever.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from modelyard.api.status import IdleStatus, RevisionStatus
from modelyard.core.names import REVISION_LABEL, predictor
from modelyard.core.snapshot import Snapshot

from . import owned_object
from .scaling import wanted_replicas


def disruption_budgets(
    snapshot: Snapshot,
    revisions: Sequence[RevisionStatus],
    floors: Mapping[str, int],
    idle: IdleStatus | None = None,
) -> list[dict[str, Any]]:
    """The budgets of these revisions; `floors` are the fewest replicas by revision name that a rollout needs."""
    return [
        owned_object(
            snapshot.model,
            "PodDisruptionBudget",
            predictor(revision.name),
            {
                "spec": {
                    "maxUnavailable": 1,
                    "selector": {"matchLabels": {REVISION_LABEL: revision.name}},
                    "unhealthyPodEvictionPolicy": "AlwaysAllow",
                }
            },
            labels={REVISION_LABEL: revision.name},
        )
        for revision in revisions
        if wanted_replicas(snapshot, revision.name, floors, idle) > 1
    ]
