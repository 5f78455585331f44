"""Why a retraining that is called for is not begun; the first that holds is told.

| reason | what it waits for |
|---|---|
| DataBroken | recorded rows are broken: whoever sends them mends that, and nothing is learnt from them |
| RolloutUnderWay | the rollout that is under way, which may bring the new version already |
| TooSoon | `every`, counted from the beginning of the one before |
| TrainingOff | the platform runs nobody's code: `config.build.trainImage` |
| SignatureMissing | versions are served only when an author has signed them, which a Job cannot |
| FewLabels | FEWEST_LABELS labelled rows of the serving revision: a fifth of them judges, the rest teaches |
| OverBudget | the next month, or a larger budget |
"""

from collections.abc import Iterator
from typing import NamedTuple

from modelyard.api.lifecycle.retrain import EVERY, Retrain
from modelyard.api.lifecycle.retraining_status import RetrainingRun
from modelyard.api.rollout_status import RolloutStatus
from modelyard.core.artifacts.signatures import must_be_signed
from modelyard.core.conditions import epoch, timestamp
from modelyard.core.snapshot import Snapshot
from modelyard.settings import Settings

from .called_for import CalledFor
from .cpu_budget import LEAST_SECONDS, CpuSpent, next_month, seconds_left

FEWEST_LABELS = 500


class RetrainingObstacle(NamedTuple):
    """A word, a sentence, and the seconds until it may be gone by itself; None when something has to happen."""

    reason: str
    message: str
    wait: float | None = None


def obstacle(
    snapshot: Snapshot,
    settings: Settings,
    retrain: Retrain,
    called: CalledFor,
    rollout: RolloutStatus,
    last: RetrainingRun | None,
    used: CpuSpent,
) -> RetrainingObstacle | None:
    """The first obstacle; None when a retraining may begin."""
    every = epoch(last.start_time) + retrain.every_seconds - snapshot.now if last is not None else 0.0
    general = _general(called, rollout, every, retrain, snapshot.now)
    own = _of_a_job(snapshot, settings, retrain, called, used) if retrain.recipe is not None else iter(())
    for reason, message, wait in (*general, *own):
        return RetrainingObstacle(reason, f"{called.evidence} {message}".strip(), wait)
    return None


def _general(
    called: CalledFor, rollout: RolloutStatus, every: float, retrain: Retrain, now: float
) -> Iterator[tuple[str, str, float | None]]:
    if called.broken:
        yield (
            "DataBroken",
            "Recorded rows are broken, and nothing is to be learnt from them: have that mended first.",
            None,
        )
    if rollout.active:
        yield "RolloutUnderWay", "A rollout is under way, and may bring what is wanted.", None
    if every > 0:
        until = timestamp(now + every)
        yield "TooSoon", f"The next may begin at {until}: every is {retrain.every or EVERY}.", every


def _of_a_job(
    snapshot: Snapshot, settings: Settings, retrain: Retrain, called: CalledFor, used: CpuSpent
) -> Iterator[tuple[str, str, float | None]]:
    if not settings.build.train_image:
        yield (
            "TrainingOff",
            "retrain.recipe runs Python files of the entry, which this platform does not allow: have "
            "config.build.trainImage set, or write retrain.webhook.",
            None,
        )
    if must_be_signed(snapshot.model, settings):
        yield (
            "SignatureMissing",
            "Here entries are served only when an author has signed them, which no Job can: write retrain.webhook.",
            None,
        )
    if called.labels < FEWEST_LABELS:
        yield (
            "FewLabels",
            f"{called.labels} labelled rows of the serving revision are known, and it takes {FEWEST_LABELS}.",
            None,
        )
    left = seconds_left(retrain, used, settings)
    if left is not None and left < LEAST_SECONDS:
        yield (
            "OverBudget",
            f"{used.hours:.3g} CPU hours were reserved in {used.month}, and retrain.budget is {retrain.budget}: raise "
            "it, or wait for the next month.",
            next_month(snapshot.now),
        )
