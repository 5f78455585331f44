"""The Events of a retraining: that it began, how it ended, and what keeps it from beginning and needs somebody."""

from modelyard.api.lifecycle.retraining_status import RetrainingOutcome, RetrainingState, RetrainingStatus
from modelyard.core.event_types import means_harm
from modelyard.core.plan import Event

_REASONS = {
    RetrainingOutcome.PUSHED: "RetrainingPushed",
    RetrainingOutcome.CALLED: "RetrainingCalled",
    RetrainingOutcome.REFUSED: "RetrainingRefused",
    RetrainingOutcome.FAILED: "RetrainingFailed",
    RetrainingOutcome.STOPPED: "RetrainingStopped",
}


def retraining_events(before: RetrainingStatus | None, now: RetrainingStatus | None) -> tuple[Event, ...]:
    """The Events of what has changed between two statuses: a beginning, an end, and what needs somebody."""
    if now is None:
        return ()
    events: list[Event] = []
    old = before or RetrainingStatus(state=RetrainingState.IDLE, reason="", message="", since="")
    if now.last is not None and now.last.outcome is not None and now.last != old.last:
        events.append(Event.of(_REASONS[now.last.outcome], now.last.message))
    if now.run is not None and (old.run is None or now.run.id != old.run.id):
        events.append(Event.of("RetrainingStarted", now.message))
    if now.state is RetrainingState.WAITING and now.reason != old.reason:
        events += [Event.of(now.reason, now.message)] if means_harm(now.reason) else []
    return tuple(events)
