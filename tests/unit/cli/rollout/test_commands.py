"""Commands that make no sense are refused with a sentence, before anything is written."""

import re

import pytest

from modelyard.api.rollout import Action, Command
from modelyard.cli.rollout.commands import new_id, objection
from tests.support.objects.rollout_statuses import (
    CANDIDATE,
    a_gate,
    a_model,
    a_record,
    a_rollout,
    an_ended_rollout,
    before,
)

REFUSED = an_ended_rollout(a_record(), rejected=CANDIDATE)
PAUSED = a_rollout("Holding", held="Advancing", reason="Paused", paused=True)
WAITING = a_rollout("Holding", held="Advancing", reason="PauseStep")
SILENT = a_rollout("Holding", held="Advancing", reason="NoTraffic", message="No request came.")
LOST = a_rollout("Testing", 0, 0, gates=[a_gate("loadTest", attempts=1, nextAttemptTime=before(-20))])
RUNS_AGAIN = a_rollout("Testing", 0, 0, gates=[a_gate("loadTest", attempts=1)])
GIVEN_UP = a_rollout("Holding", 0, 0, held="Testing", gates=[a_gate("loadTest", "Hold", attempts=4)])

SENSIBLE = {
    "promote a canary": ("promote", a_rollout()),
    "promote what is held": ("promote", SILENT),
    "promote what bakes": ("promote", a_rollout("Baking", 3, 100)),
    "abort what is being built": ("abort", a_rollout("Building", 0, 0)),
    "abort what bakes": ("abort", a_rollout("Baking", 3, 100)),
    "pause a canary": ("pause", a_rollout()),
    "resume after a command": ("resume", PAUSED),
    "resume after a step's pause": ("resume", WAITING),
    "retry what was refused": ("retry", REFUSED),
    "retry a check that is to be begun again": ("retry", LOST),
    "retry a check that was given up": ("retry", GIVEN_UP),
    "resume a check that was given up": ("resume", GIVEN_UP),
}

SENSELESS = {
    "promote nothing": ("promote", an_ended_rollout(), "no rollout of digits is under way; a changed spec begins one."),
    "promote what has not answered": ("promote", a_rollout("Starting", 0, 0), "has not answered a warm-up request yet"),
    "promote what is aborted": ("promote", a_rollout("Aborting", 0, 0), "`modelyard rollout retry digits` tries it"),
    "abort nothing": ("abort", an_ended_rollout(), "to go back, apply the spec of the version before."),
    "abort after a promotion": (
        "abort",
        an_ended_rollout(a_record("Promoted")),
        "apply the spec of the version before.",
    ),
    "abort twice": ("abort", a_rollout("Aborting", 0, 0), "is being aborted already."),
    "pause nothing": ("pause", an_ended_rollout(), "no rollout of digits is under way"),
    "pause twice": ("pause", PAUSED, "is paused already; `modelyard rollout resume digits` goes on."),
    "pause what is aborted": ("pause", a_rollout("Aborting", 0, 0), "nothing left to pause"),
    "resume nothing": ("resume", an_ended_rollout(), "no rollout of digits is under way"),
    "resume what goes on": ("resume", a_rollout(), "the rollout of digits is not paused."),
    "resume what waits for traffic": ("resume", SILENT, "goes on by itself. NoTraffic: No request came."),
    "retry what was not refused": ("retry", an_ended_rollout(a_record("Promoted")), "there is nothing to retry"),
    "retry a check that runs again": ("retry", RUNS_AGAIN, "abort it first"),
    "retry in mid-rollout": ("retry", a_rollout(), "is under way (Advancing): abort it first"),
    "anything before the first status": ("abort", None, "no rollout of digits is under way"),
}


@pytest.mark.parametrize(("action", "rollout"), SENSIBLE.values(), ids=SENSIBLE)
def test_what_makes_sense_meets_no_objection(action, rollout):
    assert objection(a_model(rollout), Action(action)) == ""


@pytest.mark.parametrize(("action", "rollout", "sentence"), SENSELESS.values(), ids=SENSELESS)
def test_what_makes_none_is_refused_with_what_to_do_instead(action, rollout, sentence):
    assert sentence in objection(a_model(rollout), Action(action))


@pytest.mark.parametrize("action", ["promote", "pause", "resume"])
@pytest.mark.parametrize("strategy", ["Immediate", "Recreate"])
def test_a_strategy_without_steps_has_nothing_to_guide(action, strategy):
    said = objection(a_model(a_rollout("Starting", 0, 0), {"strategy": strategy}), Action(action))

    assert said.startswith(f"strategy {strategy} has no steps to {action}")


def test_a_start_without_steps_can_still_be_aborted():
    assert objection(a_model(a_rollout("Starting", 0, 0), {"strategy": "Immediate"}), Action.ABORT) == ""


def test_an_objection_to_a_spec_the_operator_has_not_seen_says_so():
    assert objection(a_model(an_ended_rollout(), observedGeneration=1), Action.PROMOTE).endswith("it is too early.)")


def test_ids_are_new_and_fit_the_spec():
    ids = {new_id() for _ in range(100)}

    assert len(ids) == 100
    for one in ids:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ-[0-9a-f]{6}", one)
        assert Command(id=one, action=Action.PAUSE).id == one
