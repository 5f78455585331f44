"""When a rollout that is watched has ended, and with which exit code.

| seen | exit code |
|---|---|
| promoted, and the traffic is with it; or ended with the report it was made for | 0 |
| no rollout under way, and the wanted revision holds the traffic | 0 |
| aborted, failed, rolled back | 1 |
| stuck before it began: no such entry, a failed build | 1 |
| superseded by a newer spec | none: the next rollout is watched |

While the operator has not taken up the latest spec nothing has ended: so `kubectl apply` and then `watch` works. Who
moves an alias changes no spec: with the version that is meant, nothing has ended before something is known of it.
"""

from dataclasses import dataclass

from modelyard.api.rollout_status import Outcome, Phase, RolloutRecord
from modelyard.api.status import ModelStatus, Stage

from .view import RolloutView, summary_line

_CODES = {
    Outcome.PROMOTED: 0,
    Outcome.REPORTED: 0,
    Outcome.ABORTED: 1,
    Outcome.FAILED: 1,
    Outcome.ROLLED_BACK: 1,
}
_ON_ITS_WAY = (Stage.STARTING, Stage.JOINING)


@dataclass(frozen=True)
class ExitStatus:
    """The exit code, and why in a sentence."""

    code: int
    sentence: str


def ending(rollout_view: RolloutView, began: str, wanted: str = "") -> ExitStatus | None:
    """How the rollout ended, with the exit code of the table above; None while it goes on.

    `began` is the start time (RFC 3339) of the rollout that was last seen under way, empty when none was seen; `wanted`
    is the version it is about, empty when that is whatever the spec says.
    """
    rollout, status = rollout_view.rollout, rollout_view.model.status
    if rollout_view.behind:
        return None
    stuck = rollout.phase in (Phase.IDLE, Phase.BUILDING) and _holds(status, "Stalled") and not rollout.rejected
    if stuck and wanted in ("", rollout_view.model.spec.source.version, status.entry.version if status.entry else ""):
        return ExitStatus(1, f"{rollout_view.model.name} is stuck: {_message(status, 'Stalled')}")
    if rollout.active or _joins(rollout_view) or (wanted and not _tells_of(rollout_view, wanted)):
        return None
    if rollout.history and (rollout.rejected or rollout.history[0].start_time == began):
        return _recorded(rollout_view, rollout.history[0])
    if began:
        return _unrecorded(rollout_view)
    if _holds(status, "Ready") and not _holds(status, "Reconciling"):
        last = f" The last one: {summary_line(rollout.history[0], rollout_view.now)}." if rollout.history else ""
        return ExitStatus(0, f"No rollout is under way; version {status.version} holds the traffic.{last}")
    return None


def _joins(rollout_view: RolloutView) -> bool:
    """Whether what was promoted is still on its way into the traffic: until then the old one answers, or nobody."""
    rollout, revisions = rollout_view.rollout, rollout_view.model.status.revisions
    on_its_way = (revision.name for revision in revisions if revision.stage in _ON_ITS_WAY)
    return not rollout.rejected and rollout.stable in on_its_way


def _tells_of(rollout_view: RolloutView, version: str) -> bool:
    """Whether that version has the traffic, or the last rollout was its."""
    history = rollout_view.rollout.history
    return rollout_view.model.status.version == version or (bool(history) and history[0].version == version)


def _recorded(rollout_view: RolloutView, record: RolloutRecord) -> ExitStatus | None:
    code = _CODES.get(record.outcome)
    return None if code is None else ExitStatus(code, f"{summary_line(record, rollout_view.now)}. {record.message}")


def _unrecorded(rollout_view: RolloutView) -> ExitStatus | None:
    """The first revision of a Model leaves no record, and neither does what ends before it had a candidate."""
    rollout = rollout_view.rollout
    if rollout.reason == Outcome.SUPERSEDED:
        return None
    return ExitStatus(0 if rollout.reason == Outcome.PROMOTED else 1, f"{rollout_view.model.name}: {rollout.message}")


def _holds(status: ModelStatus, kind: str) -> bool:
    condition = status.condition(kind)
    return condition is not None and condition.status == "True"


def _message(status: ModelStatus, kind: str) -> str:
    condition = status.condition(kind)
    return condition.message if condition else ""
