"""The clock of a rollout: it stands while a person holds it, by a command or by a step with `pause: true`.

    elapsed(since) = now - since - what of the pauses lies in between

Whatever a rollout allows or asks time for is measured by this clock: maxDuration, the hold of a step, a preview, a
mirror, a split, the bake, and how long a candidate without traffic may take to start. What users feel is not: a
candidate that has their requests and fails is out as fast in a pause as at any other time.
"""

from collections.abc import Sequence

from modelyard.api.rollout_status import PAUSES, PauseRecord, Phase, RolloutStatus
from modelyard.api.status import ModelStatus, Stage
from modelyard.core.conditions import epoch, timestamp

PAUSED, PAUSE_STEP = "Paused", "PauseStep"
PERSONS = frozenset({PAUSED, PAUSE_STEP})
"""Reasons of a hold that is a person's wish."""


def stands(rollout: RolloutStatus) -> bool:
    """Whether the clock stands in this state."""
    if rollout.phase in (Phase.IDLE, Phase.ABORTING):
        return False
    return rollout.paused or (rollout.phase is Phase.HOLDING and rollout.reason == PAUSE_STEP)


def paused_seconds(rollout: RolloutStatus, since: float, now: float) -> float:
    """Seconds for which the clock stood between two moments, both in seconds since the epoch."""
    return sum(
        max(0.0, min(now, epoch(pause.end_time) if pause.end_time else now) - max(since, epoch(pause.start_time)))
        for pause in rollout.pauses
    )


def with_pauses(rollout: RolloutStatus, now: float) -> RolloutStatus:
    """The state with its pause begun or ended at `now`; itself when the clock goes on, or stands, as before."""
    is_open = bool(rollout.pauses) and not rollout.pauses[-1].end_time
    if stands(rollout) == is_open:
        return rollout
    if is_open:
        closed = rollout.pauses[-1].model_copy(update={"end_time": timestamp(now)})
        return rollout.model_copy(update={"pauses": [*rollout.pauses[:-1], closed]})
    return with_pause_since(rollout, timestamp(now))


def with_pause_since(rollout: RolloutStatus, since: str) -> RolloutStatus:
    """The state with a pause that began at an RFC 3339 time and lasts."""
    return rollout.model_copy(update={"pauses": _shortened([*rollout.pauses, PauseRecord(start_time=since)])})


def start_patience(status: ModelStatus, seconds: float, now: float) -> float:
    """Seconds a starting revision may take: `seconds`, and what of its start went by in pauses."""
    rollout = status.rollout
    starting = [epoch(revision.stage_start_time) for revision in status.revisions if revision.stage is Stage.STARTING]
    if rollout is None or not starting:
        return seconds
    return seconds + paused_seconds(rollout, min(starting), now)


def _shortened(pauses: Sequence[PauseRecord]) -> list[PauseRecord]:
    """At most PAUSES of them: of too many the two oldest become one that is as long as both and ends with the second.

    Only what began between those two would be measured wrongly, and nothing that old is still measured but the
    rollout's own start.
    """
    if len(pauses) <= PAUSES:
        return list(pauses)
    first, second, *rest = pauses
    length = epoch(first.end_time) - epoch(first.start_time)
    joined = PauseRecord(start_time=timestamp(epoch(second.start_time) - length), end_time=second.end_time)
    return _shortened([joined, *rest])
