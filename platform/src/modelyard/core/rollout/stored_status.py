"""A status as another version of the platform left it, made fit to go on from.

Times that are not there (fields had other names, see decision 0020) count from now: what waits, waits once more in
full, and nothing is taken for long past. Times that have not come yet, because a clock ran ahead, count from now as
well, or whatever waits would wait for as long as that clock was wrong. Records of ended rollouts without times say
nothing and are left out. A pause whose beginning was not written down began with the phase that it holds.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from modelyard.api.rollout_status import RolloutStatus
from modelyard.api.status import RevisionStatus
from modelyard.core.conditions import epoch, timestamp
from modelyard.core.snapshot import Snapshot

from . import clock

T = TypeVar("T", RevisionStatus, RolloutStatus)

_AHEAD_SECONDS = 5.0
"""So far the clocks of two nodes may differ without a word."""
_REVISION_TIMES = ("stage_start_time", "programmed_time")
_ROLLOUT_TIMES = ("start_time", "phase_start_time", "held_start_time", "failing_since", "last_analysis_time")


def with_times(snapshot: Snapshot) -> Snapshot:
    """The snapshot whose revisions and rollout have all their times, none to come; the same object when they do."""
    status, now = snapshot.model.status, timestamp(snapshot.now)
    revisions = [_dated_revision(_come(revision, _REVISION_TIMES, snapshot.now), now) for revision in status.revisions]
    rollout = status.rollout and _dated_rollout(_come(status.rollout, _ROLLOUT_TIMES, snapshot.now), now)
    if revisions == status.revisions and rollout == status.rollout:
        return snapshot
    dated = status.model_copy(update={"revisions": revisions, "rollout": rollout})
    return replace(snapshot, model=snapshot.model.model_copy(update={"status": dated}))


def _come(stored: T, names: Sequence[str], now: float) -> T:
    """The same with `now` in place of times that have not come yet; itself when all have."""
    times = {name: getattr(stored, name) for name in names}
    early = {name: timestamp(now) for name, time in times.items() if time and epoch(time) > now + _AHEAD_SECONDS}
    return stored.model_copy(update=early) if early else stored


def _dated_revision(revision: RevisionStatus, now: str) -> RevisionStatus:
    return revision if revision.stage_start_time else revision.model_copy(update={"stage_start_time": now})


def _dated_rollout(rollout: RolloutStatus, now: str) -> RolloutStatus:
    changes: dict[str, object] = {}
    if rollout.active and not rollout.phase_start_time:
        changes = {"start_time": rollout.start_time or now, "phase_start_time": now}
    history = [record for record in rollout.history if record.start_time and record.end_time]
    if len(history) < len(rollout.history):
        changes["history"] = history
    rollout = rollout.model_copy(update=changes) if changes else rollout
    if clock.stands(rollout) and not (rollout.pauses and not rollout.pauses[-1].end_time):
        return clock.with_pause_since(rollout, rollout.phase_start_time)
    return rollout
