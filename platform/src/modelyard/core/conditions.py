"""Conditions as kstatus reads them: Ready, Reconciling and Stalled sum up; the others are the stations of the path.

| condition | True means |
|---|---|
| Ready | the spec as written now holds all the traffic |
| Reconciling | work is under way towards that |
| Stalled | only a person can bring it further |
| EntryResolved | the registry knows the entry |
| Built | its artifact is in the store |
| Serving | a revision answers, be it the wanted one or the one before |
| Routed | the gateway accepted the routes |
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from modelyard.api.status import Condition

from .plan import Event

ORDER = ("Ready", "Reconciling", "Stalled", "EntryResolved", "Built", "Serving", "Routed")
MAX_MESSAGE = 1000


class ConditionUpdate(NamedTuple):
    """What is to be said of one condition: True, False or None for not known; a word; a sentence."""

    holds: bool | None
    reason: str
    message: str


def timestamp(now: float) -> str:
    """Seconds since the epoch as RFC 3339 with milliseconds."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch(text: str) -> float:
    """The reverse of `timestamp`."""
    return datetime.fromisoformat(text).timestamp()


def merge(
    old: Iterable[Condition], findings: Mapping[str, ConditionUpdate], generation: int, now: float
) -> list[Condition]:
    """New conditions in a fixed order; a transition time moves only when the status does."""
    before = {one.type: one for one in old}
    return [_condition(kind, before.get(kind), findings[kind], generation, now) for kind in ORDER if kind in findings]


def _condition(kind: str, old: Condition | None, finding: ConditionUpdate, generation: int, now: float) -> Condition:
    status: Any = "Unknown" if finding.holds is None else str(finding.holds)
    since = old.last_transition_time if old is not None and old.status == status else timestamp(now)
    return Condition(
        type=kind,
        status=status,
        reason=finding.reason,
        message=finding.message[:MAX_MESSAGE],
        observed_generation=generation,
        last_transition_time=since,
    )


def events(old: Iterable[Condition], new: Iterable[Condition]) -> tuple[Event, ...]:
    """One Event for every condition whose status or reason changed, each sentence once; a Warning when stalled."""
    before = {one.type: (one.status, one.reason) for one in old}
    now = list(new)
    stalled = {one.reason for one in now if one.type == "Stalled" and one.status == "True"}
    changed = [one for one in now if before.get(one.type) != (one.status, one.reason)]
    return tuple(
        dict.fromkeys(
            Event("Warning" if one.reason in stalled else "Normal", one.reason, one.message)
            for one in changed
            if one.type not in ("Reconciling", "Stalled")
        )
    )
