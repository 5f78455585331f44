"""When a watched rollout has ended, and the exit code that goes with it."""

import pytest

from modelyard.cli.rollout.exit_code import ending
from modelyard.cli.rollout.watch import follow
from tests.support.objects.rollout_statuses import (
    CANDIDATE,
    STARTED,
    a_look,
    a_record,
    a_revision,
    a_rollout,
    an_ended_rollout,
    before,
    conditions,
)

THIS, EARLIER = before(STARTED), before(100_000)
SERVES = conditions(Ready="True", Reconciling="False")


class Seen:
    """A screen that remembers."""

    def __init__(self):
        self.looks = []

    def show(self, look):
        self.looks.append(look)


def ended(outcome, **more):
    return a_look(an_ended_rollout(a_record(outcome, startTime=THIS), **more))


@pytest.mark.parametrize(
    ("outcome", "code"), [("Promoted", 0), ("Reported", 0), ("Aborted", 1), ("Failed", 1), ("RolledBack", 1)]
)
def test_the_outcome_is_the_exit_code(outcome, code):
    found = ending(ended(outcome), THIS)

    assert found.code == code
    assert f"{outcome} 3m ago: version 2 by Canary" in found.sentence
    assert found.sentence.endswith("312 of 1,204 requests failed; 1 % may.")


def test_while_it_is_under_way_it_has_not_ended():
    for phase in ("Building", "Advancing", "Holding", "Baking", "Aborting"):
        assert ending(a_look(a_rollout(phase)), THIS) is None


def test_after_a_newer_spec_the_next_rollout_is_watched():
    assert ending(ended("Superseded"), THIS) is None


def test_whoever_moved_an_alias_waits_for_the_version_it_means_now():
    serves = a_look(an_ended_rollout(a_record("Promoted", startTime=EARLIER)), version="2", conditions=SERVES)

    assert ending(serves, "", "3") is None
    assert ending(serves, "", "2").code == 0
    assert ending(a_look(an_ended_rollout(), version="1", conditions=SERVES), "", "3") is None


def test_a_version_that_was_refused_is_known_though_another_serves():
    record = a_record("Aborted", version="3", startTime=THIS)
    refused = a_look(an_ended_rollout(record, rejected=CANDIDATE), version="2", conditions=SERVES)

    assert ending(refused, THIS, "3").code == 1
    assert ending(refused, "", "3").code == 1
    assert ending(refused, "", "4") is None


def test_what_another_version_is_stuck_at_is_not_its_end():
    stuck = a_look(an_ended_rollout(), version="1", conditions=conditions(Stalled="True"))

    assert ending(stuck, "").code == 1
    assert ending(stuck, "", "2").code == 1
    assert ending(stuck, "", "3") is None


def test_before_the_operator_saw_the_spec_the_last_end_means_nothing():
    look = a_look(an_ended_rollout(a_record("Promoted")), observedGeneration=1, conditions=SERVES)

    assert ending(look, "") is None


def test_without_a_rollout_a_model_that_serves_is_good():
    found = ending(a_look(an_ended_rollout(a_record("Aborted")), conditions=SERVES), "")

    assert (found.code, found.sentence.split(".")[0]) == (0, "No rollout is under way; version 1 holds the traffic")
    assert "Aborted 3m ago" in found.sentence


def test_a_wanted_revision_that_was_refused_before_is_bad():
    look = a_look(an_ended_rollout(a_record("Aborted", startTime=EARLIER), rejected=CANDIDATE))

    assert ending(look, "").code == 1


def test_a_wish_that_no_rollout_began_for_is_waited_for():
    assert ending(a_look(an_ended_rollout()), "") is None


@pytest.mark.parametrize("rollout", [an_ended_rollout(), a_rollout("Building", 0, 0)])
def test_what_only_a_person_can_mend_ends_the_watch(rollout):
    stuck = conditions(Stalled="True")
    stuck[-1]["message"] = "There is no digits:2."

    found = ending(a_look(rollout, conditions=stuck), "")

    assert (found.code, found.sentence) == (1, "digits is stuck: There is no digits:2.")


def test_a_rollout_that_left_no_record_is_not_taken_for_the_one_before():
    earlier = a_record("Promoted", startTime=EARLIER)
    gone = an_ended_rollout(earlier, reason="AbortCommanded", message="A command aborted the rollout.")

    found = ending(a_look(gone), THIS)

    assert (found.code, found.sentence) == (1, "digits: A command aborted the rollout.")


def test_the_first_revision_has_no_record_and_is_promoted():
    first = an_ended_rollout(reason="Promoted", message="Revision x (version 1) was promoted.")

    assert ending(a_look(first), THIS).code == 0


@pytest.mark.parametrize("stage", ["Starting", "Joining"])
@pytest.mark.parametrize("old", [[a_revision()], []], ids=["replaces", "first"])
def test_what_is_promoted_has_not_ended_before_the_traffic_is_with_it(stage, old):
    record = [a_record("Promoted", startTime=THIS)] if old else []
    promoted = an_ended_rollout(*record, reason="Promoted", stable=CANDIDATE)

    joins = a_look(promoted, revisions=[*old, a_revision(CANDIDATE, 0, stage)])
    serves = a_look(promoted, revisions=[a_revision(CANDIDATE)], version="2")

    assert ending(joins, THIS) is None
    assert ending(joins, THIS, "2") is None
    assert ending(serves, THIS, "2").code == 0


def test_what_is_promoted_and_stuck_on_its_way_ends_badly():
    promoted = an_ended_rollout(a_record("Promoted", startTime=THIS), stable=CANDIDATE)
    look = a_look(promoted, revisions=[a_revision(CANDIDATE, 0, "Joining")], conditions=conditions(Stalled="True"))

    assert ending(look, THIS, "2").code == 1


def test_every_look_is_shown_until_the_end():
    screen, looks = Seen(), [a_look(a_rollout()), a_look(a_rollout("Baking", 3, 100)), ended("Promoted"), "never read"]

    found = follow(looks, screen)

    assert found.code == 0
    assert screen.looks == looks[:3]


def test_a_rollout_that_follows_a_superseded_one_decides():
    later = before(60)
    promoted = an_ended_rollout(a_record("Promoted", startTime=later), a_record("Superseded", startTime=THIS))
    looks = [
        a_look(a_rollout()),
        ended("Superseded"),
        a_look(a_rollout("Building", 0, 0, startTime=later)),
        a_look(promoted),
    ]

    assert follow(looks, Seen()).code == 0


def test_a_model_that_is_gone_ends_badly():
    found = follow([a_look(a_rollout()), None], Seen())

    assert (found.code, found.sentence) == (1, "The Model was deleted while it was watched.")


def test_looks_that_end_first_are_no_end():
    assert follow([a_look(a_rollout())], Seen()) is None
