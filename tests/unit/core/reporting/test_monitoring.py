"""What a status says of the rows that a Model is asked with."""

from typing import Any

import pytest

from modelyard.api.model import Model
from modelyard.api.monitoring.status import ChangedFeature, DataStatus, DataVerdict, MonitoringStatus
from modelyard.core.conditions import timestamp
from modelyard.core.reporting.monitoring import EVERY_SECONDS, STALE_SECONDS
from modelyard.settings import RecorderSettings
from tests.support.worlds.builders import a_serving_world
from tests.support.worlds.fake_controllers import ASKED
from tests.support.worlds.world import AWAY, World

RECORDED = {"monitoring": {"sample": "100%"}}


def a_recorded_world(installed: bool = True, **spec: Any) -> World:
    """Version 1 serves, and its requests are recorded where there is a recorder."""
    world = a_serving_world(**(RECORDED | spec))
    world.settings = world.settings.model_copy(update={"recorder": RecorderSettings(installed=installed)})
    lived(world)
    world.said.clear()
    return world


def lived(world: World) -> None:
    """Everybody does what is left to do; a Model that is recorded is looked at for ever."""
    for _ in range(60):
        plan = world.look()
        if not world.step() and plan.empty:
            world.sleep(plan.requeue_after or 1.0)


def changed(name: str = "age", kind: str = "missing") -> ChangedFeature:
    return ChangedFeature(
        name=name, kind=kind, since="2026-11-29T10:00:00Z", message="3.1% have no value; of the reference 0.2%",
        shift=0.031,
    )  # fmt: skip


def found(world: World, verdict: DataVerdict = DataVerdict.AS_REFERENCE, **fields: Any) -> None:
    """The evaluator has written, and the operator looks."""
    data = DataStatus.model_validate({"verdict": verdict, "reference": "eval.npz", "features": 30, **fields})
    world.monitoring = MonitoringStatus(revision=world.status.revision, time=timestamp(world.now), data=data)
    world.look()


def test_a_model_that_asks_for_nothing_is_told_nothing() -> None:
    world = a_serving_world()
    assert (world.status.monitoring, world.condition("DataHealthy")) == (None, ("", ""))


def test_a_sample_without_a_recorder_is_told() -> None:
    world = a_recorded_world(installed=False)
    assert world.condition("DataHealthy") == ("Unknown", "NoRecorder")
    assert "--set recorder.replicas=2" in world.message("DataHealthy")
    assert world.condition("Ready") == ("True", "Serving")
    assert world.decide().requeue_after is None


def test_before_the_first_word_nothing_is_claimed_and_it_is_looked_for() -> None:
    world = a_recorded_world()
    assert world.condition("DataHealthy") == ("Unknown", "NotEvaluated")
    assert (world.said, world.decide().requeue_after) == ([], EVERY_SECONDS)


def test_rows_as_they_should_be_are_told_without_an_event() -> None:
    world = a_recorded_world()
    found(world)
    assert world.condition("DataHealthy") == ("True", "AsReference")
    assert "like eval.npz, 30 features" in world.message("DataHealthy")
    assert (world.said, world.decide().empty) == ([], True)


def test_broken_data_is_told_once_and_its_end_too() -> None:
    world = a_recorded_world()
    found(world)
    worst = [changed(), changed("hours"), changed("sex", "shape")]
    found(world, DataVerdict.BROKEN, broken=2, drifted=1, worst=worst)
    assert world.condition("DataHealthy") == ("False", "DataBroken")
    assert world.message("DataHealthy") == (
        "The data broke: age since 2026-11-29T10:00:00Z: 3.1% have no value; of the reference 0.2%; hours since "
        "2026-11-29T10:00:00Z: 3.1% have no value; of the reference 0.2%; and 1 more. `modelyard drift digits` shows "
        "all of it."
    )
    assert world.said == [("Warning", "DataBroken")]
    found(world, DataVerdict.BROKEN, broken=2, drifted=1, worst=worst[::-1])
    assert world.said == [("Warning", "DataBroken")]
    found(world)
    assert world.said == [("Warning", "DataBroken"), ("Normal", "AsReference")]


def test_drift_is_no_outage() -> None:
    world = a_recorded_world()
    found(world, DataVerdict.DRIFTED, drifted=1, worst=[changed(kind="shape")], message="2 columns are new.")
    assert world.condition("DataHealthy") == ("False", "DriftDetected")
    assert world.message("DataHealthy").endswith(" 2 columns are new.")
    assert world.condition("Ready") == ("True", "Serving")


def test_without_a_reference_the_status_says_what_to_do() -> None:
    world = a_recorded_world()
    found(world, DataVerdict.NO_REFERENCE, message="Push it with an eval.npz.")
    assert world.condition("DataHealthy") == ("Unknown", "NoReference")
    assert world.message("DataHealthy") == "Push it with an eval.npz."
    found(world, DataVerdict.NO_REFERENCE)
    assert world.status.revision in world.message("DataHealthy")


def test_nobody_asks() -> None:
    world = a_recorded_world()
    found(world, DataVerdict.NO_ROWS)
    assert (world.condition("DataHealthy"), world.said) == (("Unknown", "NoRows"), [])


def test_an_evaluator_that_is_silent_is_told() -> None:
    world = a_recorded_world()
    found(world)
    world.now += STALE_SECONDS
    world.look()
    assert world.condition("DataHealthy") == ("True", "AsReference")
    world.now += 1
    world.look()
    assert world.condition("DataHealthy") == ("Unknown", "EvaluationStopped")
    assert "logs deploy/modelyard-evaluator" in world.message("DataHealthy")


@pytest.mark.parametrize("answer", [AWAY, ASKED, None])
def test_what_was_known_stays_while_nothing_new_is(answer: Any) -> None:
    world = a_recorded_world()
    found(world, DataVerdict.DRIFTED, drifted=1, worst=[changed(kind="shape")])
    before = world.status
    world.monitoring = answer
    world.now += 10 * STALE_SECONDS
    assert world.decide().status is None
    assert world.status == before


def test_numbers_alone_are_written_once_an_hour() -> None:
    world = a_recorded_world()
    found(world, rows_a_day=100)
    world.now += 3599
    found(world, rows_a_day=200)
    assert world.status.monitoring is not None
    assert world.status.monitoring.data is not None
    assert world.status.monitoring.data.rows_a_day == 100
    world.now += 1
    found(world, rows_a_day=300)
    assert world.status.monitoring.data.rows_a_day == 300


def test_what_was_said_of_another_revision_is_not_said_of_this_one() -> None:
    world = a_recorded_world()
    found(world, DataVerdict.BROKEN, broken=1, worst=[changed()])
    world.ask(version="2")
    lived(world)
    assert world.status.version == "2"
    assert (world.status.monitoring, world.condition("DataHealthy")) == (None, ("Unknown", "NotEvaluated"))


def test_a_status_without_the_part_about_rows_claims_nothing() -> None:
    world = a_recorded_world()
    world.monitoring = MonitoringStatus(revision=world.status.revision, time=timestamp(world.now))
    world.look()
    assert world.decide().status is None
    assert world.condition("DataHealthy") == ("Unknown", "NotEvaluated")


def test_a_model_that_is_not_recorded_any_more_forgets_it() -> None:
    world = a_recorded_world()
    found(world)
    world.ask(monitoring=None)
    lived(world)
    assert (world.status.monitoring, world.condition("DataHealthy")) == (None, ("", ""))


def test_words_of_a_later_version_are_left_out_of_account() -> None:
    stored = {"revision": "r", "time": "2026-11-29T10:00:00Z", "data": {"verdict": "Poisoned", "features": 3, "new": 1}}
    model = Model.model_validate(
        {"metadata": {"name": "m", "namespace": "n"}, "spec": {"source": {"name": "m", "version": "1"}},
         "status": {"monitoring": stored}}
    )  # fmt: skip
    assert model.status.monitoring is not None
    assert model.status.monitoring.data == DataStatus(features=3)
