"""A Model that serves and may be retrained, an evaluator that says what a test wants, and Jobs that end as it says."""

from typing import Any

from modelyard.api.lifecycle.retraining_status import RetrainingStatus
from modelyard.api.monitoring.performance import DecayedSlice, PerformanceStatus, PerformanceVerdict
from modelyard.api.monitoring.status import ChangedFeature, DataStatus, DataVerdict, MonitoringStatus
from modelyard.core.conditions import timestamp
from modelyard.core.names import RETRAIN_LABEL
from modelyard.core.snapshot import Check, Ref
from modelyard.retraining_settings import RetrainingSettings
from modelyard.settings import BuildSettings, RecorderSettings
from tests.support.worlds.builders import a_serving_world
from tests.support.worlds.world import World

SINCE = "2027-01-14T10:00:00Z"
RECIPE = {"when": ["decay"], "recipe": "retrain.py:retrain"}
WATCHED = {"sample": "100%", "log": {"columns": ["*"], "retention": "60d"}, "feedback": {"slices": ["sex"]}}
TRAINER = BuildSettings(train_image="docker.io/modelyard/trainer:0.1.0")


def a_world(retrain: dict[str, Any] | None = None, **spec: Any) -> World:
    """Version 1 serves, its rows are recorded and labelled, and training is allowed."""
    world = a_serving_world(**spec)
    set_up(world, recorder=RecorderSettings(installed=True), build=TRAINER)
    world.ask(monitoring=WATCHED, retrain=RECIPE if retrain is None else {"when": ["decay"], **retrain})
    lived(world)
    world.said.clear()
    return world


def set_up(world: World, **groups: Any) -> None:
    """The platform has these settings from now on."""
    world.settings = world.settings.model_copy(update=groups)


def switch(world: World, enabled: bool) -> None:
    """The one switch of all retraining."""
    set_up(world, retraining=RetrainingSettings(enabled=enabled))


def lived(world: World, passes: int = 40) -> None:
    """Everybody does what is left to do, and no time passes."""
    for _ in range(passes):
        plan = world.look()
        if not world.step() and plan.empty:
            return
    raise AssertionError("never calm")


def told(world: World, decayed: bool = False, labels: int = 2000, drifted: bool = False, broken: bool = False) -> None:
    """The evaluator has written of the revision that serves, and everybody acts on it."""
    seen = "30% are wrong; of the reference 13%"
    worst = [DecayedSlice(output="y", since=SINCE, message=seen, share=0.3, reference=0.13)]
    data = DataVerdict.BROKEN if broken else DataVerdict.DRIFTED if drifted else DataVerdict.AS_REFERENCE
    moved = [ChangedFeature(name="age", kind="shape", since="2027-01-13T10:00:00Z", message="moved", shift=0.2)]
    world.monitoring = MonitoringStatus(
        revision=world.status.revision,
        time=timestamp(world.now),
        data=DataStatus(verdict=data, drifted=int(drifted), worst=moved if drifted else []),
        performance=PerformanceStatus(
            verdict=PerformanceVerdict.DECAYED if decayed else PerformanceVerdict.KEPT,
            labels=labels,
            decayed=int(decayed),
            worst=worst if decayed else [],
        ),
    )
    lived(world)


def standing(world: World) -> tuple[str, str]:
    """State and reason."""
    status = retraining(world)
    return status.state.value, status.reason


def retraining(world: World) -> RetrainingStatus:
    """status.retraining, which is there."""
    status = world.status.retraining
    assert status is not None
    return status


def jobs(world: World) -> list[dict[str, Any]]:
    """The retraining Jobs that there are, and are not being deleted."""
    found = [job["metadata"] for _, job in world.api.of_kind("Job")]
    kept = {one["name"] for one in found if RETRAIN_LABEL in one.get("labels", {}) and "deletionTimestamp" not in one}
    return [job for ref, job in world.api.of_kind("Job") if ref.name in kept]


def job_ended(world: World, check: Check, seconds: float = 1800.0) -> None:
    """The Job that runs ends after so long, well unless it gave no answer, and everybody acts on it."""
    [job] = [job for job in jobs(world) if "conditions" not in job.get("status", {})]
    world.now += seconds
    how = {"type": "Failed" if check.passed is None else "Complete", "status": "True"}
    said = {"conditions": [{**how, "lastTransitionTime": world.timestamp()}]}
    world.api.say(Ref("Job", job["metadata"]["namespace"], job["metadata"]["name"]), said)
    world.retrained = check
    lived(world)
    world.retrained = None
