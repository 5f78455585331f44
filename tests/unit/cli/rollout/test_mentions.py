"""`get` and `explain` do not keep a rollout, or a refused revision, to themselves."""

import pytest

from modelyard.cli.models.diagnosis import ClusterObjects, Standing, diagnose
from modelyard.cli.models.get import overview
from modelyard.settings import Settings
from tests.support.machine.captured_output import printed, row_with
from tests.support.objects.rollout_statuses import (
    CANDIDATE,
    STABLE,
    a_model,
    a_record,
    a_revision,
    a_rollout,
    an_ended_rollout,
)

REFUSED = an_ended_rollout(a_record(), rejected=CANDIDATE)


def table(*rollouts):
    models = [a_model(rollout).model_dump(by_alias=True, exclude_none=True, mode="json") for rollout in rollouts]
    return printed(overview(models, {}, wide=False), 160)


def step(rollout, **status):
    found = {one.subject: one for one in diagnose(ClusterObjects(a_model(rollout, **status)), Settings())}
    return found.get("Rollout")


@pytest.mark.parametrize(
    ("rollout", "cell"),
    [
        (a_rollout(), "2: Advancing at 25 %"),
        (a_rollout("Holding", held="Advancing", reason="NoTraffic"), "2: Holding at 25 % (NoTraffic)"),
        (a_rollout("Building", 0, 0, version=""), "2: Building"),
        (REFUSED, "2 was Aborted (ErrorsGateFailed)"),
    ],
)
def test_get_has_a_column_for_it(rollout, cell):
    shown = table(rollout)

    assert "ROLLOUT" in shown.splitlines()[0]
    assert cell in row_with(shown, "digits")


@pytest.mark.parametrize("rollout", [None, an_ended_rollout(a_record("Promoted"))])
def test_get_has_no_column_for_what_is_not_there(rollout):
    assert "ROLLOUT" not in table(rollout)


def test_one_rollout_gives_every_model_the_column():
    rows = table(a_rollout(), None).splitlines()

    assert rows[2].split() == ["digits", "1", "no", "(Rollout)", "-", "-", "-", "-"]


def test_explain_says_where_it_stands_and_how_to_watch_it():
    found = step(a_rollout("Holding", held="Advancing", reason="NoTraffic", message="No request came."))

    assert found.verdict is Standing.WAITING
    assert found.found == "version 2, Holding, 25 % of the traffic (NoTraffic): No request came."
    assert found.remedy == "modelyard rollout watch digits -n demo"


def test_explain_calls_a_refused_wish_bad_and_says_what_to_do():
    found = step(REFUSED)

    assert found.verdict is Standing.BAD
    assert found.found.startswith("version 2 ended as Aborted (ErrorsGateFailed): 312 of 1,204")
    assert "modelyard rollout retry digits -n demo" in found.remedy


def test_explain_takes_a_report_for_an_end_like_any_other():
    assert step(an_ended_rollout(a_record("Reported"), rejected=CANDIDATE)).verdict is Standing.GOOD


@pytest.mark.parametrize("rollout", [None, an_ended_rollout(a_record("Promoted"))])
def test_explain_is_silent_when_there_is_none(rollout):
    assert step(rollout) is None


def test_explain_does_not_send_a_stable_that_stands_by_away():
    revisions = [a_revision(STABLE, 0, "Standby"), a_revision(CANDIDATE, 100)]
    found = {one.subject: one.found for one in diagnose(ClusterObjects(a_model(None, revisions=revisions)), Settings())}

    assert found[f"Revision {STABLE}"] == "version 1 stands by to take the traffic back."
