"""The tree of a rollout: who has the traffic, how far the way is, what the gates know, and why it stands there."""

import pytest

from modelyard.cli.rollout.view import tree
from tests.support.machine.captured_output import printed, row_with, widest
from tests.support.objects.rollout_statuses import (
    CANDIDATE,
    STABLE,
    a_gate,
    a_look,
    a_record,
    a_revision,
    a_rollout,
    an_ended_rollout,
    before,
    conditions,
)

UNDER_WAY = """\
digits in demo: Canary to version 2, for 24m
Advancing at 25 % for 2m: Revision digits-abcdef0123 gets 25 % of the traffic,
step 2 of 3.
├── ● stable     version 1   75 %  2 of 2 ready  slot a, Serving for 2m
│                digits-0123456789
├── ● candidate  version 2   25 %  2 of 2 ready  slot b, Serving for 2m
│                digits-abcdef0123
├── Steps  ✓ Build  ✓ Start  ✓ 5 %  ● 25 %  ○ 50 %  ○ 100 % (bake 10m)
├── Gates
│   ├── … latency  Continue, may pass in about 3m10s
│   │     too slow: candidate 4 of 1,000 (0.4 %)  stable 11 of 3,000 (0.37 %)
│   │       phi 1.8
│   │     against ████░░░░░░░░░░░░░░░░░░░░  2.5 of 200
│   │     for     ███████████████████░░░░░  11 of 20
│   │     4 of 1,000 answers took longer than 100 ms.
│   └── ✓ health  Pass
│         the candidate's pods are well.
└── Command resume 5m ago: It goes on."""


def test_a_canary_under_way_is_one_picture():
    gates = [
        a_gate("latency", overdispersion=1.84, message="latency: 4 of 1,000 answers took longer than 100 ms."),
        {"name": "health", "verdict": "Pass", "message": "health: the candidate's pods are well."},
    ]
    command = {"id": "1", "action": "resume", "answer": "It goes on.", "time": before(300)}

    assert printed(tree(a_look(a_rollout(gates=gates, command=command)))) == UNDER_WAY


@pytest.mark.parametrize("width", [60, 80, 140])
def test_nothing_is_wider_than_the_terminal(width):
    gates = [a_gate(name, verdict) for name in ("latency", "errors") for verdict in ("Continue", "Fail")]

    assert widest(printed(tree(a_look(a_rollout(gates=gates))), width)) <= width


def test_a_wide_terminal_has_a_revision_in_one_line():
    shown = printed(tree(a_look(a_rollout())), 140)

    assert row_with(shown, "candidate").endswith(CANDIDATE)
    assert row_with(shown, "stable").endswith(STABLE)


def test_what_holds_it_is_said_with_its_reason():
    held = a_rollout("Holding", held="Advancing", reason="NoTraffic", message="No request came for 60 s.")

    shown = printed(tree(a_look(held)))

    assert "Holding in Advancing at 25 % for 2m (NoTraffic): No request came for 60 s." in shown
    assert "‖ 25 % (held)" in shown


def test_a_share_on_its_way_shows_what_it_is_to_be():
    shown = printed(tree(a_look(a_rollout(weight=25), revisions=[a_revision(), a_revision(CANDIDATE, 5)])))

    assert "5 %, to be 25 %" in row_with(shown, "candidate")
    assert "● 25 % (not in the gateway yet)" in shown


def test_replicas_that_may_not_be_read_are_not_claimed():
    look = a_look(a_rollout())

    assert "replicas not known" in printed(tree(type(look)(look.model, look.now)))


def test_a_stable_that_stands_by_has_no_traffic():
    baking = a_rollout("Baking", 3, 100)
    shown = printed(tree(a_look(baking, revisions=[a_revision(STABLE, 0, "Standby"), a_revision(CANDIDATE, 100)])))

    assert "○ stable     version 1    0 %" in shown
    assert "● 100 % (bake 10m, 8m left)" in shown


def test_a_command_nobody_answered_yet_is_shown_as_that():
    spec = {"command": {"id": "2", "action": "pause"}}
    before_it = {"id": "1", "action": "resume", "answer": "It goes on.", "time": before(300)}

    shown = printed(tree(a_look(a_rollout(command=before_it), spec)))

    assert "Command pause: not answered yet" in shown


def test_an_operator_that_lags_behind_is_said_so():
    look = a_look(a_rollout(), observedGeneration=1)

    assert "has not taken up the latest change of the Model yet" in printed(tree(look), 140)


def test_a_model_that_is_stuck_says_why():
    told = conditions(Stalled="True")
    told[-1]["message"] = "There is no digits:2 in the registry."

    shown = printed(tree(a_look(a_rollout("Building", 0, 0), conditions=told)))

    assert "There is no digits:2 in the registry." in shown


REFUSED = """\
digits in demo: no rollout is under way
├── ● stable     version 1  100 %  2 of 2 ready  slot a, Serving for 2m
│                digits-0123456789
├── ○ refused    version 2    0 %, kept 6m40s more  2 of 2 ready
│                slot b, Draining for 2m  digits-abcdef0123
└── Last ✗ Aborted 3m ago: version 2 by Canary, took 7m, 312 of 1,204 (26 %)
    failed
    312 of 1,204 requests failed; 1 % may.
    Do: push a better version and name it in spec.source; or `modelyard rollout
    retry digits -n demo` tries this one once more."""


def test_a_refused_revision_is_shown_with_why_and_what_to_do():
    ended = an_ended_rollout(a_record(), rejected=CANDIDATE, retainUntil=before(-400))
    gone = [a_revision(), a_revision(CANDIDATE, 0, "Draining")]
    look = a_look(ended, revisions=gone, conditions=conditions(Stalled="True"))

    assert printed(tree(look)) == REFUSED


def test_after_a_promotion_nothing_is_left_to_do():
    ended = an_ended_rollout(a_record("Promoted", requests=0, failedRequests=0), stable=CANDIDATE)

    shown = printed(tree(a_look(ended, revisions=[a_revision(CANDIDATE)])))

    assert "✓ Promoted 3m ago: version 2 by Canary, took 7m" in shown
    assert "Do:" not in shown


def test_a_shadow_ends_with_its_report_and_refuses_nobody():
    found = {"shadow": {"compared": 200, "share": 0.0125, "outputs": {"scores": {"maxAbsolute": 0.002}}}}
    ended = an_ended_rollout(a_record("Reported"), rejected=CANDIDATE, report=found)

    shown = printed(tree(a_look(ended)))

    assert "● tried" in shown
    assert "Do:" not in shown
    assert "Report: shadow" in shown
    assert "compared: 200" in shown
    assert "outputs: scores maxAbsolute 0.002" in shown


def test_a_model_without_a_status_has_no_rollout():
    assert printed(tree(a_look(None, revisions=[]))) == "digits in demo: no rollout is under way"


def test_what_users_wrote_is_not_read_as_markup():
    shown = printed(tree(a_look(a_rollout(message="shape [bold]3[/bold] does not fit"))))

    assert "[bold]3[/bold]" in shown
