"""Which changes of a status may pass in a moment, and so have to stand for some seconds before they are written.

A revision that starts is waited for by several parties that answer one after the other: KServe makes its Service, the
gateway takes up three routes, a replica comes up. Each would be a write of a sentence that the next one replaces. So in
the first STANDS seconds of a rollout's phase such sentences wait; a fact never does:

| what differs | written |
|---|---|
| an Event goes with it, a revision, the rollout, the artifact, the generation, a weight | at once |
| the status of a condition other than Routed, or a sentence with a reason that means harm | at once |
| addresses, how many replicas and who chooses, Routed, and the sentence about what is waited for | when it has stood |
"""

from modelyard.api.status import Condition, ModelStatus
from modelyard.core.conditions import epoch
from modelyard.core.event_types import means_harm

STANDS = 5.0
"""Seconds."""
_MAY_PASS = {"conditions": [], "replicas": 0, "url": "", "path_url": "", "grpc": "", "scaling": None}


def seconds_to_stand(old: ModelStatus, new: ModelStatus, now: float) -> float | None:
    """How long `new` has to wait before it is written over `old`, at `now` (seconds since the epoch); None for not."""
    begun = new.rollout.phase_start_time if new.rollout is not None else ""
    rest = epoch(begun) + STANDS - now if begun else 0.0
    if rest <= 0 or old.model_copy(update=_MAY_PASS) != new.model_copy(update=_MAY_PASS):
        return None
    before = {condition.type: condition for condition in old.conditions}
    pairs = [(before.get(condition.type), condition) for condition in new.conditions]
    return rest if len(pairs) == len(before) and all(_may_pass(*pair) for pair in pairs) else None


def _may_pass(old: Condition | None, new: Condition) -> bool:
    if old is None:
        return False
    moved = old.status != new.status and new.type != "Routed"
    return old == new or not (moved or means_harm(old.reason) or means_harm(new.reason))
