"""What is told of the rows that a Model is asked with: the evaluator's words, and whether there is anybody to have any.

| what is known | condition DataHealthy, and the same way PerformanceHealthy (`monitoring.performance.verdict`) |
|---|---|
| nothing is recorded, because nobody asked for it | absent |
| the spec asks for a sample, and the platform runs no recorder | Unknown, NoRecorder |
| the evaluator has said nothing of the serving revision | Unknown, NotEvaluated |
| its last word is older than STALE_SECONDS | Unknown, EvaluationStopped |
| its verdict | True for AsReference, False for what changed, Unknown while nothing can be said |

The evaluator writes each minute. A status is written when something else changed or broke, and else once an hour: most
minutes only move the numbers a little.
"""

from modelyard.api.monitoring.status import DataStatus, DataVerdict, MonitoringStatus
from modelyard.core.conditions import ConditionUpdate, epoch
from modelyard.core.monitoring.performance.verdict import performance_condition, performance_facts
from modelyard.core.snapshot import Failure

from .view import DecisionView

EVERY_SECONDS = 60.0
"""Between two looks at what the evaluator wrote."""
STALE_SECONDS = 1800.0
_REFRESHED_SECONDS = 3600.0
_HOLDS = {DataVerdict.AS_REFERENCE: True, DataVerdict.DRIFTED: False, DataVerdict.BROKEN: False}
_REASONS = {
    DataVerdict.NO_REFERENCE: "NoReference",
    DataVerdict.NO_ROWS: "NoRows",
    DataVerdict.AS_REFERENCE: "AsReference",
    DataVerdict.DRIFTED: "DriftDetected",
    DataVerdict.BROKEN: "DataBroken",
}


def monitoring_status(view: DecisionView) -> MonitoringStatus | None:
    """What is to be published of the serving revision; what was known of it before while nothing better is."""
    holder, told, before = view.serving_revision, view.snapshot.monitoring, view.model.status.monitoring
    if not _recorded(view) or holder is None:
        return None
    if before is not None and before.revision != holder.name:
        before = None
    if told is None or isinstance(told, Failure) or told.revision != holder.name:
        return before
    return before if before is not None and _same(before, told) else told


def monitoring_conditions(view: DecisionView, published: MonitoringStatus | None) -> dict[str, ConditionUpdate]:
    """DataHealthy where requests are recorded, PerformanceHealthy where labels are taken, too."""
    monitoring = view.model.spec.monitoring
    if monitoring is None or monitoring.sample is None:
        return {}
    unheard = _unheard(view)
    found = {"DataHealthy": unheard or _data(view, published)}
    if monitoring.feedback is not None:
        found["PerformanceHealthy"] = unheard or performance_condition(
            published.performance if published else None, view.model.name, _holder(view)
        )
    return found


def _unheard(view: DecisionView) -> ConditionUpdate | None:
    """Why nobody looks at what was recorded; None when somebody does, or nothing serves yet."""
    if not view.settings.recorder.installed:
        said = (
            "spec.monitoring.sample asks for recorded requests, but the platform runs no recorder, so none is: have "
            "it installed by helm upgrade --set recorder.replicas=2, or take sample out."
        )
        return ConditionUpdate(None, "NoRecorder", said)
    told = view.snapshot.monitoring
    latest = told if isinstance(told, MonitoringStatus) and told.revision == _holder(view) else None
    if latest is not None and view.snapshot.now - epoch(latest.time) > STALE_SECONDS:
        said = (
            f"Rows of revision {latest.revision} were last evaluated at {latest.time}: see why the evaluator is "
            f"silent: kubectl -n {view.settings.operator.namespace} logs deploy/modelyard-evaluator."
        )
        return ConditionUpdate(None, "EvaluationStopped", said)
    return None


def _data(view: DecisionView, published: MonitoringStatus | None) -> ConditionUpdate:
    data = published.data if published else None
    if data is None:
        return ConditionUpdate(None, "NotEvaluated", "No row of the revision that serves has been evaluated yet.")
    return ConditionUpdate(
        _HOLDS.get(data.verdict), _REASONS[data.verdict], _sentence(data, view.model.name, _holder(view))
    )


def _holder(view: DecisionView) -> str:
    holder = view.serving_revision
    return holder.name if holder is not None else ""


def monitoring_deadline(view: DecisionView) -> float | None:
    """Seconds until the evaluator's words are looked at again; None where there are none to come."""
    return EVERY_SECONDS if _recorded(view) and view.serving_revision is not None else None


def _recorded(view: DecisionView) -> bool:
    monitoring = view.model.spec.monitoring
    return monitoring is not None and monitoring.sample is not None and view.settings.recorder.installed


def _same(before: MonitoringStatus, now: MonitoringStatus) -> bool:
    """Whether a person would read the same in both, and the one before is not an hour old."""
    return (
        abs(epoch(now.time) - epoch(before.time)) < _REFRESHED_SECONDS
        and _facts(before.data) == _facts(now.data)
        and performance_facts(before.performance) == performance_facts(now.performance)
    )


def _facts(data: DataStatus | None) -> object:
    """Without the numbers that every minute moves."""
    if data is None:
        return None
    alarms = {(one.name, one.kind) for one in data.worst}
    return data.verdict, data.reference, data.features, data.broken, data.drifted, alarms, data.unknown, data.message


def _sentence(data: DataStatus, model: str, revision: str) -> str:
    """The verdict in words, with the worst of what changed."""
    extra = f" {data.message}" if data.message else ""
    if data.verdict is DataVerdict.NO_REFERENCE:
        return data.message or f"Revision {revision} has no reference, so nothing tells what is usual."
    if data.verdict is DataVerdict.NO_ROWS:
        return f"Nobody has asked revision {revision} lately, as far as requests are recorded.{extra}"
    if data.verdict is DataVerdict.AS_REFERENCE:
        return f"The rows of revision {revision} are like {data.reference}, {data.features} features.{extra}"
    named = "; ".join(f"{one.name} since {one.since}: {one.message}" for one in data.worst[:2])
    rest = data.broken + data.drifted - len(data.worst[:2])
    more = f"; and {rest} more" if rest > 0 else ""
    word = "The data broke" if data.verdict is DataVerdict.BROKEN else "The data drifted"
    return f"{word}: {named}{more}. `modelyard drift {model}` shows all of it.{extra}"
