"""Events of a rollout: one for every change of its state, a Warning when it went against the candidate."""

from modelyard.api.rollout_status import Outcome, RolloutStatus
from modelyard.core.plan import Event

_AGAINST = (Outcome.ABORTED, Outcome.FAILED)


def rollout_events(before: RolloutStatus | None, now: RolloutStatus) -> tuple[Event, ...]:
    """The Events of what has changed between two states of a rollout; none when only evidence has."""
    old = before or RolloutStatus()
    events: list[Event] = []
    ended = len(now.history) and now.history[0] not in old.history
    if ended:
        last = now.history[0]
        kind = "Warning" if last.outcome in _AGAINST else "Normal"
        message = f"{last.outcome} revision {last.revision} (version {last.version}): {last.message}"
        events.append(Event(kind, f"Rollout{last.outcome}", message[:1000]))
    moved = (old.phase, old.step, old.reason) != (now.phase, now.step, now.reason)
    if moved and now.active and not ended and now.message:
        events.append(Event("Normal", f"Rollout{now.phase}", now.message))
    if now.command is not None and now.command != old.command:
        events.append(Event("Normal", "RolloutCommand", f"{now.command.action}: {now.command.answer}"))
    return tuple(events)
