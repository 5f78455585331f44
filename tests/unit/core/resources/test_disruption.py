"""A drain takes one replica of a revision at a time, and never waits for the last one."""

from typing import Any

import pytest

from modelyard.core.names import predictor
from modelyard.core.ownership import ours
from modelyard.core.snapshot import Ref
from modelyard.settings import ServingSettings
from tests.support.worlds.builders import a_serving_world
from tests.support.worlds.rollouts import CANARY, SLO, live_until, traffic
from tests.support.worlds.world import World

RANGE = {"minReplicas": 2, "maxReplicas": 4}


def budgets(world: World) -> list[str]:
    return world.names("PodDisruptionBudget")


def budget(world: World) -> dict[str, Any]:
    made = world.object("PodDisruptionBudget", predictor(world.status.revision))
    assert made is not None
    return made


@pytest.mark.parametrize("spec", [{"serving": {"replicas": 2}}, {"scaling": RANGE}], ids=["fixed", "range"])
def test_a_revision_with_two_replicas_has_a_budget_of_its_own(spec: dict[str, Any]) -> None:
    world = a_serving_world(**spec)

    made = budget(world)

    assert budgets(world) == [predictor(world.status.revision)]
    assert made["spec"] == {
        "maxUnavailable": 1,
        "selector": {"matchLabels": {"modelyard.dev/revision": world.status.revision}},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    assert ours(made, world.model["metadata"]["uid"])


def test_its_selector_means_the_revisions_pods_and_no_others() -> None:
    world = a_serving_world(serving={"replicas": 2})
    wanted = budget(world)["spec"]["selector"]["matchLabels"].items()

    chosen = [ref.name for ref, pod in world.api.of_kind("Pod") if wanted <= pod["metadata"]["labels"].items()]

    assert len(chosen) == 2
    assert all(name.startswith(world.status.revision) for name in chosen)


@pytest.mark.parametrize("spec", [{}, {"scaling": {"maxReplicas": 4}}], ids=["fixed", "range"])
def test_one_replica_has_none_so_that_a_drain_goes_on(spec: dict[str, Any]) -> None:
    assert budgets(a_serving_world(**spec)) == []


def test_it_comes_and_goes_with_the_number_of_replicas() -> None:
    world = a_serving_world()
    world.ask(serving={"replicas": 3})
    world.settle()
    grown = budgets(world)

    world.ask(serving={"replicas": 1})
    world.settle()

    assert grown == [predictor(world.status.revision)]
    assert budgets(world) == []


def test_the_replicas_an_autoscaler_asked_for_count() -> None:
    world = a_serving_world(scaling={"maxReplicas": 4})
    deployment = Ref("Deployment", "demo", predictor(world.status.revision))

    world.edit(deployment, lambda thing: thing["spec"].update(replicas=3))
    world.settle()
    grown = budgets(world)
    world.edit(deployment, lambda thing: thing["spec"].update(replicas=1))
    world.settle()

    assert (grown, budgets(world)) == ([deployment.name], [])


def test_it_goes_with_its_revision() -> None:
    world = a_serving_world(serving={"replicas": 2})
    before = budgets(world)

    world.ask(version="2")
    world.settle()

    assert budgets(world) == [predictor(world.status.revision)] != before


def test_a_candidate_has_one_as_soon_as_its_share_needs_two_replicas() -> None:
    world = a_serving_world(rollout=CANARY, slo=SLO, scaling={"maxReplicas": 8})
    stable = predictor(world.status.revision)
    world.edit(Ref("Deployment", "demo", stable), lambda thing: thing["spec"].update(replicas=4))
    world.users.rate = 50
    world.sleep(30)
    world.ask(version="2")

    live_until(world, lambda rollout: traffic(world).get("2") == 10)
    one_replica = budgets(world)
    live_until(world, lambda rollout: traffic(world).get("2") == 50)

    assert one_replica == [stable]
    assert budgets(world) == sorted([stable, predictor(world.revision("2").name)])


@pytest.mark.parametrize("change", ["deleted", "edited"])
def test_it_is_put_right(change: str) -> None:
    world = a_serving_world(serving={"replicas": 2})
    ref = Ref("PodDisruptionBudget", "demo", predictor(world.status.revision))
    before = budget(world)["spec"]
    if change == "deleted":
        world.lose(ref)
    else:
        world.edit(ref, lambda thing: thing["spec"].update(maxUnavailable=0))

    world.settle()

    assert budget(world)["spec"] == before


def test_a_budget_of_others_is_neither_written_nor_deleted() -> None:
    world = a_serving_world()
    name = predictor(world.status.revision)
    world.api.create(
        {"kind": "PodDisruptionBudget", "metadata": {"name": name, "namespace": "demo"}, "spec": {"minAvailable": 1}}
    )

    world.ask(serving={"replicas": 2})
    for _ in range(10):
        world.look()
        world.step()

    stands = world.object("PodDisruptionBudget", name)
    assert stands is not None
    assert stands["spec"] == {"minAvailable": 1}
    assert f"PodDisruptionBudget demo/{name}" in world.message("Stalled")
    assert world.condition("Serving")[0] == "True"


def test_who_makes_budgets_otherwise_can_have_none() -> None:
    world = a_serving_world(serving={"replicas": 2})
    serving = ServingSettings(disruption_budgets=False)
    world.settings = world.settings.model_copy(update={"serving": serving})

    world.settle()

    assert budgets(world) == []
