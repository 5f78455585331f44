"""What a rollout's state asks of the revisions: a pure function, so that a restarted operator asks for the same.

The candidate's weight is `status.rollout.weight`, the stable has the rest; at 100 the stable stands by. A weight
rises only when the candidate has the replicas for it: the stable's at the rollout's start, in proportion. The
stable keeps those replicas to the end, so that it can take everything back at any moment.
"""

import math
from collections.abc import Mapping, Sequence

from modelyard.api.rollout_status import Phase, RolloutStatus
from modelyard.api.status import RevisionStatus, Stage
from modelyard.core.conditions import epoch
from modelyard.core.names import predictor
from modelyard.core.revisions.lifecycle import TrafficTarget
from modelyard.core.revisions.readiness import ready_replicas, replicas
from modelyard.core.snapshot import Snapshot

_WHOLE = frozenset({Phase.PREVIEWING, Phase.BAKING})
"""Phases in which the candidate has the stable's full capacity, whatever its weight."""


def traffic_target(rollout: RolloutStatus, start: RevisionStatus | None, now: float) -> TrafficTarget:
    """What traffic each revision is to have in a state of the rollout; `start` is the revision the spec asks for, if
    known.

    Whether the candidate has the capacity is not asked here: see `limited_by_capacity`.
    """
    kept = {rollout.rejected} if rollout.retain_until and epoch(rollout.retain_until) > now else set[str]()
    if rollout.active and rollout.phase is not Phase.ABORTING and rollout.candidate:
        kept.add(rollout.candidate)
    standby = frozenset({rollout.stable}) if rollout.weight == 100 and rollout.stable else frozenset[str]()
    begins = start is not None and rollout.active and start.name == rollout.candidate
    return TrafficTarget(_weights(rollout), standby, frozenset(kept), start if begins else None)


def limited_by_capacity(
    rollout: RolloutStatus, revisions: Sequence[RevisionStatus], snapshot: Snapshot
) -> RolloutStatus:
    """The state with the weight the candidate has capacity for.

    As long as it has not the replicas for a higher weight, it keeps the weight it has now.
    """
    candidate = next((revision for revision in revisions if revision.name == rollout.candidate), None)
    if candidate is None or not rollout.stable or rollout.phase is Phase.ABORTING:
        return rollout
    has = candidate.weight if candidate.stage is Stage.SERVING else 0
    if rollout.weight <= has or has_capacity(snapshot, rollout):
        return rollout
    return rollout.model_copy(update={"weight": has})


def has_capacity(snapshot: Snapshot, rollout: RolloutStatus) -> bool:
    """Whether as many replicas of the candidate are ready as its state needs."""
    scaling = snapshot.model.spec.scaling
    enough = needed(rollout) if scaling is None else min(needed(rollout), scaling.max_replicas)
    return ready_replicas(snapshot, rollout.candidate) >= enough


def needed(rollout: RolloutStatus) -> int:
    """How many replicas the candidate needs in a state: its weight of the stable's replicas, at least 1."""
    return _in_proportion(rollout, rollout.replicas)


def min_replicas(rollout: RolloutStatus, snapshot: Snapshot) -> Mapping[str, int]:
    """Fewest replicas by revision name while a rollout is under way, whatever the spec says; empty without one.

    When the stable has been given more since the rollout began, the candidate gets more with it.
    """
    if not rollout.active or not rollout.stable:
        return {}
    now = max(rollout.replicas, replicas(snapshot, predictor(rollout.stable)))
    return {rollout.stable: rollout.replicas, rollout.candidate: _in_proportion(rollout, now)}


def _in_proportion(rollout: RolloutStatus, stable: int) -> int:
    """As many replicas as the candidate's weight asks for when the stable has so many."""
    weight = 100 if rollout.at in _WHOLE else rollout.weight
    return max(1, math.ceil(stable * weight / 100))


def _weights(rollout: RolloutStatus) -> dict[str, int]:
    """Weights in percent by revision; empty before there is a stable, and while the old one is replaced."""
    candidate = rollout.weight if rollout.candidate else 0
    weights = {rollout.stable: 100 - candidate, rollout.candidate: candidate}
    return {name: weight for name, weight in weights.items() if weight and rollout.stable}
