"""A Model that nobody asks has no replicas, and the next request wakes it; a rollout finds it awake."""

from typing import Any

import pytest

from modelyard.api.status import IdleState, IdleStatus
from modelyard.core.conditions import timestamp
from modelyard.core.names import predictor
from modelyard.core.revisions.idleness import IdleFacts, advance_idle, idle_wait
from modelyard.core.snapshot import Holders, Ref, ScalingMeans
from modelyard.core.traffic import Traffic, TrafficWindow
from modelyard.settings import GatewaySettings
from tests.support.worlds.builders import a_serving_world, settings
from tests.support.worlds.world import World

RESTS = {"minReplicas": 0, "maxReplicas": 3, "idleAfter": "5m"}
HOLDERS = Holders(("10.0.0.8", "10.0.0.9"))
NOW = 1_800_000_000.0


def a_resting_world(**spec: Any) -> World:
    """Version 1 serves, holders are ready, and nobody has asked for ten minutes."""
    world = a_serving_world(scaling=RESTS, **spec)
    world.holders, world.quiet = HOLDERS, 600.0
    world.look()
    assert state(world) == "Awake"
    world.sleep(301.0)
    return world


def rest(world: World) -> None:
    """Everybody does what is to be done now, without time passing."""
    for _ in range(8):
        world.look()
        world.step()


def replicas(world: World) -> int:
    deployment = world.object("Deployment", predictor(world.status.revision))
    assert deployment is not None
    return deployment["spec"]["replicas"]


def state(world: World) -> str:
    return world.status.idle.state.value if world.status.idle else ""


def slices(world: World) -> list[dict[str, Any]]:
    return [thing for _, thing in world.api.of_kind("EndpointSlice")]


def waiting(world: World, requests: int) -> None:
    world.holders = Holders(HOLDERS.addresses, waiting={world.status.revision: requests} if requests else {})


def a_sleeping_world(**spec: Any) -> World:
    world = a_resting_world(**spec)
    world.settle()
    assert (state(world), replicas(world)) == ("Zero", 0)
    return world


def test_a_model_nobody_asks_goes_to_zero_and_the_next_request_wakes_it() -> None:
    world = a_resting_world()
    world.look()
    assert (state(world), replicas(world)) == ("Holding", 1), "its replicas answer until the holders do"
    [held] = slices(world)
    assert [one["addresses"] for one in held["endpoints"]] == [["10.0.0.8"], ["10.0.0.9"]]
    assert held["metadata"]["labels"]["kubernetes.io/service-name"] == predictor(world.status.revision)
    assert held["ports"] == [
        {"name": "http", "port": 8080, "protocol": "TCP"},
        {"name": "grpc", "port": 9000, "protocol": "TCP"},
    ]

    world.settle()
    assert (state(world), replicas(world)) == ("Zero", 0)
    assert world.condition("Ready") == ("True", "Serving")
    assert world.condition("Serving") == ("True", "ScaledToZero")
    assert "Nobody asked for 5m" in world.message("Ready")

    waiting(world, 7)
    world.look()
    assert (state(world), replicas(world)) == ("Waking", 1)
    assert world.condition("Ready") == ("True", "Serving")
    assert world.condition("Serving") == ("True", "Waking")
    assert len(slices(world)) == 1

    world.run_until(lambda: state(world) == "HandingOver")
    assert len(slices(world)) == 1, "the gateway has the replica before the holders go"
    waiting(world, 0)
    world.quiet = 0.0
    world.run_until(lambda: state(world) == "Awake")
    rest(world)
    assert (state(world), replicas(world), slices(world)) == ("Awake", 1, [])
    assert world.condition("Serving") == ("True", "Answering")


def test_awake_again_it_rests_no_sooner_than_after_the_whole_time() -> None:
    world = a_sleeping_world()
    waiting(world, 1)
    world.run_until(lambda: state(world) == "HandingOver")
    waiting(world, 0)
    world.run_until(lambda: state(world) == "Awake")

    world.sleep(299.0)
    world.look()
    assert state(world) == "Awake", "a request that the gateway did not count woke it all the same"
    world.sleep(2.0)
    world.look()
    assert state(world) == "Holding"


def test_no_holder_no_rest() -> None:
    world = a_serving_world(scaling=RESTS)
    world.quiet = 10_000.0
    rest(world)
    assert (state(world), replicas(world)) == ("", 1)


def test_without_holders_it_wakes() -> None:
    world = a_sleeping_world()
    world.holders = Holders()
    world.settle()
    assert (state(world), replicas(world)) == ("", 1)


@pytest.mark.parametrize(
    "traffic",
    [
        Traffic(),
        Traffic((TrafficWindow(int(NOW), 20, {}),), failure="No Envoy pod answered.", quiet=10_000.0),
        Traffic((TrafficWindow(int(NOW) - 11, 20, {}),), quiet=10_000.0),
    ],
    ids=["nothing counted", "counters away", "old counts"],
)
def test_what_is_not_known_is_no_rest(traffic: Traffic, monkeypatch: pytest.MonkeyPatch) -> None:
    world = a_serving_world(scaling=RESTS)
    world.holders = HOLDERS
    monkeypatch.setattr(world, "_traffic", lambda: traffic)
    world.now = NOW
    world.look()
    assert state(world) == "Awake"
    since = world.now = NOW + 50.0
    world.model["status"]["idle"]["since"] = timestamp(since - 9_000.0)
    world.look()
    assert (state(world), replicas(world)) == ("Awake", 1)


def test_another_version_wakes_it_and_takes_over() -> None:
    world = a_sleeping_world()
    world.quiet = 0.0
    world.ask(version="2")
    world.look()
    assert state(world) == "Waking"
    world.run_until(lambda: world.status.version == "2" and state(world) == "Awake")
    rest(world)
    assert (world.status.version, replicas(world), slices(world)) == ("2", 1, [])


def test_a_spec_that_wants_replicas_wakes_it_for_good() -> None:
    world = a_sleeping_world()
    world.ask(scaling={"minReplicas": 2, "maxReplicas": 3})
    world.settle()
    assert (world.status.idle, replicas(world), slices(world)) == (None, 2, [])


def test_it_wakes_with_as_many_as_were_asked_for() -> None:
    world = a_sleeping_world(serving={"replicas": 2})
    waiting(world, 1)
    world.look()
    assert replicas(world) == 2


def test_a_request_while_the_holders_join_brings_it_back() -> None:
    world = a_resting_world()
    world.look()
    assert state(world) == "Holding"
    world.quiet = 3.0
    world.look()
    assert (state(world), replicas(world)) == ("HandingOver", 1)
    world.run_until(lambda: state(world) == "Awake")
    rest(world)
    assert (state(world), replicas(world), slices(world)) == ("Awake", 1, [])


def test_replicas_that_go_again_are_waited_for() -> None:
    world = a_sleeping_world()
    waiting(world, 1)
    world.run_until(lambda: state(world) == "HandingOver")
    world.kserve.faults[world.status.revision] = "slow"
    world.step()
    world.look()
    assert state(world) == "Waking"


def test_one_that_does_not_come_up_is_an_outage_like_any_other() -> None:
    world = a_sleeping_world()
    world.kserve.faults[world.status.revision] = "slow"
    waiting(world, 1)
    world.look()
    world.step()
    world.sleep(world.settings.serving.start_seconds + 1)
    world.look()
    assert world.condition("Serving")[0] == "False"
    assert world.condition("Ready")[0] == "False"


def test_its_routes_say_who_is_meant_and_are_patient() -> None:
    world = a_serving_world(scaling=RESTS)
    route = world.object("HTTPRoute", "digits")
    assert route is not None
    named = [
        one["requestHeaderModifier"]["set"]
        for rule in route["spec"]["rules"]
        for backend in rule["backendRefs"]
        for one in backend["filters"]
        if one["type"] == "RequestHeaderModifier"
    ]
    assert len(named) == sum(len(rule["backendRefs"]) for rule in route["spec"]["rules"])
    assert named[0] == [{"name": "x-modelyard-backend", "value": f"demo/{world.status.revision}"}]
    policy = world.object("BackendTrafficPolicy", "digits--patience")
    assert policy is not None
    assert policy["spec"]["timeout"] == {"http": {"requestTimeout": "90s"}}
    assert [one["kind"] for one in policy["spec"]["targetRefs"]] == ["HTTPRoute", "HTTPRoute", "GRPCRoute"]

    world.ask(scaling={"minReplicas": 1, "maxReplicas": 3})
    world.settle()
    assert world.object("BackendTrafficPolicy", "digits--patience") is None
    assert a_serving_world().object("BackendTrafficPolicy", "digits--patience") is None


def test_holders_of_both_families_get_a_slice_each() -> None:
    world = a_serving_world(scaling=RESTS)
    world.holders, world.quiet = Holders(("10.0.0.8", "fd00::8")), 600.0
    world.look()
    world.sleep(301.0)
    world.look()
    assert {one["addressType"]: one["endpoints"][0]["addresses"] for one in slices(world)} == {
        "IPv4": ["10.0.0.8"],
        "IPv6": ["fd00::8"],
    }
    world.holders = Holders(("10.0.0.7",))
    world.look()
    [held] = slices(world)
    assert held["endpoints"][0]["addresses"] == ["10.0.0.7"]


def facts(**changes: Any) -> IdleFacts:
    known = {
        "now": NOW,
        "holder": "digits-0",
        "may_rest": True,
        "quiet": 0.0,
        "waiting": 0,
        "replicas": 1,
        "settle": 2.0,
        "idle_after": 300.0,
    }
    return IdleFacts(**{**known, **changes})


def idle(state: IdleState, ago: float) -> IdleStatus:
    return IdleStatus(state=state, revision="digits-0", since=timestamp(NOW - ago))


@pytest.mark.parametrize(
    ("before", "now", "wait"),
    [
        (None, facts(), None),
        (idle(IdleState.AWAKE, 1000.0), facts(quiet=100.0), 200.0),
        (idle(IdleState.AWAKE, 1000.0), facts(quiet=300.0), 1.0),
        (idle(IdleState.AWAKE, 1000.0), facts(may_rest=False), None),
        (idle(IdleState.HOLDING, 0.0), facts(), 2.0),
        (idle(IdleState.HANDING_OVER, 5.0), facts(), 0.0),
        (idle(IdleState.ZERO, 5.0), facts(), None),
        (idle(IdleState.WAKING, 5.0), facts(), None),
        (idle(IdleState.ZERO, 5.0), None, None),
    ],
)
def test_time_is_waited_for_where_it_alone_changes_something(
    before: IdleStatus | None, now: IdleFacts | None, wait: float | None
) -> None:
    assert idle_wait(before, now) == wait


def test_another_revision_begins_anew() -> None:
    after = advance_idle(idle(IdleState.ZERO, 50.0), facts(holder="digits-1"))
    assert after is not None
    assert (after.state, after.revision) == (IdleState.AWAKE, "digits-1")
    assert advance_idle(idle(IdleState.ZERO, 50.0), facts(holder="digits-1", may_rest=False)) is None
    assert advance_idle(idle(IdleState.ZERO, 50.0), facts(holder="")) is None


def test_a_clock_that_went_back_is_no_time() -> None:
    after = advance_idle(idle(IdleState.HOLDING, -100.0), facts(quiet=600.0))
    assert after is not None
    assert after.state is IdleState.HOLDING


def test_a_lost_child_is_made_again() -> None:
    world = a_sleeping_world()
    [held] = slices(world)
    world.lose(Ref("EndpointSlice", "demo", held["metadata"]["name"]))
    world.settle()
    assert len(slices(world)) == 1


def test_while_it_rests_it_has_no_autoscaler_and_one_again_when_it_is_awake() -> None:
    world = a_resting_world()
    world.settings = settings(gateway=GatewaySettings(prometheus_url="http://prometheus:9090"))
    world.scaling_means = ScalingMeans(keda=True, resource_metrics=True)
    world.look()
    assert (state(world), world.names("ScaledObject")) == ("Holding", [])
    rest(world)
    world.settle()
    assert (state(world), world.names("ScaledObject")) == ("Zero", [])

    waiting(world, 1)
    world.quiet = 0.0
    world.run_until(lambda: state(world) == "Awake")
    rest(world)
    assert world.names("ScaledObject") == [predictor(world.status.revision)]
    made = world.object("ScaledObject", predictor(world.status.revision))
    assert made is not None
    assert made["spec"]["minReplicaCount"] == 1


def test_one_replica_or_none_leaves_an_autoscaler_nothing_to_choose() -> None:
    world = a_serving_world(scaling={"minReplicas": 0, "maxReplicas": 1})
    assert world.status.scaling is not None
    assert world.status.scaling.reason == "FixedReplicas"
    assert "there is one replica, after 10m without a request none" in world.status.scaling.message


def test_how_long_the_first_replica_took_is_told() -> None:
    world = a_sleeping_world()
    assert world.status.cold_start is None
    waiting(world, 1)
    world.look()
    world.sleep(7.0)
    world.run_until(lambda: state(world) == "HandingOver")

    told = world.status.cold_start
    assert told is not None
    assert (told.p50, told.p99, told.count) == (7.0, 7.0, 1)


def test_the_latest_twenty_cold_starts_count() -> None:
    before = idle(IdleState.WAKING, 30.0).model_copy(update={"cold_starts": [float(took) for took in range(1, 21)]})
    after = advance_idle(before, facts())
    assert after is not None
    assert after.cold_starts == [*(float(took) for took in range(2, 21)), 30.0]
    assert advance_idle(idle(IdleState.HANDING_OVER, 0.0), facts(replicas=0)) == idle(IdleState.WAKING, 0.0)
