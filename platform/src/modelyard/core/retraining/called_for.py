"""What calls for a new version: what is published of the serving revision, and its age.

| cause | is there when |
|---|---|
| decay | status.monitoring.performance says PerformanceDecayed |
| drift | status.monitoring.data says DriftDetected |
| age | the version has served for `maxAge`, since the rollout that brought it |

Only causes that the spec lists count, and only words about the revision that serves now. Where rows are broken (nulls,
ranges) nothing of drift is believed: that is somebody's mistake, and no new world to learn.
"""

from collections.abc import Container
from typing import NamedTuple

from modelyard.api.lifecycle.retrain import Retrain, RetrainCause
from modelyard.api.model import Model
from modelyard.api.monitoring.performance import PerformanceVerdict
from modelyard.api.monitoring.status import DataVerdict, MonitoringStatus
from modelyard.api.rollout_status import Outcome
from modelyard.api.status import RevisionStatus
from modelyard.core.conditions import epoch

_MOST_EVIDENCE = 512


class CalledFor(NamedTuple):
    """The causes that are there, what was seen in words, and the labelled rows that there are."""

    causes: tuple[RetrainCause, ...]
    evidence: str
    since: str
    """About when decay, else drift, began, RFC 3339; empty where neither is a cause."""
    labels: int
    broken: bool
    """Whether recorded rows are broken, so that nothing should be learnt from them."""


def called_for(model: Model, retrain: Retrain, serving: RevisionStatus, now: float) -> CalledFor:
    """What calls for a new version at `now`; no cause when nothing does."""
    told = model.status.monitoring
    told = told if told is not None and told.revision == serving.name else None
    seen = {cause: words for cause, words in _seen(model, retrain, serving, told, now).items() if words}
    kept = {cause: seen[cause] for cause in retrain.when if cause in seen}
    performance = told.performance if told is not None else None
    return CalledFor(
        causes=tuple(kept),
        evidence=" ".join(kept.values())[:_MOST_EVIDENCE],
        since=_since(told, kept),
        labels=performance.labels if performance is not None else 0,
        broken=told is not None and told.data is not None and told.data.verdict is DataVerdict.BROKEN,
    )


def _since(told: MonitoringStatus | None, causes: Container[RetrainCause]) -> str:
    if told is None:
        return ""
    alarms: dict[RetrainCause, list[str]] = {
        RetrainCause.DECAY: [one.since for one in told.performance.worst] if told.performance is not None else [],
        RetrainCause.DRIFT: [one.since for one in told.data.worst] if told.data is not None else [],
    }
    return next((min(times) for cause, times in alarms.items() if cause in causes and times), "")


def served_since(model: Model, serving: RevisionStatus) -> float:
    """When the version that serves took over, in seconds since 1970: other revisions of it do not begin it anew."""
    since = epoch(serving.stage_start_time)
    for record in model.status.rollout.history if model.status.rollout is not None else ():
        if record.outcome is not Outcome.PROMOTED:
            continue
        if record.version != serving.version:
            break
        since = min(since, epoch(record.end_time))
    return since


def _seen(
    model: Model, retrain: Retrain, serving: RevisionStatus, told: MonitoringStatus | None, now: float
) -> dict[RetrainCause, str]:
    """What was seen of each cause, in a sentence; empty where nothing was."""
    data, performance = (told.data, told.performance) if told is not None else (None, None)
    decay = drift = age = ""
    if performance is not None and performance.verdict is PerformanceVerdict.DECAYED:
        worst = "; ".join(f"{one.slice or 'all answers'}: {one.message}" for one in performance.worst[:1])
        decay = f"Labelled answers are worse than the reference ({worst or 'see status.monitoring'})."
    if data is not None and data.verdict is DataVerdict.DRIFTED:
        named = "; ".join(f"{one.name}: {one.message}" for one in data.worst[:1])
        drift = f"Rows are no longer like the reference ({named or 'see status.monitoring'})."
    limit = retrain.max_age_seconds
    if limit is not None and now - served_since(model, serving) >= limit:
        age = f"Version {serving.version} has served for {retrain.max_age}."
    return {RetrainCause.DECAY: decay, RetrainCause.DRIFT: drift, RetrainCause.AGE: age}
