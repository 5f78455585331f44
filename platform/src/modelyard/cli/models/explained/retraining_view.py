"""Whether a Model is to have a new version trained, and how the last retraining ended, in words."""

from modelyard.api.lifecycle.retraining_status import RetrainingOutcome, RetrainingState
from modelyard.api.model import Model
from modelyard.core.event_types import means_harm

from .path_step import PathStep, Standing

_REMEDIES = {
    "TrainingOff": "have config.build.trainImage set, or write retrain.webhook in place of recipe",
    "SignatureMissing": "write retrain.webhook in place of recipe, and sign what is trained there",
    "OverBudget": "raise retrain.budget, or wait for the next month",
    "DataBroken": "modelyard drift {model}",
}
_OF_LAST = {
    RetrainingOutcome.FAILED: "mend what the message says; the next begins when retrain.every is over",
    RetrainingOutcome.REFUSED: "give the recipe more labels or a better function; the champion goes on",
}


def retraining_word(model: Model) -> str:
    """`retraining` while one is under way, else nothing."""
    status = model.status.retraining
    return "retraining" if status is not None and status.state is RetrainingState.RUNNING else ""


def retraining_steps(model: Model) -> list[PathStep]:
    """Where retraining stands, and how the last one ended; none without spec.retrain."""
    status = model.status.retraining
    if status is None:
        return []
    where = f"{model.name} -n {model.namespace}"
    standing = Standing.BAD if means_harm(status.reason) else Standing.WAITING
    standing = Standing.GOOD if status.state in (RetrainingState.IDLE, RetrainingState.OFF) else standing
    remedy = _REMEDIES.get(status.reason, "").format(model=where)
    steps = [PathStep("Retraining", standing, status.message, remedy)]
    last = status.last
    if last is not None and last.outcome is not None:
        bad = last.outcome in _OF_LAST and status.state is not RetrainingState.IDLE
        told = f"{last.outcome} at {last.end_time}: {last.message}"
        remedy = _OF_LAST[last.outcome] if bad else ""
        steps.append(PathStep("Last retraining", Standing.BAD if bad else Standing.GOOD, told, remedy))
    return steps
