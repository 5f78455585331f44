"""The terms of a rollout under way: what a spec that is changed in the middle of it changes, and what it does not."""

from typing import Any

import pytest

from modelyard.api.model import Model
from modelyard.api.rollout_status import Outcome, Phase
from modelyard.core.rollout.effective_spec import effective_spec
from tests.support.worlds.builders import a_model, a_serving_world
from tests.support.worlds.rollouts import (
    SLO,
    a_rollout_world,
    last,
    live_until,
    live_until_ended,
    live_until_phase,
    state,
    tell,
    traffic,
)
from tests.support.worlds.world import World

AB = {"weight": 30, "header": "x-user-id", "duration": "1m"}
CHANGES: dict[str, dict[str, Any]] = {
    "another header": {"strategy": "AB", "ab": {**AB, "header": "x-account"}},
    "a cookie": {"strategy": "AB", "ab": {"weight": 30, "cookie": "side"}},
    "another weight": {"strategy": "AB", "ab": {**AB, "weight": 60}},
    "another strategy": {"strategy": "Canary"},
    "nothing": {},
}


def published(world: World) -> dict[str, Any]:
    """Rules of every route, and the policies beside them."""
    kinds = ("HTTPRoute", "GRPCRoute", "BackendTrafficPolicy")
    return {f"{kind} {ref.name}": thing["spec"] for kind in kinds for ref, thing in world.api.of_kind(kind)}


def a_world_in_an_ab_test(**more: Any) -> World:
    world = a_rollout_world(strategy="AB", ab={**AB, **more}, abortScaleDownDelay="5s")
    live_until(world, lambda rollout: traffic(world).get("2") == 30)
    return world


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_no_user_changes_side_when_the_ab_test_is_changed_in_the_spec(change: dict[str, Any]) -> None:
    world = a_world_in_an_ab_test()
    before = published(world)

    world.ask(rollout=change)
    published_routes = []
    live_until(world, lambda rollout: published_routes.append(published(world)) or rollout.phase is not Phase.SPLITTING)

    assert len(published_routes) > 30
    assert all(routes == before for routes in published_routes[:-1])
    assert last(world).outcome is Outcome.REPORTED


def test_the_sticky_rules_outlive_the_last_request_whatever_the_spec_says() -> None:
    world = a_world_in_an_ab_test()

    world.ask(rollout={"strategy": "Canary"})
    tell(world, "abort")
    world.look()

    assert world.names("BackendTrafficPolicy") == ["digits--sticky"]
    assert any(len(spec["rules"]) == 4 for name, spec in published(world).items() if name == "HTTPRoute digits")
    live_until_phase(world, Phase.IDLE)
    world.settle()
    assert world.names("BackendTrafficPolicy") == []


def test_changed_terms_hold_for_the_next_rollout() -> None:
    world = a_world_in_an_ab_test(duration="5s")
    world.ask(rollout={"strategy": "AB", "ab": {"weight": 60, "header": "x-account"}})
    live_until_ended(world)
    forgotten = state(world).pinned_spec

    tell(world, "retry")
    live_until(world, lambda rollout: traffic(world).get("2") == 60)

    assert forgotten is None
    [policy] = [spec for name, spec in published(world).items() if name.startswith("BackendTrafficPolicy")]
    assert policy["loadBalancer"]["consistentHash"]["headers"] == [{"name": "x-account"}]


@pytest.mark.parametrize(
    "change",
    [{"strategy": "Shadow", "shadow": {"percent": 100, "duration": "1s"}}, {"strategy": "Shadow"}, {}],
    ids=["more copies", "none", "a canary"],
)
def test_a_shadow_gets_the_copies_it_began_with(change: dict[str, Any]) -> None:
    world = a_rollout_world(strategy="Shadow", shadow={"percent": 20, "duration": "40s"})
    live_until_phase(world, Phase.MIRRORING)
    world.look()
    began = world.now

    world.ask(rollout=change)
    weights = set()
    live_until(world, lambda rollout: weights.add(mirrored(world)) or rollout.phase is not Phase.MIRRORING)

    assert weights == {20, None}, "None is when it is over"
    assert world.now - began >= 40
    assert last(world).outcome is Outcome.REPORTED


def mirrored(world: World) -> int | None:
    """Percent of the requests that are copied."""
    filters = published(world)["HTTPRoute digits"]["rules"][0].get("filters", ())
    return next(
        (
            route_filter["requestMirror"]["percent"]
            for route_filter in filters
            if route_filter["type"] == "RequestMirror"
        ),
        None,
    )


def test_a_preview_still_waits_for_a_person_when_the_next_strategy_is_another() -> None:
    world = a_rollout_world(strategy="BlueGreen", preview={"pause": True}, bake="10s")
    live_until(world, lambda rollout: rollout.reason == "PauseStep")

    world.ask(rollout={"strategy": "Immediate"})
    for _ in range(30):
        world.look()
        world.step()
        world.sleep(1)

    assert (state(world).reason, traffic(world)) == ("PauseStep", {"1": 100})
    tell(world, "resume")
    live_until_ended(world)
    assert last(world).outcome is Outcome.PROMOTED


def test_a_canary_goes_through_its_own_steps_when_the_next_strategy_is_another() -> None:
    world = a_rollout_world(rate=2000, steps=[{"weight": 1}, {"weight": 2}])
    live_until_phase(world, Phase.ADVANCING)

    world.ask(rollout={"strategy": "Immediate"})
    weights = []
    live_until(world, lambda rollout: weights.append(traffic(world).get("2", 0)) or not rollout.active)

    assert sorted(set(weights)) == [0, 1, 2, 100]


def test_a_person_may_shorten_the_way_of_the_same_strategy() -> None:
    world = a_rollout_world(rate=2000, steps=[{"weight": 10}, {"weight": 50, "pause": True}])
    live_until(world, lambda rollout: rollout.reason == "PauseStep")

    world.ask(rollout={"strategy": "Canary", "steps": [{"weight": 10}, {"weight": 50}], "bake": "5s"})
    live_until_ended(world)

    assert last(world).outcome is Outcome.PROMOTED


def test_while_the_candidate_is_being_built_everything_is_as_the_spec_says() -> None:
    world = a_serving_world(rollout={"strategy": "Canary"}, slo=SLO)
    world.users.rate = 200
    world.store.discard(world.build_of("2"))
    world.ask(version="2")
    world.look()
    assert state(world).phase is Phase.BUILDING

    world.ask(rollout={"strategy": "AB", "ab": AB})
    live_until(world, lambda rollout: traffic(world).get("2") == 30)

    assert (state(world).strategy, state(world).phase) == ("AB", Phase.SPLITTING)


def test_a_rollout_begun_by_an_earlier_release_goes_by_the_spec() -> None:
    rollout = {"phase": "Splitting", "strategy": "AB", "stable": "digits-1", "candidate": "digits-2"}
    model: Model = a_model(rollout={"strategy": "AB", "ab": AB}, status={"rollout": rollout})

    assert model.status.rollout is not None
    assert effective_spec(model, model.status.rollout) is model


def test_an_ab_test_begun_by_an_earlier_release_ends_when_the_spec_has_none_any_more() -> None:
    world = a_world_in_an_ab_test()
    del world.model["status"]["rollout"]["pinnedSpec"]

    world.ask(rollout={"strategy": "Canary"})
    live_until_ended(world)

    assert last(world).outcome is Outcome.REPORTED
