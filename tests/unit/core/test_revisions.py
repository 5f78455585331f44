"""The state machine of revisions on its own: stages, raw weights and deadlines."""

import pytest

from modelyard.api.status import RevisionStatus, Stage
from modelyard.core.conditions import timestamp
from modelyard.core.revisions import FULL, Facts, advance, backends, next_deadline

NOW = 1_800_000_000.0


def a_revision(name: str, stage: Stage, carried: float | None = None, slot: str = "a") -> RevisionStatus:
    since, seen = timestamp(NOW - 1000), "" if carried is None else timestamp(NOW - carried)
    rest = {"digest": "sha256:00", "version": "1", "runtime": "r", "weight": 100 if stage is Stage.SERVING else 0}
    return RevisionStatus.model_validate(
        {"name": name, "slot": slot, "stage": stage, "since": since, "carried": seen, **rest}
    )


def facts(answered: tuple[str, ...] = (), ready: tuple[str, ...] = (), programmed: bool = True) -> Facts:
    return Facts(NOW, frozenset((*ready, *answered)), frozenset(answered), programmed, settle=2, drain=30, start=300)


def stages(revisions: tuple[RevisionStatus, ...]) -> dict[str, str]:
    return {one.name: str(one.stage) for one in revisions}


@pytest.mark.parametrize(
    ("stage", "carried", "programmed", "then"),
    [
        (Stage.LEAVING, 1.9, True, "Leaving"),
        (Stage.LEAVING, 2.0, True, "Draining"),
        (Stage.LEAVING, 2.0, False, "Leaving"),
        (Stage.LEAVING, None, True, "Leaving"),
        (Stage.DRAINING, 29.9, True, "Draining"),
        (Stage.DRAINING, 30.0, True, None),
        (Stage.DRAINING, 30.0, False, "Draining"),
        (Stage.DROPPED, 1.9, True, "Dropped"),
        (Stage.DROPPED, 2.0, True, None),
        (Stage.DROPPED, None, True, "Dropped"),
    ],
)
def test_a_stage_ends_when_the_gateway_carried_it_long_enough(
    stage: Stage, carried: float | None, programmed: bool, then: str | None
) -> None:
    serving = a_revision("new", Stage.SERVING, 5, slot="b")

    after = advance([a_revision("old", stage, carried), serving], None, facts(programmed=programmed))

    assert stages(after).get("old") == then


@pytest.mark.parametrize("stage", [Stage.SERVING, Stage.LEAVING, Stage.DRAINING, Stage.DROPPED])
def test_the_gateway_is_first_seen_to_carry_a_stage_once(stage: Stage) -> None:
    [first] = advance([a_revision("one", stage)], None, facts())
    [again] = advance([a_revision("one", stage, 1)], None, facts())

    assert first.carried == timestamp(NOW)
    assert again.carried == timestamp(NOW - 1)


def test_a_revision_that_starts_is_not_carried() -> None:
    [one] = advance([a_revision("one", Stage.STARTING)], None, facts())

    assert one.carried == ""


@pytest.mark.parametrize(
    ("stage", "known", "ready"),
    [
        (Stage.STARTING, facts(ready=("one",)), False),
        (Stage.STARTING, facts(answered=("one",)), True),
        (Stage.DROPPED, facts(ready=("one",)), False),
        (Stage.SERVING, facts(ready=("one",)), True),
        (Stage.SERVING, facts(), False),
    ],
)
def test_ready_means_up_and_proven(stage: Stage, known: Facts, ready: bool) -> None:
    [one] = advance([a_revision("one", stage)], None, known)

    assert one.ready is ready


def test_an_answer_alone_moves_nothing_while_it_is_not_known_what_is_wanted() -> None:
    serving, new = a_revision("old", Stage.SERVING, 9), a_revision("new", Stage.STARTING, slot="b")

    after = advance([serving, new], None, facts(answered=("new",)))

    assert stages(after) == {"old": "Serving", "new": "Starting"}


def test_a_new_wish_takes_the_free_slot() -> None:
    serving, wish = a_revision("old", Stage.SERVING, 9, slot="a"), a_revision("new", Stage.STARTING)

    _, new = advance([serving], wish, facts())

    assert (new.name, new.slot, new.since) == ("new", "b", timestamp(NOW))


def test_a_slot_is_taken_in_the_moment_it_becomes_free() -> None:
    drained, serving = a_revision("old", Stage.DRAINING, 30), a_revision("mid", Stage.SERVING, 9, slot="b")

    after = advance([drained, serving], a_revision("new", Stage.STARTING), facts())

    assert [(one.name, one.slot) for one in after] == [("mid", "b"), ("new", "a")]


@pytest.mark.parametrize(
    ("held", "weights"),
    [
        ({"a": Stage.STARTING}, [100]),
        ({"a": Stage.SERVING}, [100]),
        ({"a": Stage.SERVING, "b": Stage.STARTING}, [100, 0]),
        ({"a": Stage.LEAVING, "b": Stage.SERVING}, [1, FULL]),
        ({"a": Stage.DRAINING, "b": Stage.SERVING}, [0, 100]),
        ({"a": Stage.SERVING, "b": Stage.DROPPED}, [100, 0]),
        ({"a": Stage.DROPPED, "b": Stage.STARTING}, [0, 100]),
    ],
)
def test_stages_ask_for_raw_weights(held: dict[str, Stage], weights: list[int]) -> None:
    revisions = [a_revision(slot, stage, slot=slot) for slot, stage in held.items()]

    assert [one.weight for one in backends(revisions, frozenset(held))] == weights


def test_a_revision_without_a_service_is_no_backend() -> None:
    assert backends([a_revision("one", Stage.SERVING)], frozenset()) == []


def test_a_revision_that_starts_has_a_deadline_of_its_own() -> None:
    begun = a_revision("one", Stage.STARTING).model_copy(update={"since": timestamp(NOW - 100)})

    assert next_deadline([begun], facts()) == 200


@pytest.mark.parametrize(
    ("stage", "carried", "seconds"),
    [
        (Stage.LEAVING, 0.5, 1.5),
        (Stage.DRAINING, 10, 20),
        (Stage.DROPPED, 0, 2),
        (Stage.LEAVING, None, None),
        (Stage.LEAVING, 5, None),
        (Stage.SERVING, 1, None),
        (Stage.STARTING, None, None),
    ],
)
def test_the_next_deadline_is_one_that_time_alone_brings(stage: Stage, carried: float | None, seconds: float) -> None:
    assert next_deadline([a_revision("one", stage, carried)], facts()) == seconds
