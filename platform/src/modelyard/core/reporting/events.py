"""The Events of a status: of its conditions, of who scales, and one for every change of a rollout's state.

The reason says whether one is a Warning.
"""

from modelyard.api.rollout_status import CommandStatus, Phase, RolloutStatus
from modelyard.api.status import ModelStatus
from modelyard.core.conditions import events as condition_events
from modelyard.core.conditions import once_each
from modelyard.core.event_types import event_type
from modelyard.core.plan import Event
from modelyard.core.retraining.events import retraining_events
from modelyard.core.rollout.commands import REFUSED

from .scaling import scaling_events

_STARTS = frozenset({"Starting", "RolloutStarting"})


def told(before: ModelStatus, now: ModelStatus) -> tuple[Event, ...]:
    """The Events of what has changed between two statuses, every sentence once.

    That a build is in the store is told by the revision that starts with it. What an optimization gave is told anyway.
    """
    rollout = rollout_events(before.rollout, now.rollout) if now.rollout is not None else ()
    trained = retraining_events(before.retraining, now.retraining)
    conditions = condition_events(before.conditions, now.conditions)
    news = once_each((*conditions, *rollout, *scaling_events(before, now), *trained))
    built = before.condition("Built")
    if built is None or built.reason != "Building" or not any(event.reason in _STARTS for event in news):
        return news
    return tuple(event for event in news if event.reason != "Published")


def rollout_events(before: RolloutStatus | None, now: RolloutStatus) -> tuple[Event, ...]:
    """The Events of what has changed between two states of a rollout; none when only evidence has.

    That its artifact is built is told by the condition Built.
    """
    old = before or RolloutStatus()
    events: list[Event] = []
    ended = len(now.history) and now.history[0] not in old.history
    if ended:
        last = now.history[0]
        message = f"{last.outcome} revision {last.revision} (version {last.version}): {last.message}"
        events.append(Event.of(f"Rollout{last.outcome}", message[:1000], cause=last.reason))
    moved = (old.phase, old.step, old.reason) != (now.phase, now.step, now.reason)
    built = now.phase is Phase.BUILDING and event_type(now.reason or now.phase) == "Normal"
    if moved and now.active and not ended and now.message and not built:
        events.append(Event.of(f"Rollout{now.phase}", now.message, cause=now.reason or now.phase))
    if now.command is not None and now.command != old.command:
        events.append(_answered(now.command))
    return tuple(events)


def _answered(command: CommandStatus) -> Event:
    refused = command.answer.startswith(REFUSED)
    return Event.of("CommandRefused" if refused else "RolloutCommand", f"{command.action}: {command.answer}")
