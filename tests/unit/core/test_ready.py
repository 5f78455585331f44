"""Ready speaks for users: a healthy rollout does not touch it; Progressing and Reconciling tell of the rollout."""

import pytest

from modelyard.api.rollout_status import Phase
from modelyard.core.names import predictor
from modelyard.core.snapshot import Ref
from tests.support.worlds.builders import a_new_world, a_serving_world
from tests.support.worlds.rollouts import a_rollout_world, live_until_ended, live_until_phase
from tests.support.worlds.world import World

CALM = ("False", "Done")


def seen_until_done(world: World) -> list[tuple[tuple[str, str], ...]]:
    """Ready, Progressing, Reconciling and Routed after every pass, until the spec is reached."""
    seen: list[tuple[tuple[str, str], ...]] = []

    def reached() -> bool:
        seen.append(tuple(world.condition(kind) for kind in ("Ready", "Progressing", "Reconciling", "Routed")))
        return len(seen) > 1 and seen[-1][2] == CALM

    world.run_until(reached, steps=2000)
    return seen


@pytest.mark.parametrize(
    "rollout",
    [
        {"strategy": "Canary", "steps": [{"weight": 10}, {"weight": 50}], "bake": "10s"},
        {"strategy": "BlueGreen", "bake": "10s"},
        {"strategy": "Immediate"},
    ],
    ids=["canary", "blue-green", "immediate"],
)
def test_ready_and_routed_are_true_through_a_whole_healthy_rollout(rollout: dict[str, object]) -> None:
    world = a_serving_world(slo={"errorRate": "5%"})
    world.users.rate = 50
    world.ask(version="2", rollout=rollout)
    world.look()

    seen = seen_until_done(world)

    assert {ready for ready, *_ in seen} == {("True", "Serving")}
    assert {routed for *_, routed in seen} == {("True", "Accepted")}
    assert world.status.version == "2"


def test_progressing_says_where_a_canary_stands() -> None:
    world = a_rollout_world()

    live_until_phase(world, Phase.ADVANCING)
    world.look()

    assert world.condition("Progressing")[0] == "True"
    assert world.condition("Ready") == ("True", "Serving")
    assert world.message("Progressing") in world.message("Ready")
    world.settle()
    assert world.condition("Progressing")[0] == "False"
    assert world.condition("Reconciling") == CALM


def test_the_first_revision_is_ready_only_once_users_are_served() -> None:
    world = a_new_world()
    world.look()
    before = []

    world.run_until(lambda: before.append(world.condition("Ready")[0]) or world.condition("Serving")[0] == "True")

    assert set(before[:-1]) == {"False"}
    world.settle()
    assert (world.condition("Ready"), world.condition("Progressing")[0]) == (("True", "Serving"), "False")


def test_ready_and_routed_stay_while_the_gateway_is_slow_to_take_up_new_weights() -> None:
    world = a_serving_world()
    world.ask(version="2")
    world.run_until(lambda: world.stage_of("2") == "Joining")
    world.step()
    world.gateway.asleep = True
    for _ in range(20):
        world.look()
        world.sleep(1)

    assert world.condition("Ready") == ("True", "Serving")
    assert world.condition("Routed") == ("True", "Accepted")
    assert "takes up their latest version" in world.message("Routed")
    assert world.condition("Reconciling")[0] == "True"


def test_a_refused_candidate_needs_a_person_and_that_is_not_ready() -> None:
    world = a_rollout_world()
    world.users.bad["2"] = 1.0

    live_until_ended(world)
    world.settle()

    assert world.condition("Stalled") == ("True", "ErrorsGateFailed")
    assert world.condition("Ready") == ("False", "ErrorsGateFailed")


def test_an_outage_in_the_middle_of_a_rollout_is_not_ready() -> None:
    world = a_rollout_world()
    live_until_phase(world, Phase.ADVANCING)

    world.kserve.faults[world.revision("1").name] = "crash"
    world.step()
    world.look()

    assert world.condition("Ready")[0] == "False"


def test_without_its_route_a_model_is_not_ready() -> None:
    world = a_serving_world()
    world.ask(version="2")
    world.run_until(lambda: world.stage_of("2") == "Starting")
    world.promises.excused.add(predictor(world.revision("1").name))

    world.lose(Ref("HTTPRoute", "demo", "digits"))
    world.look()

    assert world.condition("Ready")[0] == "False"
