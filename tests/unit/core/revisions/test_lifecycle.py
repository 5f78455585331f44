"""The state machine of revisions on its own: stages, raw weights and deadlines."""

import pytest

from modelyard.api.status import RevisionStatus, Stage
from modelyard.core.conditions import timestamp
from modelyard.core.revisions.lifecycle import (
    FULL,
    RevisionFacts,
    TrafficTarget,
    advance,
    backends,
    carried,
    next_deadline,
)

NOW = 1_800_000_000.0


def a_revision(
    name: str, stage: Stage, carried: float | None = None, slot: str = "a", weight: int = 100
) -> RevisionStatus:
    since, programmed_time = timestamp(NOW - 1000), "" if carried is None else timestamp(NOW - carried)
    rest = {"digest": "sha256:00", "version": "1", "runtime": "r", "weight": weight if stage is Stage.SERVING else 0}
    return RevisionStatus.model_validate(
        {
            "name": name,
            "slot": slot,
            "stage": stage,
            "stage_start_time": since,
            "programmed_time": programmed_time,
            **rest,
        }
    )


def facts(answered: tuple[str, ...] = (), ready: tuple[str, ...] = (), programmed: bool = True) -> RevisionFacts:
    return RevisionFacts(
        NOW, frozenset((*ready, *answered)), frozenset(answered), programmed, settle=2, drain=30, start=300
    )


def keeping(*names: str) -> TrafficTarget:
    return TrafficTarget(weights={"new": 100}, kept=frozenset(names))


def giving(standby: tuple[str, ...] = (), **weights: int) -> TrafficTarget:
    return TrafficTarget(weights=weights, standby=frozenset(standby))


def stages(revisions: tuple[RevisionStatus, ...]) -> dict[str, str]:
    return {revision.name: str(revision.stage) for revision in revisions}


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

    after = advance([a_revision("old", stage, carried), serving], giving(new=100), facts(programmed=programmed))

    assert stages(after).get("old") == then


@pytest.mark.parametrize("stage", [Stage.SERVING, Stage.LEAVING, Stage.DRAINING, Stage.DROPPED])
def test_the_gateway_is_first_seen_to_carry_a_stage_once(stage: Stage) -> None:
    target = TrafficTarget(weights={"one": 100} if stage is Stage.SERVING else {})

    [first] = advance([a_revision("one", stage)], target, facts())
    [again] = advance([a_revision("one", stage, 1)], target, facts())

    assert first.programmed_time == timestamp(NOW)
    assert again.programmed_time == timestamp(NOW - 1)


def test_a_revision_that_starts_is_not_carried() -> None:
    [revision] = advance([a_revision("one", Stage.STARTING)], giving(one=100), facts())

    assert revision.programmed_time == ""


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
def test_ready_means_up_and_proven(stage: Stage, known: RevisionFacts, ready: bool) -> None:
    target = TrafficTarget(
        weights={"one": 100} if stage is Stage.SERVING else {}, kept=frozenset({"one"} - {str(stage)})
    )

    [revision] = advance([a_revision("one", stage)], target, known)

    assert revision.ready is ready


def test_an_answer_alone_moves_nothing_without_an_order() -> None:
    serving, new = a_revision("old", Stage.SERVING, 9), a_revision("new", Stage.STARTING, slot="b")

    after = advance([serving, new], TrafficTarget({"old": 100}, kept=frozenset({"new"})), facts(answered=("new",)))

    assert stages(after) == {"old": "Serving", "new": "Starting"}


def test_a_new_wish_takes_the_free_slot() -> None:
    serving, start = a_revision("old", Stage.SERVING, 9, slot="a"), a_revision("new", Stage.STARTING)

    _, new = advance([serving], TrafficTarget({"old": 100}, kept=frozenset({"new"}), start=start), facts())

    assert (new.name, new.slot, new.stage_start_time) == ("new", "b", timestamp(NOW))


def test_a_slot_is_taken_in_the_moment_it_becomes_free() -> None:
    drained, serving = a_revision("old", Stage.DRAINING, 30), a_revision("mid", Stage.SERVING, 9, slot="b")

    start = a_revision("new", Stage.STARTING)

    after = advance([drained, serving], TrafficTarget({"mid": 100}, kept=frozenset({"new"}), start=start), facts())

    assert [(revision.name, revision.slot) for revision in after] == [("mid", "b"), ("new", "a")]


@pytest.mark.parametrize(
    ("held", "weights"),
    [
        ({"a": Stage.STARTING}, [100]),
        ({"a": Stage.SERVING}, [100]),
        ({"a": Stage.SERVING, "b": Stage.STARTING}, [100, 0]),
        ({"a": Stage.LEAVING, "b": Stage.SERVING}, [1, FULL]),
        ({"a": Stage.STANDBY, "b": Stage.SERVING}, [1, FULL]),
        ({"a": Stage.SERVING, "b": Stage.JOINING}, [FULL, 1]),
        ({"a": Stage.DRAINING, "b": Stage.SERVING}, [0, 100]),
        ({"a": Stage.SERVING, "b": Stage.DROPPED}, [100, 0]),
        ({"a": Stage.DROPPED, "b": Stage.STARTING}, [0, 100]),
    ],
)
def test_stages_ask_for_raw_weights(held: dict[str, Stage], weights: list[int]) -> None:
    revisions = [a_revision(slot, stage, slot=slot) for slot, stage in held.items()]

    assert [revision.weight for revision in backends(revisions, frozenset(held))] == weights


def test_shares_are_raw_weights_when_nobody_comes_or_goes() -> None:
    both = [a_revision("old", Stage.SERVING, weight=95), a_revision("new", Stage.SERVING, slot="b", weight=5)]

    assert [revision.weight for revision in backends(both, frozenset({"old", "new"}))] == [95, 5]


def test_a_newcomer_joins_before_it_gets_its_share() -> None:
    old, new = a_revision("old", Stage.SERVING, 9), a_revision("new", Stage.STARTING, slot="b")
    target = giving(old=95, new=5)

    joining = advance([old, new], target, facts(answered=("new",)))
    shared = advance([old, a_revision("new", Stage.JOINING, 2, slot="b")], target, facts(answered=("new",)))

    assert stages(joining) == {"old": "Serving", "new": "Joining"}
    assert [(revision.stage, revision.weight) for revision in shared] == [(Stage.SERVING, 95), (Stage.SERVING, 5)]


@pytest.mark.parametrize(("settled", "programmed"), [(1.9, True), (2, False)])
def test_a_newcomer_gets_nothing_before_the_gateway_knows_it(settled: float, programmed: bool) -> None:
    old, new = a_revision("old", Stage.SERVING, 9), a_revision("new", Stage.JOINING, settled, slot="b")

    after = advance([old, new], giving(old=95, new=5), facts(answered=("new",), programmed=programmed))

    assert [(revision.name, revision.weight) for revision in after] == [("old", 100), ("new", 0)]


def test_shares_move_in_one_step_and_an_unchanged_one_is_left_alone() -> None:
    old, new = a_revision("old", Stage.SERVING, 9, weight=95), a_revision("new", Stage.SERVING, 9, "b", weight=5)

    same = advance([old, new], giving(old=95, new=5), facts())
    more = advance([old, new], giving(old=75, new=25), facts())

    assert [revision.programmed_time for revision in same] == [old.programmed_time, new.programmed_time]
    assert [(revision.weight, revision.programmed_time) for revision in more] == [(75, ""), (25, "")]


def test_the_stable_stands_by_and_takes_everything_back_at_once() -> None:
    old, new = a_revision("old", Stage.SERVING, 9, weight=50), a_revision("new", Stage.SERVING, 9, "b", weight=50)

    baking = advance([old, new], giving(("old",), new=100), facts())
    back = advance(baking, giving(old=100), facts(programmed=False))

    assert stages(baking) == {"old": "Standby", "new": "Serving"}
    assert stages(back) == {"old": "Serving", "new": "Leaving"}


@pytest.mark.parametrize("stage", [Stage.JOINING, Stage.STANDBY])
def test_who_is_neither_to_serve_nor_to_stand_by_leaves(stage: Stage) -> None:
    serving = a_revision("new", Stage.SERVING, 9, slot="b")

    after = advance([a_revision("old", stage, 9), serving], keeping("old"), facts())

    assert stages(after)["old"] == "Leaving"


@pytest.mark.parametrize("stage", [Stage.JOINING, Stage.LEAVING])
def test_who_is_to_stand_by_keeps_its_cluster(stage: Stage) -> None:
    serving = a_revision("new", Stage.SERVING, 9, slot="b")

    after = advance([a_revision("old", stage, 9), serving], giving(("old",), new=100), facts())

    assert stages(after)["old"] == "Standby"


def test_a_kept_revision_stays_without_traffic() -> None:
    drained, serving = a_revision("old", Stage.DRAINING, 900), a_revision("new", Stage.SERVING, 9, slot="b")

    assert stages(advance([drained, serving], keeping("old"), facts()))["old"] == "Draining"
    assert "old" not in stages(advance([drained, serving], keeping(), facts()))


@pytest.mark.parametrize(("target", "then"), [(keeping("old"), "Starting"), (keeping(), "Dropped")])
def test_a_dropped_revision_starts_again_when_it_is_wanted(target: TrafficTarget, then: str) -> None:
    serving = a_revision("new", Stage.SERVING, 9, slot="b")

    after = advance([a_revision("old", Stage.DROPPED), serving], target, facts())

    assert stages(after)["old"] == then


def test_nobody_keeps_traffic_when_nobody_is_to_have_it() -> None:
    assert stages(advance([a_revision("one", Stage.SERVING, 9)], TrafficTarget(), facts())) == {"one": "Leaving"}


def test_a_leaving_revision_comes_back_once_it_answers() -> None:
    old, new = a_revision("old", Stage.LEAVING, 1), a_revision("new", Stage.SERVING, 1, slot="b")

    assert stages(advance([old, new], giving(old=100), facts()))["old"] == "Leaving"
    assert stages(advance([old, new], giving(old=100), facts(answered=("old",)))) == {
        "old": "Serving",
        "new": "Leaving",
    }


def test_a_revision_without_a_service_is_no_backend() -> None:
    assert backends([a_revision("one", Stage.SERVING)], frozenset()) == []


def test_a_revision_that_starts_has_a_deadline_of_its_own() -> None:
    begun = a_revision("one", Stage.STARTING).model_copy(update={"stage_start_time": timestamp(NOW - 100)})

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


def test_what_the_gateway_carries_already_is_noted_in_the_same_pass() -> None:
    serving, starting = a_revision("one", Stage.SERVING), a_revision("two", Stage.STARTING, slot="b")

    noted = carried([serving, starting], NOW)

    assert [revision.programmed_time for revision in noted] == [timestamp(NOW), ""]
