"""Does the autoscaler of a revision work, as its own conditions say? Kubernetes keeps the replicas where it does not.

KEDA says at once that it cannot ask Prometheus. That somebody else has changed the object while it wrote its label says
nothing: it tries again at once. A HorizontalPodAutoscaler has no metrics of pods that have just
started, so its complaint counts after GRACE seconds.
"""

from typing import NamedTuple

from modelyard.core.conditions import epoch
from modelyard.core.snapshot import Object

GRACE = 120.0
_WRITTEN_MEANWHILE = "the object has been modified"
"""Kubernetes' words for a write that came second (reason Conflict)."""


class Complaint(NamedTuple):
    """What an autoscaler says against itself: a reason word and a sentence; `wait` seconds until that counts."""

    reason: str
    message: str
    wait: float = 0.0


def complaint(autoscaler: Object, now: float) -> Complaint | None:
    """What a ScaledObject or a HorizontalPodAutoscaler complains of at `now` (epoch seconds); None when it works."""
    conditions = {row["type"]: row for row in autoscaler.get("status", {}).get("conditions") or ()}
    paused, ready, active = (conditions.get(kind) or {} for kind in ("Paused", "Ready", "ScalingActive"))
    name = autoscaler["metadata"]["name"]
    if paused.get("status") == "True":
        return Complaint("AutoscalerPaused", f"Somebody has paused the ScaledObject {name}, so the replicas stay.")
    if ready.get("status") == "False" and _WRITTEN_MEANWHILE not in ready.get("message", ""):
        return Complaint("AutoscalerFails", f"KEDA cannot tell, so the replicas stay: {_said(ready)}")
    if active.get("status") == "False" and active.get("reason") != "ScalingDisabled":
        since = active.get("lastTransitionTime") or ""
        wait = max(0.0, epoch(since) + GRACE - now) if since else 0.0
        message = f"The HorizontalPodAutoscaler {name} cannot tell, so the replicas stay: {_said(active)}"
        return Complaint("AutoscalerFails", message, wait)
    return None


def _said(condition: Object) -> str:
    return f"{condition.get('message') or condition.get('reason') or 'it does not say why'}".rstrip(".") + "."
