"""Into a log, a watched rollout is a line for every change; for programs the same as JSON or YAML."""

import json

import pytest
import yaml
from rich.console import Console

from modelyard.cli.rollout.watch import Documents, Lines, Picture, document
from modelyard.cli.terminal.console import Output
from tests.support.objects.rollout_statuses import a_gate, a_look, a_rollout, an_ended_rollout, split


def lines(*looks):
    console = Console(width=80, no_color=True, force_terminal=False)
    screen = Lines(console)
    with console.capture() as shown:
        for look in looks:
            screen.show(look)
    return shown.get().splitlines()


def test_a_line_says_when_where_why_and_what_the_gates_say():
    held = a_rollout("Holding", held="Advancing", reason="NoTraffic", message="No request came.", gates=[a_gate()])

    assert lines(a_look(held)) == [
        "12:00:00Z digits version 2: Holding in Advancing at 25 % (NoTraffic): No request came. "
        "[errors Continue (against 2.5/200, for 11/20)]"
    ]


def test_counts_alone_are_no_change():
    looks = [a_look(a_rollout(gates=[a_gate(requests=1000 + more)])) for more in range(5)]

    assert len(lines(*looks)) == 1


def test_a_gate_that_was_bound_to_come_is_no_news():
    health = {"name": "health", "verdict": "Pass"}

    assert len(lines(a_look(a_rollout()), a_look(a_rollout(gates=[a_gate(), health])))) == 1


def test_a_share_that_is_not_there_yet_is_told_from_the_one_wanted():
    first, second = lines(a_look(a_rollout(), revisions=split(5)), a_look(a_rollout()))

    assert "Advancing at 25 %, has 5 %:" in first
    assert "Advancing at 25 %:" in second


@pytest.mark.parametrize(
    "changed",
    [
        a_look(a_rollout(gates=[a_gate(verdict="Pass")])),
        a_look(a_rollout(step=2, weight=50, gates=[a_gate()])),
        a_look(a_rollout(gates=[a_gate()]), revisions=split(5)),
        a_look(a_rollout(gates=[a_gate()]), observedGeneration=1),
        a_look(an_ended_rollout()),
    ],
    ids=["verdict", "step", "share", "newer spec", "end"],
)
def test_what_a_person_would_call_a_change_is_a_line(changed):
    assert len(lines(a_look(a_rollout(gates=[a_gate()])), changed, changed)) == 2


def test_programs_read_one_json_document_a_line(capsys):
    screen = Documents(Output.JSON)
    for look in (a_look(a_rollout()), a_look(a_rollout()), a_look(an_ended_rollout())):
        screen.show(look)

    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["rollout"]["phase"] == "Advancing"
    assert second["rollout"]["phase"] == "Idle"


def test_yaml_documents_are_told_apart(capsys):
    screen = Documents(Output.YAML)
    screen.show(a_look(a_rollout()))
    screen.show(a_look(an_ended_rollout()))

    phases = [one["rollout"]["phase"] for one in yaml.safe_load_all(capsys.readouterr().out)]
    assert phases == ["Advancing", "Idle"]


def test_a_document_has_steps_replicas_and_counts_but_no_inner_sums():
    found = document(a_look(a_rollout(gates=[a_gate(state={"windowEnd": 1})])))

    assert [one["name"] for one in found["steps"] if one["reached"] == "current"] == ["25 %"]
    assert [(one["version"], one["readyReplicas"]) for one in found["revisions"]] == [("1", 2), ("2", 2)]
    assert found["rollout"]["gates"][0]["stableRequests"] == 3000
    assert "state" not in found["rollout"]["gates"][0]
    assert found["upToDate"] is True


def test_on_a_terminal_the_last_picture_stays():
    console = Console(width=80, force_terminal=True, no_color=True)
    with console.capture() as shown, Picture(console) as picture:
        picture.show(a_look(a_rollout()))
        picture.show(a_look(an_ended_rollout()))

    assert "no rollout is under way" in shown.get()
