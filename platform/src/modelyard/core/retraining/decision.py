"""Whether a new version is to be trained now, and what became of the one under way.

| state, reason | when |
|---|---|
| Off, SwitchedOff | `config.retraining.enabled` is false: what ran is ended |
| Off, RetrainingPaused | `spec.retrain.paused`: the same, of this Model |
| Idle, NotCalledFor | no cause that the spec lists is there |
| Waiting, any of `obstacles` | one is there, and something keeps it from being begun |
| Running, Training | a Job trains and judges |
| Running, JobSuspended | somebody keeps that Job from its work |
| Running, Calling | an address is being told |

    Idle, Waiting --called for, no obstacle--> Running --its end is known--> `last`, and Idle or Waiting again

The status remembers what is under way, so that there are never two, whoever leads: it is written before the Job is
made. A Job that nobody waits for any more is ended; one that has ended stays an hour for its log. What a Job makes is a
version and the alias `challenger`; no decision here moves traffic.

| the Job, or the address | outcome |
|---|---|
| pushed a version | Pushed |
| what it made is no better than the champion | Refused |
| took the event (2xx) | Called |
| failed, refused the event, or nobody took it for CALL_SECONDS | Failed |
| was ended by a switch, a pause or another spec | Stopped |
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from modelyard.api.lifecycle.retrain import Retrain
from modelyard.api.lifecycle.retraining_status import (
    RetrainingOutcome,
    RetrainingRun,
    RetrainingState,
    RetrainingStatus,
)
from modelyard.api.rollout_status import RolloutStatus
from modelyard.api.status import RevisionStatus
from modelyard.core.conditions import epoch, timestamp
from modelyard.core.names import RETRAIN_LABEL, retrain_job_name
from modelyard.core.snapshot import JOB_SUSPENDED, Check, Object, Ref, Snapshot, suspended
from modelyard.settings import Settings

from .called_for import CalledFor, called_for, served_since
from .cpu_budget import CpuSpent, reserved_hours, seconds_left, spent
from .obstacles import obstacle
from .retrain_job import retrain_job
from .track_record import TrackRecord, track_record

CALL_SECONDS = 3600.0
"""How long an address is told again that does not answer."""
_MOST_MESSAGE = 1024


@dataclass(frozen=True)
class RetrainingPlan:
    """The status to write, None without spec.retrain, the Job to make if any, and Jobs to delete; `wait` are the
    seconds until time alone changes something."""

    status: RetrainingStatus | None = None
    jobs: tuple[dict[str, Any], ...] = ()
    finished: tuple[Ref, ...] = ()
    wait: float | None = None


class _Standing(NamedTuple):
    """State, reason and sentence, and the seconds for which they hold at most."""

    state: RetrainingState
    reason: str
    message: str
    wait: float | None = None


@dataclass(frozen=True)
class _RetrainingView:
    """What was and is known of a Model's retraining at one moment."""

    snapshot: Snapshot
    settings: Settings
    retrain: Retrain
    serving: RevisionStatus | None
    rollout: RolloutStatus
    run: RetrainingRun | None = None
    last: RetrainingRun | None = None
    used: CpuSpent = field(default_factory=CpuSpent)
    record: TrackRecord = field(default_factory=TrackRecord)


def retraining(
    snapshot: Snapshot, settings: Settings, serving: RevisionStatus | None, rollout: RolloutStatus
) -> RetrainingPlan:
    """What is to be done of a Model's retraining; `serving` and `rollout` are as they are after this decision.

    While an answer is on its way nothing begins and nothing ends, because no status would be written of it.
    """
    retrain, before = snapshot.model.spec.retrain, snapshot.model.status.retraining
    if snapshot.incomplete:
        return RetrainingPlan(status=before if retrain is not None else None)
    if retrain is None:
        return RetrainingPlan(finished=_jobs(snapshot, None))
    view = _RetrainingView(
        snapshot, settings, retrain, serving, rollout, used=spent(before, snapshot.now), record=track_record(before)
    )
    if before is not None:
        view = _advanced(view, before)
    standing, run = _standing(view)
    status = RetrainingStatus(
        state=standing.state,
        reason=standing.reason,
        message=standing.message[:_MOST_MESSAGE],
        since=_since(before, standing, snapshot.now),
        run=run,
        last=view.last,
        failures=view.record.failures,
        last_success_time=view.record.last_success_time,
        month=view.used.month,
        cpu_hours=view.used.hours,
    )
    jobs = ()
    if run is not None and not run.webhook:
        jobs = (retrain_job(snapshot.model, run, settings, seconds_left(retrain, view.used, settings)),)
    return RetrainingPlan(status, jobs, _jobs(snapshot, run), standing.wait)


def _with(view: _RetrainingView, **changes: Any) -> _RetrainingView:
    return _RetrainingView(**{**vars(view), **changes})


def _advanced(view: _RetrainingView, before: RetrainingStatus) -> _RetrainingView:
    """The view with the run under way ended, when it has ended or has to."""
    run, view = before.run, _with(view, last=before.last)
    if run is None:
        return view
    ended = _stopped(view, run) or _ended(view, run, view.snapshot.retraining)
    if ended is None:
        return _with(view, run=run)
    used = view.used
    if not run.webhook:
        used = used.plus(reserved_hours(view.settings, epoch(ended.end_time) - epoch(run.start_time)))
    return _with(view, last=ended, used=used, record=view.record.after(ended))


def _stopped(view: _RetrainingView, run: RetrainingRun) -> RetrainingRun | None:
    """The run as ended by a person; None when nobody wants that."""
    why = ""
    if not view.settings.retraining.enabled:
        why = "config.retraining.enabled of the platform was set to false"
    elif view.retrain.paused:
        why = "spec.retrain.paused was set"
    elif run.webhook != (view.retrain.webhook is not None):
        why = "spec.retrain asks somebody else to train"
    return _end(run, RetrainingOutcome.STOPPED, f"It was ended: {why}.", view.snapshot.now) if why else None


def _ended(view: _RetrainingView, run: RetrainingRun, check: Check | None) -> RetrainingRun | None:
    """The run with what came of it; None while it is under way."""
    now = view.snapshot.now
    if run.webhook:
        if check is not None and check.passed is not None:
            outcome = RetrainingOutcome.CALLED if check.passed else RetrainingOutcome.FAILED
            return _end(run, outcome, check.message, now)
        if now - epoch(run.start_time) < CALL_SECONDS:
            return None
        said = check.message if check is not None else "nobody answered"
        return _end(run, RetrainingOutcome.FAILED, f"The webhook was not taken for an hour: {said}", now)
    if check is None:
        return None
    at = _end_of_job(view.snapshot, view.settings, run) or now
    if check.passed is None:
        return _end(run, RetrainingOutcome.FAILED, check.message, at)
    outcome = RetrainingOutcome.PUSHED if check.passed else RetrainingOutcome.REFUSED
    made = str(check.report.get("version", ""))[:63]
    return _end(run, outcome, check.message, at).model_copy(update={"made": made})


def _end(run: RetrainingRun, outcome: RetrainingOutcome, message: str, at: float) -> RetrainingRun:
    said = {"outcome": outcome, "message": message[:_MOST_MESSAGE], "end_time": timestamp(at)}
    return run.model_copy(update=said)


def _end_of_job(snapshot: Snapshot, settings: Settings, run: RetrainingRun) -> float | None:
    """When the run's Job ended; None when it does not say."""
    name = retrain_job_name(snapshot.model.namespace, snapshot.model.name, run.id)
    return max(_ends(snapshot.child("Job", name, settings.operator.namespace) or {}), default=None)


def _standing(view: _RetrainingView) -> tuple[_Standing, RetrainingRun | None]:
    """Where it stands now, and the run under way, which may begin here."""
    if not view.settings.retraining.enabled:
        said = "The platform has switched retraining off (config.retraining.enabled)."
        return _Standing(RetrainingState.OFF, reason="SwitchedOff", message=said), None
    if view.retrain.paused:
        return _Standing(RetrainingState.OFF, reason="RetrainingPaused", message="spec.retrain.paused is set."), None
    if view.run is not None:
        return _running(view, view.run), view.run
    if view.serving is None:
        said = "No revision serves yet, so there is nothing to train anew."
        return _Standing(RetrainingState.WAITING, reason="NoRevision", message=said), None
    model, now = view.snapshot.model, view.snapshot.now
    called = called_for(model, view.retrain, view.serving, now)
    if not called.causes:
        said = f"Nothing calls for a new version ({', '.join(view.retrain.when)})."
        rest = _until_aged(view, view.serving)
        return _Standing(RetrainingState.IDLE, reason="NotCalledFor", message=said, wait=rest), None
    last, used = view.last, view.used
    found = obstacle(view.snapshot, view.settings, view.retrain, called, view.rollout, last, used)
    if found is not None:
        return _Standing(RetrainingState.WAITING, *found), None
    run = _begun(view, view.serving, called)
    return _running(view, run), run


def _begun(view: _RetrainingView, serving: RevisionStatus, called: CalledFor) -> RetrainingRun:
    now = timestamp(view.snapshot.now)
    return RetrainingRun(
        id=now,
        causes=list(called.causes),
        evidence=called.evidence,
        since=called.since,
        revision=serving.name,
        version=serving.version,
        webhook=view.retrain.webhook is not None,
        start_time=now,
    )


def _running(view: _RetrainingView, run: RetrainingRun) -> _Standing:
    model = view.snapshot.model
    if run.webhook and view.retrain.webhook is not None:
        said = f"{view.retrain.webhook.url} is being told that a new version is wanted. {run.evidence}"
        rest = epoch(run.start_time) + CALL_SECONDS - view.snapshot.now
        return _Standing(RetrainingState.RUNNING, reason="Calling", message=said, wait=rest)
    name, where = retrain_job_name(model.namespace, model.name, run.id), view.settings.operator.namespace
    held = suspended(view.snapshot.child("Job", name, where))
    if held:
        said = f"{held}: it trains once its spec.suspend is false. {run.evidence}"
        return _Standing(RetrainingState.RUNNING, reason=JOB_SUSPENDED, message=said)
    said = f"Job {where}/{name} trains a new version and judges it. {run.evidence}"
    return _Standing(RetrainingState.RUNNING, reason="Training", message=said)


def _until_aged(view: _RetrainingView, serving: RevisionStatus) -> float | None:
    limit = view.retrain.max_age_seconds
    return None if limit is None else served_since(view.snapshot.model, serving) + limit - view.snapshot.now


def _since(before: RetrainingStatus | None, standing: _Standing, now: float) -> str:
    same = before is not None and (before.state, before.reason) == (standing.state, standing.reason)
    return before.since if same and before is not None else timestamp(now)


def _jobs(snapshot: Snapshot, run: RetrainingRun | None) -> tuple[Ref, ...]:
    """Retraining Jobs of the Model that are under way and nobody waits for: all but the run's."""
    model = snapshot.model
    keep = retrain_job_name(model.namespace, model.name, run.id) if run is not None else ""
    return tuple(
        Ref("Job", job["metadata"]["namespace"], job["metadata"]["name"])
        for job in snapshot.of_kind("Job")
        if _is_under_way(job) and job["metadata"]["name"] != keep
    )


def _is_under_way(job: Object) -> bool:
    """Whether it is the Job of a retraining, and neither ended nor being deleted."""
    metadata = job["metadata"]
    return RETRAIN_LABEL in metadata.get("labels", {}) and "deletionTimestamp" not in metadata and not _ends(job)


def _ends(job: Object) -> list[float]:
    """When the Job ended, well or not; nothing while it runs."""
    return [
        epoch(condition["lastTransitionTime"])
        for condition in job.get("status", {}).get("conditions", ())
        if condition["type"] in ("Complete", "Failed") and condition["status"] == "True"
    ]
