"""What is said of a Model that has no replicas because nobody asks, or that comes back for somebody who does."""

import math

from modelyard.api.status import ColdStartStatus, IdleState
from modelyard.core.conditions import ConditionUpdate, epoch

from .view import DecisionView

SCALED_TO_ZERO, WAKING = "ScaledToZero", "Waking"


def asleep(view: DecisionView) -> bool:
    """Whether no ready replica is as it should be: nobody asks, or the first one has had no time to come up yet."""
    idle, patience = view.idle, view.settings.serving.start_seconds
    if idle is None or idle.state not in (IdleState.ZERO, IdleState.WAKING):
        return False
    return idle.state is IdleState.ZERO or view.snapshot.now - epoch(idle.since) < patience


def idle_condition(view: DecisionView) -> ConditionUpdate | None:
    """The condition Serving of a Model at zero or on its way back; it holds, as requests wait. None for others."""
    idle, scaling = view.idle, view.model.spec.scaling
    if idle is None or not asleep(view):
        return None
    if idle.state is IdleState.WAKING:
        return ConditionUpdate(True, WAKING, f"Requests wait for the first replica of revision {idle.revision}.")
    after = f" for {scaling.idle_after}" if scaling is not None else ""
    said = f"Nobody asked{after}, so revision {idle.revision} has no replicas; the next request waits for its first."
    return ConditionUpdate(True, SCALED_TO_ZERO, said)


def cold_start_status(view: DecisionView) -> ColdStartStatus | None:
    """Nearest-rank percentiles of the latest cold starts; None before the first."""
    took = sorted(view.idle.cold_starts) if view.idle is not None else []
    if not took:
        return None
    median, longest = (took[math.ceil(share * len(took)) - 1] for share in (0.5, 0.99))
    return ColdStartStatus(p50=median, p99=longest, count=len(took))
