"""Conditions as kstatus reads them: Ready, Reconciling and Stalled sum up; the others are the steps of the way.

| condition | True means |
|---|---|
| Ready | users are served as promised, and nothing needs a person; a rollout under way does not change that |
| Progressing | a rollout is under way |
| Reconciling | work is under way towards the spec as written now; False with the reason Done once it is reached |
| Stalled | only a person can bring it further |
| EntryResolved | the registry knows the entry |
| Built | its artifact is in the store |
| Serving | a revision answers, be it the one of the spec or the one before; the gateway's counts are believed first |
| Routed | the gateway carries the routes, be it with the latest weights or those before |
| DataHealthy | recorded rows are like the reference; absent where nothing is recorded, and no part of Ready |
| PerformanceHealthy | labels call answers as right as the reference's; absent where none are taken, no part of Ready |
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from modelyard.api.status import Condition

from .event_types import means_harm
from .plan import Event
from .snapshot import MAX_REASON

ORDER = (
    "Ready", "Progressing", "Reconciling", "Stalled", "EntryResolved", "Built", "Serving", "Routed", "DataHealthy",
    "PerformanceHealthy",
)  # fmt: skip
MAX_MESSAGE = 1000
REQUESTS_FAIL = "RequestsFail"
"""Reason of Serving while the gateway counts that users are failed."""
_SUMMARIES = frozenset({"Progressing", "Reconciling", "Stalled"})
_WAITING = frozenset(
    {"Asking", "EntryUnresolved", "LearningReference", "NoLabels", "NoRevision", "NoRows", "NotEvaluated"}
)
_EXPECTED = frozenset({"Accepted", "Answering", "AsReference", "Found", "PerformanceKept", "Publishing"})
"""What comes of itself when nothing goes wrong; that Ready has become true tells of it."""


class ConditionUpdate(NamedTuple):
    """What is to be written to one condition: `holds` is True, False or None (Unknown); a reason word; a sentence."""

    holds: bool | None
    reason: str
    message: str


def timestamp(now: float) -> str:
    """Seconds since the epoch as RFC 3339 text in UTC with milliseconds, such as 2026-01-31T12:00:00.000Z."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch(text: str) -> float:
    """Seconds since the epoch of an RFC 3339 text, the reverse of `timestamp`. Raises ValueError when it is none."""
    return datetime.fromisoformat(text).timestamp()


def merge(
    old: Iterable[Condition], updates: Mapping[str, ConditionUpdate], generation: int, now: float
) -> list[Condition]:
    """The conditions to write, in the order of `ORDER`: one for every type that `updates` names, the others dropped.

    `lastTransitionTime` is `now` (seconds since the epoch) where the status differs from `old`, else the old time.
    """
    before = {condition.type: condition for condition in old}
    return [_condition(kind, before.get(kind), updates[kind], generation, now) for kind in ORDER if kind in updates]


def _condition(kind: str, old: Condition | None, update: ConditionUpdate, generation: int, now: float) -> Condition:
    status: Any = "Unknown" if update.holds is None else str(update.holds)
    since = old.last_transition_time if old is not None and old.status == status else timestamp(now)
    return Condition(
        type=kind,
        status=status,
        reason=update.reason[:MAX_REASON],
        message=update.message[:MAX_MESSAGE],
        observed_generation=generation,
        last_transition_time=since,
    )


def events(old: Iterable[Condition], new: Iterable[Condition]) -> tuple[Event, ...]:
    """What is told of the change from `old` to `new`, one Event for one fact.

    | whose status or reason has changed | tells |
    |---|---|
    | a condition with a reason that means harm | that, once a reason: the step's sentence before that of Ready |
    | one that is over such a reason | that it is over |
    | Ready | that it has become true |
    | Built | every reason but one that waits, and Published only of what was not there before |
    | Serving | that a revision starts |
    | Routed | nothing: Ready, or the harm that keeps it from being true, tells how publishing has ended |
    | EntryResolved, and all that waits for something before it | nothing |

    Progressing, Reconciling and Stalled give none of their own; what type an Event is of follows from its reason.
    """
    before = {condition.type: condition for condition in old}
    told: dict[str, Condition] = {}
    for condition in sorted(new, key=lambda condition: condition.type == "Ready"):
        if condition.type not in _SUMMARIES and _is_news(before.get(condition.type), condition):
            told.setdefault(condition.reason, condition)
    return once_each(Event.of(condition.reason, condition.message) for condition in told.values())


def once_each(events: Iterable[Event]) -> tuple[Event, ...]:
    """The Events without those whose sentence another before them has."""
    return tuple({event.message: event for event in reversed(list(events))}.values())[::-1]


def _is_news(old: Condition | None, new: Condition) -> bool:
    if old is not None and (old.status, old.reason) == (new.status, new.reason):
        return False
    if means_harm(new.reason):
        return True
    if old is not None and means_harm(old.reason):
        return new.reason not in _WAITING
    if new.type == "Ready":
        return new.status == "True"
    if new.reason == "Published":
        return old is not None and old.reason not in _WAITING
    return new.reason not in _WAITING | _EXPECTED
