"""Whether a new version is trained, and what becomes of it."""

import pytest

from modelyard.api.lifecycle.retraining_status import RetrainingOutcome
from modelyard.core.conditions import epoch, timestamp
from modelyard.core.reporting.monitoring import EVERY_SECONDS
from modelyard.core.retraining.decision import CALL_SECONDS
from modelyard.core.snapshot import Check, Ref
from tests.support.monitoring.retraining_worlds import (
    RECIPE,
    WATCHED,
    a_world,
    job_ended,
    jobs,
    lived,
    retraining,
    standing,
    switch,
    told,
)
from tests.support.worlds.builders import a_new_world, a_serving_world
from tests.support.worlds.world import AWAY

PUSHED = Check(True, "Pushed digits:2: accuracy 0.9 against 0.7 of the champion.", {"version": "2"})
REFUSED = Check(False, "What was trained is not pushed, since it is not surely better than what serves.")
LOST = Check(None, "labelled-rows: the store does not answer.", retry=True)
HOOK = {"webhook": {"url": "https://trainer.example.com/retrain"}}


def test_a_model_that_asks_for_nothing_is_told_nothing() -> None:
    assert a_serving_world().status.retraining is None


def test_nothing_is_done_while_nothing_calls_for_it() -> None:
    world = a_world()
    told(world)
    assert standing(world) == ("Idle", "NotCalledFor")
    assert (jobs(world), world.said, world.decide().empty) == ([], [], True)


def test_a_decay_begins_one_job_and_no_second() -> None:
    world = a_world()
    told(world, decayed=True)
    [job] = jobs(world)
    assert standing(world) == ("Running", "Training")
    assert ("Normal", "RetrainingStarted") in world.said
    run = retraining(world).run
    assert run is not None
    assert (run.causes, run.version, run.since) == (["decay"], "1", "2027-01-14T10:00:00Z")
    assert "30% are wrong" in run.evidence
    world.now += 3600
    told(world, decayed=True)
    assert [one["metadata"]["name"] for one in jobs(world)] == [job["metadata"]["name"]]
    assert world.decide().empty


def test_a_suspended_job_is_said_and_stays_the_run() -> None:
    world = a_world()
    told(world, decayed=True)
    [job] = jobs(world)
    ref = Ref("Job", job["metadata"]["namespace"], job["metadata"]["name"])

    world.edit(ref, lambda made: made["spec"].update(suspend=True))
    lived(world)

    assert standing(world) == ("Running", "JobSuspended")
    assert f"Job {ref.namespace}/{ref.name} is suspended" in retraining(world).message
    world.edit(ref, lambda made: made["spec"].update(suspend=False))
    lived(world)
    assert standing(world) == ("Running", "Training")
    assert [one["metadata"]["name"] for one in jobs(world)] == [ref.name]


def test_another_operator_goes_on_with_the_same_job() -> None:
    world = a_world()
    told(world, decayed=True)
    [job] = jobs(world)
    world.api.objects.pop(Ref("Job", job["metadata"]["namespace"], job["metadata"]["name"]))
    world.restart()
    lived(world)
    assert [one["metadata"]["name"] for one in jobs(world)] == [job["metadata"]["name"]]


def test_a_pushed_version_is_told() -> None:
    world = a_world()
    told(world, decayed=True)
    job_ended(world, PUSHED)
    status = retraining(world)
    assert status.last is not None
    assert (status.last.outcome, status.last.made, status.run) == (RetrainingOutcome.PUSHED, "2", None)
    assert ("Normal", "RetrainingPushed") in world.said
    assert standing(world) == ("Waiting", "TooSoon")
    assert len(jobs(world)) == 1, "a Job that has ended stays for its log"


def test_no_alias_and_no_version_of_the_model_is_touched_here() -> None:
    world = a_world()
    before = world.model["spec"]
    told(world, decayed=True)
    job_ended(world, PUSHED)
    assert (world.model["spec"], world.status.version, world.aliases) == (before, "1", {"champion": "1"})


def test_what_is_no_better_is_refused_and_the_next_waits() -> None:
    world = a_world({**RECIPE, "every": "2h"})
    told(world, decayed=True)
    job_ended(world, REFUSED)
    assert ("Warning", "RetrainingRefused") in world.said
    status = retraining(world)
    assert status.last is not None
    assert status.last.outcome is RetrainingOutcome.REFUSED
    world.now = epoch(status.last.start_time) + 7200
    told(world, decayed=True)
    assert standing(world) == ("Running", "Training")
    assert len(jobs(world)) == 2


def test_failures_in_a_row_are_counted_until_a_success() -> None:
    world = a_world({**RECIPE, "every": "1h"})
    record = []
    for check in (REFUSED, LOST, PUSHED):
        told(world, decayed=True)
        job_ended(world, check)
        record.append((retraining(world).failures, retraining(world).last_success_time != ""))
        world.now += 3600
    assert record == [(1, False), (2, False), (0, True)]


def test_a_job_without_an_answer_has_failed() -> None:
    world = a_world()
    told(world, decayed=True)
    job_ended(world, LOST)
    status = retraining(world)
    assert status.last is not None
    assert (status.last.outcome, status.last.message) == (RetrainingOutcome.FAILED, LOST.message)
    assert ("Warning", "RetrainingFailed") in world.said


def test_a_job_that_does_not_say_when_it_ended_ends_when_that_is_seen() -> None:
    world = a_world()
    told(world, decayed=True)
    world.retrained = PUSHED
    world.now += 60
    world.look()
    last = retraining(world).last
    assert last is not None
    assert last.end_time == timestamp(world.now)


def test_one_switch_ends_what_runs_and_begins_nothing() -> None:
    world = a_world()
    told(world, decayed=True)
    switch(world, enabled=False)
    lived(world)
    assert standing(world) == ("Off", "SwitchedOff")
    assert jobs(world) == []
    status = retraining(world)
    assert status.last is not None
    assert status.last.outcome is RetrainingOutcome.STOPPED
    assert "config.retraining.enabled" in status.last.message
    switch(world, enabled=True)
    lived(world)
    assert standing(world) == ("Waiting", "TooSoon")


def test_a_pause_ends_what_runs() -> None:
    world = a_world()
    told(world, decayed=True)
    world.ask(retrain={**RECIPE, "paused": True})
    lived(world)
    assert standing(world) == ("Off", "RetrainingPaused")
    assert jobs(world) == []
    assert ("Normal", "RetrainingStopped") in world.said


def test_a_spec_that_asks_nobody_any_more_ends_what_runs_and_is_forgotten() -> None:
    world = a_world()
    told(world, decayed=True)
    world.ask(retrain=None)
    lived(world)
    assert (jobs(world), world.status.retraining) == ([], None)


def test_a_spec_that_asks_somebody_else_ends_what_runs() -> None:
    world = a_world()
    told(world, decayed=True)
    world.ask(retrain={"when": ["decay"], **HOOK})
    lived(world)
    assert jobs(world) == []
    assert standing(world) == ("Waiting", "TooSoon")


def test_a_webhook_is_called_once_and_every_is_waited_for() -> None:
    world = a_world(HOOK)
    told(world, decayed=True, labels=0)
    assert standing(world) == ("Running", "Calling")
    assert jobs(world) == []
    world.retrained = Check(None, "the webhooks have been asked and have not answered yet.")
    lived(world)
    assert standing(world) == ("Running", "Calling")
    world.retrained = Check(True, "https://trainer.example.com/retrain took the event (HTTP 202).")
    lived(world)
    assert standing(world) == ("Waiting", "TooSoon")
    assert ("Normal", "RetrainingCalled") in world.said
    status = retraining(world)
    assert (status.cpu_hours, status.last and status.last.outcome) == (0, RetrainingOutcome.CALLED)


@pytest.mark.parametrize("answer", [None, Check(None, "https://trainer.example.com/retrain answered HTTP 500.")])
def test_a_webhook_that_nobody_takes_for_an_hour_has_failed(answer: Check | None) -> None:
    world = a_world(HOOK)
    told(world, decayed=True)
    world.retrained = answer
    world.now += CALL_SECONDS - 1
    world.look()
    assert standing(world) == ("Running", "Calling")
    world.now += 1
    world.look()
    last = retraining(world).last
    assert last is not None
    assert last.outcome is RetrainingOutcome.FAILED
    assert ("HTTP 500" if answer else "nobody answered") in last.message


def test_a_webhook_that_refuses_the_event_has_failed() -> None:
    world = a_world(HOOK)
    told(world, decayed=True)
    world.retrained = Check(False, "HTTP 403")
    lived(world)
    last = retraining(world).last
    assert last is not None
    assert (last.outcome, last.message) == (RetrainingOutcome.FAILED, "HTTP 403")


def test_while_an_answer_is_on_its_way_nothing_begins_and_nothing_ends() -> None:
    world = a_world()
    told(world)
    world.asking = True
    told(world, decayed=True)
    assert (standing(world), jobs(world)) == (("Idle", "NotCalledFor"), [])
    world.asking = False
    lived(world)
    assert standing(world) == ("Running", "Training")
    world.asking, world.retrained = True, PUSHED
    lived(world)
    assert standing(world) == ("Running", "Training")


def test_a_model_without_a_revision_waits_for_one() -> None:
    world = a_new_world(monitoring=WATCHED, retrain=RECIPE)
    world.look()
    assert standing(world) == ("Waiting", "NoRevision")


def test_it_is_looked_at_again_when_the_version_is_old_enough() -> None:
    world = a_world({"when": ["age"], "maxAge": "90d", "recipe": "retrain.py:retrain"})
    told(world)
    assert standing(world) == ("Idle", "NotCalledFor")
    assert world.decide().requeue_after == EVERY_SECONDS
    world.now += 90 * 86_400
    told(world)
    assert standing(world) == ("Running", "Training")
    assert "has served for 90d" in retraining(world).message


def test_a_state_that_stands_keeps_its_time() -> None:
    world = a_world()
    told(world)
    since = retraining(world).since
    world.now += 100
    told(world, labels=2001)
    assert retraining(world).since == since


def test_the_store_away_is_no_reason_to_begin_or_to_end() -> None:
    world = a_world()
    told(world, decayed=True)
    world.monitoring = AWAY
    lived(world)
    assert standing(world) == ("Running", "Training")
