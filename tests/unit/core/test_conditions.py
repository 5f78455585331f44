"""Conditions keep their order and their times; an event tells of each change once."""

from modelyard.api.status import Condition
from modelyard.core.conditions import MAX_MESSAGE, ORDER, ConditionUpdate, epoch, events, merge, once_each, timestamp
from modelyard.core.plan import Event

FINE = ConditionUpdate(True, "Done", "All is well.")
WORKING = ConditionUpdate(False, "Starting", "It starts.")


def findings(ready: ConditionUpdate, **others: ConditionUpdate) -> dict[str, ConditionUpdate]:
    return {**others, "Ready": ready}


def test_a_time_is_read_back_to_the_millisecond() -> None:
    assert timestamp(1_800_000_000.1234) == "2027-01-15T08:00:00.123Z"
    assert epoch("2027-01-15T08:00:00.123Z") == 1_800_000_000.123


def test_conditions_come_in_a_fixed_order() -> None:
    merged = merge((), dict.fromkeys(reversed(ORDER), FINE), 1, 0)

    assert tuple(condition.type for condition in merged) == ORDER


def test_what_is_not_known_is_unknown() -> None:
    [condition] = merge((), findings(ConditionUpdate(None, "Unreachable", "Nobody knows.")), 3, 0)

    assert (condition.status, condition.observed_generation) == ("Unknown", 3)


def test_the_time_of_a_transition_moves_only_with_the_status() -> None:
    old = merge((), findings(WORKING), 1, 100)
    same = merge(old, findings(ConditionUpdate(False, "Other", "It waits.")), 2, 200)
    changed = merge(same, findings(FINE), 2, 300)

    assert same[0].last_transition_time == timestamp(100)
    assert changed[0].last_transition_time == timestamp(300)


def test_long_messages_are_cut() -> None:
    [condition] = merge((), findings(ConditionUpdate(True, "Done", "x" * 5000)), 1, 0)

    assert len(condition.message) == MAX_MESSAGE


def test_a_change_of_status_or_reason_is_an_event_and_a_new_sentence_is_not() -> None:
    old = merge((), findings(WORKING, Built=FINE), 1, 0)
    new = merge(old, findings(FINE, Built=ConditionUpdate(True, "Done", "Still.")), 1, 1)

    assert events(old, new) == (Event("Normal", "Done", "All is well."),)


def test_the_same_sentence_is_told_once() -> None:
    new = merge((), findings(FINE, Built=ConditionUpdate(False, "Building", "It is built."), Serving=FINE), 1, 0)

    assert events((), new) == (Event("Normal", "Building", "It is built."), Event("Normal", "Done", "All is well."))
    assert once_each((Event("Normal", "A", "Same."), Event("Normal", "B", "Same."))) == (Event("Normal", "A", "Same."),)


def told(*way: tuple[bool | None, str], kind: str = "Routed") -> list[str]:
    """The reasons of the Events while a condition takes these values one after the other."""
    old, reasons = list[Condition](), list[str]()
    for holds, reason in way:
        new = merge(old, {kind: ConditionUpdate(holds, reason, f"{reason}.")}, 1, 0)
        reasons += [event.reason for event in events(old, new)]
        old = new
    return reasons


def test_what_waits_and_what_comes_of_itself_is_no_news() -> None:
    moved = ((False, "Publishing"), (True, "Accepted"))

    assert told((False, "NoRevision"), *moved, *moved) == []
    assert told((None, "EntryUnresolved"), (False, "Building"), (True, "Published"), kind="Built") == [
        "Building",
        "Published",
    ]
    assert told((True, "Published"), kind="Built") == []
    assert told((None, "Asking"), (True, "Found"), kind="EntryResolved") == []
    assert told((False, "Starting"), (True, "Serving"), (False, "Starting"), kind="Ready") == ["Serving"]


def test_that_harm_is_over_is_news() -> None:
    assert told((False, "UnknownEntry"), (True, "Found"), kind="EntryResolved") == ["UnknownEntry", "Found"]
    assert told((False, "NotAccepted"), (True, "Accepted")) == ["NotAccepted", "Accepted"]
    assert told((False, "NotAccepted"), (False, "NoRevision")) == ["NotAccepted"]


def test_the_reason_alone_makes_an_event_a_warning() -> None:
    crash, away = (ConditionUpdate(False, reason, f"{reason}.") for reason in ("ServerCrashed", "NotAccepted"))
    new = merge((), findings(crash, Stalled=crash, Routed=away, Built=WORKING), 1, 0)

    assert set(events((), new)) == {
        Event("Warning", "ServerCrashed", "ServerCrashed."),
        Event("Warning", "NotAccepted", "NotAccepted."),
        Event("Normal", "Starting", "It starts."),
    }
