"""What a Model's rows and labelled answers are like, in words."""

from modelyard.api.model import Model
from modelyard.api.monitoring.performance import PerformanceVerdict
from modelyard.api.monitoring.status import DataVerdict
from modelyard.core.event_types import means_harm

from .path_step import PathStep, Standing

_SUBJECTS = {"DataHealthy": "Data", "PerformanceHealthy": "Performance"}
_REMEDIES = {
    "NoRecorder": "helm upgrade the platform with --set recorder.replicas=2, or take spec.monitoring.sample out",
    "NoReference": "push the entry as a new version with an eval.npz, or with --reference FILE",
    "EvaluationStopped": "look at the evaluator's log; `modelyard drift {model}` reckons here meanwhile",
}


def data_words(model: Model) -> str:
    """`2 broken, 1 drifted, 1 decayed`; empty while nothing changed, or nothing is known."""
    monitoring = model.status.monitoring
    counted: dict[str, int] = {}
    if monitoring is not None and monitoring.data is not None:
        counted = {"broken": monitoring.data.broken, "drifted": monitoring.data.drifted}
    if monitoring is not None and monitoring.performance is not None:
        counted["decayed"] = monitoring.performance.decayed
    return ", ".join(f"{count} {word}" for word, count in counted.items() if count)


def data_steps(model: Model) -> list[PathStep]:
    """What its rows and labelled answers are like; none where nothing is recorded."""
    return [step for kind, subject in _SUBJECTS.items() for step in _step(model, kind, subject)]


def _step(model: Model, kind: str, subject: str) -> list[PathStep]:
    said = model.status.condition(kind)
    if said is None:
        return []
    calm = Standing.GOOD if said.status == "True" else Standing.WAITING
    standing = Standing.BAD if means_harm(said.reason) else calm
    return [PathStep(subject, standing, said.message, remedy(model, said.reason))]


def remedy(model: Model, reason: str) -> str:
    """What to do when one of these conditions has that reason; empty where nothing is to be done."""
    where = f"{model.name} -n {model.namespace}"
    if reason in (DataVerdict.BROKEN.value, DataVerdict.DRIFTED.value):
        return f"modelyard drift {where}"
    if reason == PerformanceVerdict.DECAYED.value:
        return f"modelyard quality {where}"
    return _REMEDIES.get(reason, "").replace("{model}", where)
