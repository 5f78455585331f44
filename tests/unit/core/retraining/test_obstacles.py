"""Why a retraining that is called for waits."""

from datetime import UTC, datetime
from typing import Any

import pytest

from modelyard.api.lifecycle.retrain import RetrainCause
from modelyard.api.rollout_status import RolloutStatus
from modelyard.core.retraining.called_for import CalledFor
from modelyard.core.retraining.cpu_budget import CpuSpent
from modelyard.core.retraining.obstacles import FEWEST_LABELS, obstacle
from modelyard.core.snapshot import Check
from modelyard.settings import BuildSettings
from modelyard.signing_settings import SigningSettings
from tests.support.monitoring.retraining_worlds import (
    RECIPE,
    a_world,
    job_ended,
    jobs,
    lived,
    retraining,
    set_up,
    standing,
    told,
)

PUSHED = Check(True, "Pushed digits:2.", {"version": "2"})
HOOK = {"webhook": {"url": "http://trainer.ml.svc:8080/retrain"}}


def test_the_next_waits_for_every() -> None:
    world = a_world({**RECIPE, "every": "6h"})
    told(world, decayed=True)
    job_ended(world, PUSHED, seconds=600)
    assert standing(world) == ("Waiting", "TooSoon")
    assert "every is 6h" in retraining(world).message
    world.now += 6 * 3600
    told(world, decayed=True)
    assert standing(world) == ("Running", "Training")


def test_a_rollout_under_way_is_waited_for() -> None:
    world = a_world(rollout={"strategy": "Canary", "steps": [{"weight": 50, "pause": True}]})
    world.ask(version="2")
    world.run_until(lambda: world.status.rollout is not None and world.status.rollout.weight == 50)
    world.monitoring = None
    told(world, decayed=True)
    assert standing(world) == ("Waiting", "RolloutUnderWay")
    assert jobs(world) == []


def test_broken_rows_are_nothing_to_learn_from() -> None:
    world = a_world()
    told(world, decayed=True, broken=True)
    assert standing(world) == ("Waiting", "DataBroken")
    assert ("Warning", "DataBroken") in world.said


def test_a_platform_that_trains_nobodys_code_says_so() -> None:
    world = a_world()
    set_up(world, build=BuildSettings())
    told(world, decayed=True)
    assert standing(world) == ("Waiting", "TrainingOff")
    assert world.said.count(("Warning", "TrainingOff")) == 1
    lived(world)
    assert world.said.count(("Warning", "TrainingOff")) == 1


def test_where_entries_are_signed_by_authors_a_job_makes_none() -> None:
    world = a_world()
    snapshot = world.snapshot()
    retrain = snapshot.model.spec.retrain
    assert retrain is not None
    signed = world.settings.model_copy(update={"signing": SigningSettings(namespaces={"demo": "KEY"})})
    called = CalledFor((RetrainCause.DECAY,), "It decayed.", "", 2000, False)
    found = obstacle(snapshot, signed, retrain, called, RolloutStatus(), None, CpuSpent())
    assert found is not None
    assert (found.reason, found.wait) == ("SignatureMissing", None)
    assert found.message.startswith("It decayed. Here entries are served only when")


@pytest.mark.parametrize(("labels", "reason"), [(FEWEST_LABELS - 1, "FewLabels"), (FEWEST_LABELS, "Training")])
def test_a_recipe_waits_for_labels_and_a_webhook_does_not(labels: int, reason: str) -> None:
    world, told_another = a_world(), a_world(HOOK)
    told(world, decayed=True, labels=labels)
    told(told_another, decayed=True, labels=labels)
    assert retraining(world).reason == reason
    assert retraining(told_another).reason == "Calling"


def test_a_spent_budget_waits_for_the_next_month() -> None:
    world = a_world({**RECIPE, "every": "1h", "budget": "1h"})
    told(world, decayed=True)
    job_ended(world, PUSHED, seconds=3300)
    spent = retraining(world)
    assert (spent.month, spent.cpu_hours) == (f"{datetime.fromtimestamp(world.now, UTC):%Y-%m}", pytest.approx(1.008))
    world.now += 3600
    told(world, decayed=True)
    assert standing(world) == ("Waiting", "OverBudget")
    assert ("Warning", "OverBudget") in world.said
    assert "retrain.budget is 1h" in retraining(world).message
    world.now += 31 * 86_400
    told(world, decayed=True)
    assert standing(world) == ("Running", "Training")
    assert retraining(world).cpu_hours == 0


def deadline(world: Any) -> int:
    return jobs(world)[-1]["spec"]["activeDeadlineSeconds"]


def test_what_is_left_of_the_budget_is_all_that_a_job_may_run() -> None:
    world = a_world({**RECIPE, "every": "1h", "budget": "1h"})
    told(world, decayed=True)
    assert deadline(world) == round(3600 / 1.1)
    job_ended(world, PUSHED, seconds=1800)
    world.now += 3600
    told(world, decayed=True)
    assert deadline(world) == pytest.approx((3600 - 1800 * 1.1) / 1.1, abs=2)


def test_without_a_budget_a_job_has_the_platforms_time() -> None:
    world = a_world()
    told(world, decayed=True)
    assert deadline(world) == 900 + 3600
