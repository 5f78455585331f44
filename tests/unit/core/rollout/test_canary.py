"""A canary from its first weight to the end of its bake, and everything that may happen to it."""

import pytest

from modelyard.api.rollout_status import GateVerdict, Outcome, Phase
from modelyard.core.names import predictor
from modelyard.core.snapshot import Ref
from tests.support.worlds.rollouts import (
    a_rollout_world,
    last,
    live_until,
    live_until_ended,
    live_until_phase,
    state,
    traffic,
)
from tests.support.worlds.world import World


def test_a_good_candidate_takes_over_step_by_step() -> None:
    world = a_rollout_world()
    states = []

    live_until(
        world, lambda rollout: states.append((rollout.phase, traffic(world).get("2", 0))) or rollout.history != []
    )
    world.settle()

    weights = list(dict.fromkeys(weight for _, weight in states))
    assert weights == [0, 10, 50, 100]
    assert (last(world).outcome, world.stage_of("1"), traffic(world)) == (Outcome.PROMOTED, None, {"2": 100})
    assert last(world).requests > 900
    assert world.condition("Ready") == ("True", "Serving")


def test_the_old_revision_stands_by_with_its_cluster_until_the_bake_is_over() -> None:
    world = a_rollout_world()

    live_until_phase(world, Phase.BAKING)
    world.run_until(lambda: traffic(world) == {"2": 100})

    assert world.stage_of("1") == "Standby"
    assert sorted(weight for _, weight in world.weights()) == [1, 1_000_000]


@pytest.mark.parametrize(("what", "gate"), [("bad", "Errors"), ("slow", "Latency")])
def test_a_bad_candidate_loses_its_traffic_in_the_look_that_saw_it(what: str, gate: str) -> None:
    world = a_rollout_world()
    getattr(world.users, what)["2"] = 0.5
    live_until_phase(world, Phase.ADVANCING)
    world.run_until(lambda: traffic(world).get("2") == 10)

    live_until_phase(world, Phase.ABORTING)

    assert traffic(world) == {"1": 100}
    assert sorted(weight for _, weight in world.weights()) == [1, 1_000_000]
    assert (last(world).outcome, last(world).reason) == (Outcome.ABORTED, f"{gate}GateFailed")
    assert world.users.answered["2"] <= 60
    assert world.condition("Stalled")[0] == "False"


def test_a_refused_candidate_is_kept_for_a_look_and_then_removed_and_not_tried_again() -> None:
    world = a_rollout_world()
    world.users.bad["2"] = 1.0

    live_until_ended(world)
    live_until(world, lambda rollout: world.stage_of("2") == "Draining")
    world.sleep(40)
    world.look()
    kept = world.stage_of("2")
    world.settle()

    assert (kept, world.stage_of("2")) == ("Draining", None)
    assert len(state(world).history) == 1
    assert world.condition("Stalled") == ("True", "ErrorsGateFailed")
    assert world.condition("Serving")[0] == "True"
    assert "modelyard rollout retry digits" in world.message("Ready")


def test_a_candidate_that_breaks_at_a_higher_weight_is_found_there() -> None:
    world = a_rollout_world()
    live_until_phase(world, Phase.ADVANCING, step=1)

    world.users.bad["2"] = 0.3
    live_until_ended(world)

    assert last(world).outcome is Outcome.ABORTED
    assert traffic(world) == {"1": 100}


def test_a_candidate_that_breaks_while_it_bakes_gives_everything_back_at_once() -> None:
    world = a_rollout_world()
    live_until_phase(world, Phase.BAKING)
    world.run_until(lambda: traffic(world) == {"2": 100})

    world.users.bad["2"] = 0.5
    live_until_phase(world, Phase.ABORTING)

    assert traffic(world) == {"1": 100}
    live_until_ended_again(world)
    assert world.stage_of("1") == "Serving"


def live_until_ended_again(world: World) -> None:
    live_until_phase(world, Phase.IDLE)
    world.settle()


@pytest.mark.parametrize(
    ("failure", "reason"),
    [("no traffic", "NoTraffic"), ("no metrics", "NoMetrics"), ("stable out", "StableOutOfSlo")],
)
def test_what_is_not_known_holds_the_weight_and_goes_on_afterwards(failure: str, reason: str) -> None:
    world = a_rollout_world()
    live_until(world, lambda rollout: traffic(world).get("2") == 10)
    if failure == "no traffic":
        world.users.rate = 0
    elif failure == "no metrics":
        world.users.away = True
    else:
        world.users.bad.update({"1": 0.2, "2": 0.2})

    live_until_phase(world, Phase.HOLDING)
    held = (state(world).reason, traffic(world))
    world.users.rate, world.users.away = 200, False
    world.users.bad.clear()
    live_until_ended(world)

    assert held == (reason, {"1": 90, "2": 10})
    assert last(world).outcome is Outcome.PROMOTED


def test_a_threshold_below_every_bucket_is_told_for_what_it_is_and_holds() -> None:
    world = a_rollout_world(rate=2000)
    world.ask(slo={"errorRate": "1%", "latency": {"percentile": 99, "threshold": "10ms"}})

    live_until_phase(world, Phase.HOLDING)
    held = (world.condition("Reconciling"), state(world).reason)
    assert "set slo.latency.threshold to 50ms or more" in world.message("Ready")
    world.ask(slo={"errorRate": "1%", "latency": {"percentile": 99, "threshold": "50ms"}})
    live_until_ended(world)

    assert held == (("True", "ThresholdTooLow"), "ThresholdTooLow")
    assert last(world).outcome is Outcome.PROMOTED


@pytest.mark.parametrize(
    ("policy", "outcome"), [(None, Outcome.ABORTED), ("Abort", Outcome.ABORTED), ("Promote", Outcome.PROMOTED)]
)
def test_no_decision_in_time_ends_as_the_policy_says(policy: str | None, outcome: Outcome) -> None:
    more = {"onInconclusive": policy} if policy else {}
    world = a_rollout_world(rate=0, watched=0, maxDuration="40s", **more)

    live_until_ended(world)

    assert last(world).outcome is outcome


def test_no_decision_in_time_may_be_left_to_a_person() -> None:
    world = a_rollout_world(maxDuration="20s", onInconclusive="Hold", rate=1)

    live_until(world, lambda rollout: rollout.reason == "Inconclusive")

    assert (state(world).phase, traffic(world)) == (Phase.HOLDING, {"1": 90, "2": 10})


def test_a_step_is_held_for_as_long_as_it_says() -> None:
    world = a_rollout_world(steps=[{"weight": 50, "hold": "1m"}], rate=2000)
    live_until(world, lambda rollout: traffic(world).get("2") == 50)
    begun = world.now

    live_until_phase(world, Phase.BAKING)

    assert world.now - begun >= 60


def test_a_share_rises_only_when_the_candidate_has_the_replicas_for_it() -> None:
    world = a_rollout_world(steps=[{"weight": 25}, {"weight": 75}])
    world.edit(deployment_of(world, "1"), lambda deployment: deployment["spec"].update(replicas=4))
    world.ask(scaling={"minReplicas": 1, "maxReplicas": 8}, version="2")
    world.step()

    live_until(world, lambda rollout: traffic(world).get("2") == 25)
    at_first = replicas_of(world, "2")
    live_until(world, lambda rollout: rollout.step == 1)
    before = traffic(world)
    live_until(world, lambda rollout: traffic(world).get("2") == 75)

    assert (at_first, before, replicas_of(world, "2")) == (1, {"1": 75, "2": 25}, 3)
    assert replicas_of(world, "1") == 4


def test_a_rollout_goes_on_when_the_spec_allows_fewer_replicas_than_the_stable_had_at_its_start() -> None:
    world = a_rollout_world(strategy="BlueGreen", bake="5s")
    world.edit(deployment_of(world, "1"), lambda deployment: deployment["spec"].update(replicas=2))
    world.ask(scaling={"minReplicas": 1, "maxReplicas": 3}, version="2")
    live_until(world, lambda rollout: rollout.active)

    world.ask(scaling=None)
    live_until_ended(world)

    assert last(world).outcome is Outcome.PROMOTED


def deployment_of(world: World, version: str) -> Ref:
    return Ref("Deployment", "demo", predictor(world.revision(version).name))


def replicas_of(world: World, version: str) -> int:
    return world.api.objects[deployment_of(world, version)]["spec"]["replicas"]


def test_evidence_is_written_every_few_seconds_only() -> None:
    world = a_rollout_world(rate=20)
    live_until(world, lambda rollout: traffic(world).get("2") == 10)
    writes = 0

    for _ in range(20):
        writes += world.look().status is not None
        world.sleep(1)

    assert 3 <= writes <= 6


def test_a_crash_loop_ends_a_rollout_before_it_had_any_traffic() -> None:
    world = a_rollout_world()
    world.run_until(lambda: world.stage_of("2") == "Starting")
    world.kserve.faults[world.revision("2").name] = "crash"

    live_until_ended(world)

    assert (last(world).outcome, last(world).reason) == (Outcome.FAILED, "HealthGateFailed")
    assert world.users.answered["2"] == 0


def test_gates_say_what_they_are_waiting_for() -> None:
    world = a_rollout_world(rate=20)
    live_until(world, lambda rollout: traffic(world).get("2") == 10)
    world.step()
    world.sleep(10)
    world.look()

    errors = state(world).gate("errors")

    assert errors is not None
    assert (errors.verdict, errors.eta is not None) == (GateVerdict.CONTINUE, True)
    assert "needs" in errors.message
