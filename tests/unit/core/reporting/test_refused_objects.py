"""An object that the API server does not take is said in its words, is no verdict, and keeps nothing else back."""

from typing import Any

import pytest

from modelyard.api.rollout_status import Phase
from modelyard.core.names import predictor
from modelyard.core.ownership import NAME_TAKEN, asked_again, names_to_ask, object_refused, taken_names
from modelyard.core.plan import Plan
from modelyard.core.snapshot import Failure, ForeignObject, Ref
from tests.support.worlds.apiserver import ref_of
from tests.support.worlds.builders import a_model, a_new_world, settings
from tests.support.worlds.rollouts import CANARY, SLO, live_until_phase, state
from tests.support.worlds.world import World

POLICY = "every object needs the label cost-center: ask the platform team"
SECRET, ROUTE = Ref("Secret", "demo", "digits--store"), Ref("HTTPRoute", "demo", "digits")


class RuledWorld(World):
    """One whose API server refuses objects of the kinds in `rules`, with these words; `tries` are the times of it."""

    def __init__(self, **spec: Any) -> None:
        super().__init__(settings(), a_model(**spec))
        self.rules: dict[str, str] = {}
        self.tries: list[float] = []

    def _apply(self, child: dict[str, Any]) -> None:
        ref = ref_of(child)
        if ref.kind not in self.rules:
            super()._apply(child)
            return
        before = self.foreign.get(ref)
        times = before.times if before is not None else 0
        self.tries.append(self.now)
        self.foreign[ref] = ForeignObject(object_refused("write", ref, self.rules[ref.kind]), self.now, times + 1)


def live(world: World, seconds: float, passes: int = 40) -> None:
    """Passes, and so much time after each."""
    for _ in range(passes):
        world.look()
        world.step()
        world.sleep(seconds)
    world.look()


@pytest.mark.parametrize("kind", ["Job", "InferenceService", "HTTPRoute", "GRPCRoute"])
def test_whatever_refuses_an_object_is_said_and_heals(kind: str) -> None:
    world = RuledWorld()
    world.rules[kind] = f"{POLICY}."
    live(world, 1.0)

    assert world.condition("Ready") == ("False", "ObjectRefused")
    assert world.condition("Stalled")[0] == "False"
    assert f"The API server refuses to write {kind} " in world.message("Ready")
    assert f"{POLICY}; it is tried again by itself." in world.message("Ready")
    assert ("Warning", "ObjectRefused") in world.said
    live(world, 60.0)
    assert world.condition("Ready") == ("False", "ObjectRefused")
    world.rules.clear()
    world.sleep(60.0)
    world.settle()
    assert world.condition("Ready") == ("True", "Serving")


def a_candidate_that_is_refused() -> RuledWorld:
    """Version 1 serves, and no InferenceService of version 2 is taken."""
    world = RuledWorld(rollout=CANARY, slo=SLO, serving={"replicas": 1})
    world.build_everything()
    world.settle()
    world.users.rate = 200
    world.sleep(30)
    world.rules["InferenceService"] = POLICY
    world.ask(version="2")
    live(world, 1.0)
    return world


def test_a_candidate_that_is_refused_waits_without_a_verdict_and_ever_longer() -> None:
    world = a_candidate_that_is_refused()
    live(world, 90.0)

    assert state(world).phase is Phase.STARTING
    assert world.condition("Ready") == ("True", "Serving")
    assert world.condition("Reconciling") == ("True", "ObjectRefused")
    assert POLICY in world.message("Ready")
    assert world.stage_of("1") == "Serving"
    pauses = [later - earlier for earlier, later in zip(world.tries, world.tries[1:], strict=False)]
    assert pauses[0] >= 10
    assert all(pause >= 60 for pause in pauses[3:])
    world.rules.clear()
    live_until_phase(world, Phase.ADVANCING)


def test_what_serves_is_kept_as_the_spec_says_meanwhile() -> None:
    world = a_candidate_that_is_refused()
    stable = predictor(world.revision("1").name)
    world.ask(serving={"replicas": 3})
    live(world, 1.0, passes=6)

    deployment = world.object("Deployment", stable)
    assert deployment is not None
    assert deployment["spec"]["replicas"] == 3


def test_a_refused_change_of_what_is_there_is_not_tried_with_every_pass() -> None:
    world = a_candidate_that_is_refused()
    world.rules = {"HTTPRoute": POLICY}
    live(world, 1.0)
    begun = len(world.tries)
    plans = [world.look() for _ in range(5)]

    assert world.condition("Routed") == ("False", "ObjectRefused")
    assert len(world.tries) == begun
    assert all(plan.requeue_after for plan in plans)


def test_what_is_not_wanted_any_more_is_not_said_for_ever() -> None:
    world = a_candidate_that_is_refused()
    world.ask(version="1")
    live(world, 1.0, passes=4)
    [(ref, refused)] = world.foreign.items()
    waits = names_to_ask(world.snapshot(), []).wait
    world.foreign = {ref: refused._replace(seen=world.now - asked_again(refused) - 5)}

    assert waits is not None
    assert 0 < waits <= 80
    assert names_to_ask(world.snapshot(), []).wait == 15
    world.foreign = {ref: refused._replace(seen=world.now - 1000)}
    assert names_to_ask(world.snapshot(), []).wait is None
    world.foreign = {}
    world.look()
    assert world.condition("Reconciling") == ("False", "Done")


def changed(plan: Plan, revision: str) -> list[Ref]:
    """What of a revision is scaled or deleted."""
    return [ref for ref in (*(change.deployment for change in plan.scale), *plan.delete) if revision in ref.name]


@pytest.mark.parametrize("verb", ["scale", "delete"])
def test_what_may_not_be_scaled_or_deleted_is_tried_ever_less_often_as_well(verb: str) -> None:
    world = RuledWorld()
    world.build_everything()
    world.settle()
    old = world.revision("1").name
    world.ask(**({"serving": {"replicas": 3}} if verb == "scale" else {"version": "2"}))
    while not (planned := changed(plan := world.decide(), old)):
        world.look()
        world.step()
        world.sleep(plan.requeue_after or 1.0)
    [ref] = planned
    world.foreign = {ref: ForeignObject(object_refused(verb, ref, POLICY), world.now)}
    held, world.now = world.decide(), world.now + 10
    due = world.decide()

    assert changed(held, old) == []
    assert held.requeue_after is not None
    assert changed(due, old) == [ref]
    assert held.status is not None
    assert f"refuses to {verb} {ref.kind} demo/{ref.name}: {POLICY}" in str(held.status["conditions"])


def test_a_candidate_that_may_not_be_scaled_waits_for_that() -> None:
    world = a_candidate_that_is_refused()
    deployment = Ref("Deployment", "demo", predictor(world.revision("2").name))
    world.foreign = {deployment: ForeignObject(object_refused("scale", deployment, POLICY), world.now + 100_000)}
    world.rules.clear()
    world.ask(serving={"replicas": 2})
    live(world, 60.0)

    assert state(world).phase is Phase.STARTING
    assert world.condition("Reconciling") == ("True", "ObjectRefused")
    assert world.stage_of("1") == "Serving"


def test_somebody_elses_name_is_said_before_what_is_refused() -> None:
    taken = ForeignObject(Failure(NAME_TAKEN, "Secret demo/digits--store belongs to somebody else."), 0)
    refused = ForeignObject(object_refused("write", ROUTE, POLICY), 0)
    said = taken_names({ROUTE: refused, SECRET: taken})

    assert said is not None
    assert said.reason == NAME_TAKEN
    assert said.message.endswith("Not written either: HTTPRoute demo/digits.")


def test_a_build_that_is_suspended_is_said_and_goes_on_when_it_may() -> None:
    world = a_new_world()
    world.look()
    [(job, _)] = world.api.of_kind("Job")
    world.edit(job, lambda made: made["spec"].update(suspend=True))
    world.look()

    assert world.condition("Ready") == ("False", "JobSuspended")
    assert world.condition("Stalled")[0] == "False"
    assert f"Job {job.namespace}/{job.name} is suspended" in world.message("Built")
    world.edit(job, lambda made: made["spec"].update(suspend=False))
    world.settle()
    assert world.condition("Ready") == ("True", "Serving")
