"""What the rows are like that a Model is asked with, in words."""

from modelyard.api.model import Model
from modelyard.api.monitoring.status import DataVerdict
from modelyard.core.event_types import means_harm

from .path_step import PathStep, Standing

_REMEDIES = {
    "NoRecorder": "helm upgrade the platform with --set recorder.replicas=2, or take spec.monitoring.sample out",
    "NoReference": "push the entry as a new version with an eval.npz, or with --reference FILE",
    "EvaluationStopped": "look at the evaluator's log; `modelyard drift {model}` reckons here meanwhile",
}


def data_words(model: Model) -> str:
    """`2 broken, 1 drifted`; empty while nothing changed, or nothing is known."""
    monitoring = model.status.monitoring
    data = monitoring.data if monitoring is not None else None
    if data is None:
        return ""
    counted = {"broken": data.broken, "drifted": data.drifted}
    return ", ".join(f"{count} {word}" for word, count in counted.items() if count)


def data_steps(model: Model) -> list[PathStep]:
    """What the rows are like that it is asked with; none where nothing is recorded."""
    said = model.status.condition("DataHealthy")
    if said is None:
        return []
    calm = Standing.GOOD if said.status == "True" else Standing.WAITING
    standing = Standing.BAD if means_harm(said.reason) else calm
    return [PathStep("Data", standing, said.message, remedy(model, said.reason))]


def remedy(model: Model, reason: str) -> str:
    """What to do when the condition DataHealthy has that reason; empty where nothing is to be done."""
    where = f"{model.name} -n {model.namespace}"
    if reason in (DataVerdict.BROKEN.value, DataVerdict.DRIFTED.value):
        return f"modelyard drift {where}"
    return _REMEDIES.get(reason, "").replace("{model}", where)
