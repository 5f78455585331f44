"""How far the optimized build of a Model is, and what its status says.

| seen | Built says | the Job |
|---|---|---|
| its report is in the store | True, Published: the variant and what it gave | deleted |
| the store is away, and the build was known | the same, as the status has it | deleted when the store is back |
| it is to train, and that is off here | False, TrainingOff | not made; looked at again whenever the settings change |
| it failed for good | False, the reason of the failure | left for its log, not repeated |
| the store is away, or how the Job ended is being read | Unknown, why | left alone |
| it failed for no fault of the model's | False, that reason, and when it is tried again | made again then |
| its Job is suspended | False, JobSuspended | left alone |
| none of these | False, Optimizing: how far it is | made when it is not there |

Only what the model or the spec causes is for good (`failure_causes`, `Failure.retry`). A Job that is made again goes on
from what the one before had found; when it is, `job_retries` says.
"""

from dataclasses import dataclass, replace

from modelyard.api.model import Model
from modelyard.api.optimization import Progress
from modelyard.api.report import OptimizationSummary
from modelyard.api.status import OptimizationStatus
from modelyard.core.conditions import MAX_MESSAGE, ConditionUpdate, epoch
from modelyard.core.names import build_digest, optimize_job_name
from modelyard.core.snapshot import JOB_SUSPENDED, Failure, Object, ResolvedEntry, Snapshot, suspended
from modelyard.settings import Settings

from . import optimization_summary
from .job_retries import Retry
from .signatures import SIGNED

POLL_SECONDS = 5.0
"""Seconds between two readings of a Job's progress."""
_SILENT_SECONDS = 120.0
_OFF = "TrainingOff"
_ALLOW = (
    "optimize.train runs Python files of the entry, which this platform does not allow: have config.build.trainImage "
    "set to allow it, or remove optimize.train"
)
_MEND = "change spec.optimize or remove it (or spec.tune, spec.cache); written again after that, it is tried again."


@dataclass(frozen=True)
class OptimizationState:
    """How far the optimized build is: `made` when it is in the store, `running` while its Job works.

    `status` and `update` are what to write to `status.optimization` and to the Built condition. `job` says that its Job
    is to be there, `kept` that it is not to be deleted if it is, `again` that one that failed has to give way to the
    next, and `wait` how many seconds it is until then.
    """

    status: OptimizationStatus
    update: ConditionUpdate
    made: bool = False
    job: bool = False
    kept: bool = True
    running: bool = False
    again: bool = False
    wait: float | None = None

    def put_off(self, why: str) -> "OptimizationState":
        """The same without a new Job and with `why` as its message; a failure or a result that is known stays known."""
        known = self.status.failure or self.made
        status = self.status if known else OptimizationStatus(digest=self.status.digest, message=why)
        return replace(self, status=status, job=False, running=False, again=False, wait=None)


def optimized_digest(model: Model, entry: ResolvedEntry, target: str, *, signed: bool) -> str:
    """Digest of the optimized build of an entry for a `target` (cpu, gpu); empty when the spec asks for none."""
    options = model.spec.build_options(target)
    return build_digest(entry.digest, model.name, {**options, **(SIGNED if signed else {})}) if options else ""


def optimization_state(
    snapshot: Snapshot, entry: ResolvedEntry, digest: str, settings: Settings, *, serves: str
) -> OptimizationState:
    """How far the build with that digest is; `serves` says in words what is served until it is there."""
    built, known = snapshot.optimization.built, _known(snapshot.model, digest)
    if isinstance(built, OptimizationSummary):
        gain = optimization_summary.sentence(built)
        message = f"The artifact of {entry.name} version {entry.version} is in the store{gain}"
        return _made(optimization_summary.optimized(digest, built, message[:MAX_MESSAGE]))
    if isinstance(built, Failure) and (known.variant or _was_tried(snapshot.model, digest)):
        return _made(known)
    failure = _failure(snapshot, known, settings)
    if failure is not None and not failure.retry:
        return _failed(digest, failure, serves)
    retry = Retry(known.attempts, known.next_attempt_time)
    unknown = failure if failure is not None and failure.pending else built
    if isinstance(unknown, Failure):
        return OptimizationState(
            _status(digest, unknown.message, retry), ConditionUpdate(None, unknown.reason, unknown.message)
        )
    if failure is not None:
        return _failed_for_now(digest, failure, retry.counted(snapshot.now), serves, snapshot.now)
    return _running(snapshot, digest, settings, serves, retry.under_way())


def _failure(snapshot: Snapshot, known: OptimizationStatus, settings: Settings) -> Failure | None:
    """Why there will be no such build: what was known, what is seen now, or that training is off."""
    optimize = snapshot.model.spec.optimize
    if optimize is not None and optimize.train and not settings.build.train_image:
        return Failure(_OFF, _ALLOW)
    if known.failure and known.reason != _OFF:
        return Failure(known.reason, known.failure)
    return snapshot.optimization.failure


def served(model: Model, digest: str) -> bool:
    """Whether a revision was started from the build with that digest, so that its artifact was in the store."""
    return any(revision.digest == digest for revision in model.status.revisions)


def _was_tried(model: Model, digest: str) -> bool:
    """The same of revisions that are gone because they were refused."""
    rollout = model.status.rollout
    return served(model, digest) or (rollout is not None and rollout.rejected_build == digest)


def _known(model: Model, digest: str) -> OptimizationStatus:
    """What the status says of that build already."""
    known = model.status.optimization
    return known if known is not None and known.digest == digest else OptimizationStatus(digest=digest)


def _made(status: OptimizationStatus) -> OptimizationState:
    message = status.message or "The optimized artifact is in the store."
    return OptimizationState(status, ConditionUpdate(True, "Published", message), made=True, kept=False)


def _failed(digest: str, failure: Failure, serves: str) -> OptimizationState:
    """`failure` is kept in the words it came in, so that it can be said again."""
    kept = failure.message[:MAX_MESSAGE]
    message = f"{kept.rstrip('.')[: MAX_MESSAGE - len(serves) - len(_MEND) - 4]}; {serves}; {_MEND}"
    status = OptimizationStatus(
        digest=digest, summary="failed", message=message, failure=kept, reason=failure.reason[:64]
    )
    return OptimizationState(status, ConditionUpdate(False, failure.reason, message))


def _failed_for_now(digest: str, failure: Failure, retry: Retry, serves: str, now: float) -> OptimizationState:
    update = retry.condition_update(failure, f"; {serves}")
    status = _status(digest, update.message, retry)
    return OptimizationState(status, update, job=True, again=retry.due(now), wait=retry.due_in(now) or None)


def _running(snapshot: Snapshot, digest: str, settings: Settings, serves: str, retry: Retry) -> OptimizationState:
    name, where = optimize_job_name(digest), settings.operator.namespace
    job, progress = snapshot.child("Job", name, where) or {}, snapshot.optimization.progress
    held = suspended(job)
    doing = f"Job {where}/{name} {_doing(progress)}{_silence(job, progress, snapshot.now)}"
    message = f"{held or doing}; {serves} meanwhile."[:MAX_MESSAGE]
    summary = (
        f"{progress.done}/{progress.planned}"[: optimization_summary.COLUMN]
        if progress is not None and progress.planned
        else ""
    )
    status = OptimizationStatus(digest=digest, summary=summary, message=message, attempts=retry.attempts)
    update = ConditionUpdate(False, JOB_SUSPENDED if held else "Optimizing", message)
    return OptimizationState(status, update, job=True, running=True)


def _doing(progress: Progress | None) -> str:
    if progress is None:
        return "starts"
    if not progress.planned:
        return f"prepares ({progress.doing})" if progress.doing else "starts"
    best = ""
    if progress.best is not None:
        best = f", best so far {optimization_summary.times(progress.best)} ({progress.best_name})"
    return f"tries variants: {progress.done} of {progress.planned}{best}"


def _silence(job: Object, progress: Progress | None, now: float) -> str:
    """That a Job whose pod runs has not been heard of for a while."""
    status = job.get("status", {})
    last_sign = progress.at if progress is not None else status.get("startTime", "")
    if not status.get("ready") or not last_sign or now - epoch(last_sign) < _SILENT_SECONDS:
        return ""
    return f" (no sign of life for {(now - epoch(last_sign)) / 60:.0f} min)"


def _status(digest: str, message: str, retry: Retry) -> OptimizationStatus:
    return OptimizationStatus(
        digest=digest,
        message=message[:MAX_MESSAGE],
        attempts=retry.attempts,
        next_attempt_time=retry.next_attempt_time,
    )
