"""Blue-green, shadow, A/B, recreate and immediate, in a small world."""

from typing import Any

from modelyard.api.rollout_status import Outcome, Phase
from modelyard.core.names import sticky_policy_name
from modelyard.core.snapshot import Check
from tests.support.worlds.rollouts import (
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


def route(world: World, name: str = "digits") -> dict[str, Any] | None:
    return world.object("HTTPRoute", name)


def rules(world: World) -> list[dict[str, Any]]:
    main_route = route(world)
    assert main_route is not None
    return main_route["spec"]["rules"]


def main_rule(world: World) -> dict[str, Any]:
    return rules(world)[0]


def test_blue_green_previews_switches_in_one_write_bakes_and_cleans_up() -> None:
    world = a_rollout_world(strategy="BlueGreen", preview={"hold": "20s"}, bake="10s")

    live_until_phase(world, Phase.PREVIEWING)
    world.look()
    previewed = (traffic(world), route(world, "digits--preview") is not None)
    history: list[dict[str, int]] = []
    live_until(world, lambda rollout: history.append(traffic(world)) or not rollout.active)
    world.settle()

    assert previewed == ({"1": 100}, True)
    assert [weights for number, weights in enumerate(history) if number == 0 or weights != history[number - 1]] == [
        {"1": 100},
        {"2": 100},
    ]
    assert route(world, "digits--preview") is None
    assert last(world).outcome is Outcome.PROMOTED


def test_blue_green_waits_for_a_person_when_it_is_told_to() -> None:
    world = a_rollout_world(strategy="BlueGreen", preview={"pause": True}, bake="10s")

    live_until(world, lambda rollout: rollout.reason == "PauseStep")
    tell(world, "resume")
    live_until_ended(world)

    assert last(world).outcome is Outcome.PROMOTED


def test_blue_green_goes_back_in_one_write() -> None:
    world = a_rollout_world(strategy="BlueGreen", bake="10m")
    world.run_until(lambda: traffic(world) == {"2": 100}, 400)

    world.ask(version="1")
    world.look()

    assert traffic(world) == {"1": 100}


def test_a_load_test_comes_before_the_first_weight_and_stops_a_candidate_that_fails_it() -> None:
    world = a_rollout_world(loadTest={"requestsPerSecond": 50, "duration": "30s"})
    world.examined["loadTest"] = Check(False, "The load test missed the SLO: 12 of 1500 failed.", {"failed": 12})

    live_until_phase(world, Phase.TESTING)
    live_until_ended(world)

    assert (last(world).outcome, last(world).reason) == (Outcome.ABORTED, "LoadTestFailed")
    assert state(world).report == {"loadTest": {"failed": 12}}
    assert world.users.answered["2"] == 0


def test_a_load_test_that_passes_lets_the_canary_begin() -> None:
    world = a_rollout_world(loadTest={})

    world.run_until(lambda: world.names("Job") != [])
    tested = (state(world).phase, len(world.names("Job")))
    live_until_phase(world, Phase.ADVANCING)

    assert tested == (Phase.TESTING, 1)
    assert world.names("Job") == []


def a_shadow_world(**more: Any) -> World:
    return a_rollout_world(
        strategy="Shadow", shadow={"percent": 50, "duration": "10s", **more}, abortScaleDownDelay="5s"
    )


def test_a_shadow_mirrors_and_never_answers() -> None:
    world = a_shadow_world()

    live_until_phase(world, Phase.MIRRORING)
    world.look()

    assert traffic(world) == {"1": 100}
    assert [route_filter["type"] for route_filter in main_rule(world)["filters"]] == ["RequestMirror"]


def test_a_shadow_ends_with_a_report_and_no_promotion() -> None:
    world = a_shadow_world()
    world.examined["shadow"] = Check(True, "All 200 agree.", {"disagreement": 0.0})

    live_until_ended(world)
    world.settle()

    assert (last(world).outcome, traffic(world)) == (Outcome.REPORTED, {"1": 100})
    assert state(world).report == {"shadow": {"disagreement": 0.0}}
    assert "filters" not in main_rule(world)


def test_a_shadow_that_disagrees_is_refused() -> None:
    world = a_shadow_world()
    world.examined["shadow"] = Check(False, "40 of 200 outputs differ.", {"disagreement": 0.2})

    live_until_ended(world)

    assert (last(world).outcome, last(world).reason) == (Outcome.ABORTED, "OutputsDiffer")
    assert traffic(world) == {"1": 100}


def test_a_shadow_may_go_on_as_a_canary() -> None:
    world = a_shadow_world(then="Canary")

    live_until_phase(world, Phase.ADVANCING)
    live_until(world, lambda rollout: traffic(world).get("2") == 5)

    assert traffic(world) == {"1": 95, "2": 5}


def test_an_ab_test_splits_until_its_time_is_over_and_reports() -> None:
    world = a_rollout_world(strategy="AB", ab={"weight": 30, "header": "x-user-id", "duration": "1m"})

    live_until(world, lambda rollout: traffic(world).get("2") == 30)
    splitting = (world.names("BackendTrafficPolicy"), len(rules(world)))
    live_until_ended(world)
    world.settle()

    assert (last(world).outcome, last(world).reason) == (Outcome.REPORTED, "Reported")
    assert traffic(world) == {"1": 100}
    assert splitting == ([sticky_policy_name("digits")], 4)
    assert (world.names("BackendTrafficPolicy"), len(rules(world))) == ([], 3)
    report = state(world).report
    assert report is not None
    assert report["sides"]["share"]["asked"] == 0.3


def test_an_ab_test_without_an_end_waits_for_a_person() -> None:
    world = a_rollout_world(strategy="AB", ab={"weight": 30, "header": "x-user-id"}, maxDuration="1m")
    live_until(world, lambda rollout: traffic(world).get("2") == 30)
    for _ in range(30):
        world.look()
        world.sleep(1)

    tell(world, "promote")
    world.run_until(lambda: traffic(world) == {"2": 100})

    assert state(world).phase is Phase.BAKING


def test_recreate_removes_the_old_before_it_makes_the_new() -> None:
    world = a_rollout_world(strategy="Recreate")
    history: list[list[str]] = []

    live_until_phase(world, Phase.REPLACING)
    message = state(world).message
    live_until(
        world,
        lambda rollout: (
            history.append(sorted(revision.version for revision in world.status.revisions))
            or rollout.phase is Phase.IDLE
        ),
    )
    world.settle()

    assert ["1", "2"] not in history
    assert "requests fail until" in message
    assert traffic(world) == {"2": 100}


def test_a_wish_in_mid_replacement_is_followed() -> None:
    world = a_rollout_world(strategy="Recreate")
    live_until_phase(world, Phase.REPLACING)

    world.ask(version="1")
    world.settle()

    assert traffic(world) == {"1": 100}
    assert world.condition("Ready") == ("True", "Serving")


def test_immediate_moves_everything_once_it_answered() -> None:
    world = a_rollout_world(strategy="Immediate")

    world.settle()

    assert (traffic(world), last(world).outcome) == ({"2": 100}, Outcome.PROMOTED)


def test_the_job_of_an_examination_is_made_once_and_goes_when_it_is_over() -> None:
    world = a_shadow_world()
    made: list[list[str]] = []

    live_until(world, lambda rollout: made.append(world.names("Job")) or rollout.history != [])

    assert len({name for names in made for name in names}) == 1
    assert made[-1] == []
