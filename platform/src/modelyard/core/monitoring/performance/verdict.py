"""What is told of a Model's answers, as far as labels came: the condition PerformanceHealthy.

| verdict of the evaluator | condition |
|---|---|
| none yet | Unknown, NotEvaluated |
| no label of a recorded answer came | Unknown, NoLabels |
| labels came, and the reference is still learnt from them | Unknown, LearningReference |
| no slice is wrong more often than its reference allows | True, PerformanceKept |
| one is | False, PerformanceDecayed |

Labels come days after their answers or never, so that there are none is no trouble; a decay stays until labels end it.
"""

from modelyard.api.monitoring.performance import PerformanceStatus, PerformanceVerdict
from modelyard.api.quantity import shown
from modelyard.core.conditions import ConditionUpdate

_REASONS = {
    PerformanceVerdict.NO_LABELS: "NoLabels",
    PerformanceVerdict.LEARNING: "LearningReference",
    PerformanceVerdict.KEPT: "PerformanceKept",
    PerformanceVerdict.DECAYED: "PerformanceDecayed",
}
_HOLDS = {PerformanceVerdict.KEPT: True, PerformanceVerdict.DECAYED: False}


def performance_condition(found: PerformanceStatus | None, model: str, revision: str) -> ConditionUpdate:
    """What the evaluator found of the revision that serves."""
    if found is None:
        return ConditionUpdate(None, "NotEvaluated", "No label of the revision that serves has been looked at yet.")
    return ConditionUpdate(_HOLDS.get(found.verdict), _REASONS[found.verdict], _sentence(found, model, revision))


def performance_facts(found: PerformanceStatus | None) -> object:
    """What a person would read, without the numbers that every label moves."""
    if found is None:
        return None
    return found.verdict, found.decayed, {(one.slice, one.output) for one in found.worst}, bool(found.message)


def _sentence(found: PerformanceStatus, model: str, revision: str) -> str:
    extra = f" {found.message}" if found.message else ""
    if found.verdict is PerformanceVerdict.NO_LABELS:
        return f"No label of an answer of revision {revision} came in the last 30 days.{extra}"
    if found.verdict is PerformanceVerdict.LEARNING:
        return f"{found.learning} labels more of revision {revision}, and decay can be told.{extra}"
    if found.verdict is PerformanceVerdict.KEPT:
        return f"{found.labels} labels of revision {revision}: {_measures(found)}, no decay.{extra}"
    named = "; ".join(f"{one.slice or 'all answers'} since {one.since}: {one.message}" for one in found.worst[:2])
    more = f"; and {found.decayed - 2} more" if found.decayed > len(found.worst[:2]) else ""
    return f"Answers are worse than the reference: {named}{more}. `modelyard quality {model}` shows all of it.{extra}"


def _measures(found: PerformanceStatus) -> str:
    return (
        ", ".join(f"{one.name} {shown(one.value)}" for one in found.measures if one.value is not None) or "no measure"
    )
