"""Autoscalers of a Model's revisions as they come, change and go, and what the status and the Events say of them."""

from typing import Any

import pytest

from modelyard.core.names import predictor
from modelyard.core.ownership import ours
from modelyard.core.snapshot import Ref, ScalingMeans
from modelyard.settings import AutoscalingSettings, GatewaySettings
from tests.support.worlds.builders import a_serving_world
from tests.support.worlds.rollouts import CANARY, SLO, live_until, live_until_ended, traffic
from tests.support.worlds.world import World

PROMETHEUS = "http://prometheus.monitoring:9090/"
KEDA, METRICS, NEITHER = ScalingMeans(True, True), ScalingMeans(False, True), ScalingMeans(False, False)
RANGE = {"minReplicas": 1, "maxReplicas": 6}
CAPACITY = {"requestsPerSecond": 120, "at": "p99<50ms", "cpu": 1}


def a_scaled_world(means: ScalingMeans = KEDA, autoscaler: Any = "auto", **spec: Any) -> World:
    """Version 1 serves; the cluster has what `means` says."""
    world = a_serving_world(**{"scaling": RANGE, **spec})
    gateway = GatewaySettings(public_url="http://10.0.0.1:30080/", prometheus_url=PROMETHEUS)
    asked = AutoscalingSettings(autoscaler=autoscaler)
    world.settings = world.settings.model_copy(update={"gateway": gateway, "autoscaling": asked})
    world.scaling_means = means
    world.settle()
    return world


def made(world: World, kind: str = "ScaledObject", version: str = "1") -> dict[str, Any]:
    """The autoscaler of a version."""
    thing = world.object(kind, predictor(world.revision(version).name))
    assert thing is not None
    return thing


def chosen(world: World, replicas: int) -> None:
    """The autoscaler has chosen."""
    ref = Ref("Deployment", "demo", predictor(world.status.revision))
    world.edit(ref, lambda thing: thing["spec"].update(replicas=replicas))
    world.settle()


def autoscalers(world: World) -> list[str]:
    return [*world.names("ScaledObject"), *world.names("HorizontalPodAutoscaler")]


def says(world: World, kind: str, *conditions: dict[str, Any]) -> None:
    """The autoscaler's own conditions."""
    world.api.say(Ref(kind, "demo", predictor(world.status.revision)), {"conditions": list(conditions)})
    world.settle()


def told(world: World) -> str:
    """The sentence of the status."""
    assert world.status.scaling is not None
    return world.status.scaling.message


def test_with_keda_the_revision_is_scaled_by_requests_over_its_measured_capacity() -> None:
    world = a_scaled_world(slo=SLO)
    world.model["status"]["capacity"] = CAPACITY
    world.settle()
    thing = made(world)
    requests, waiting = thing["spec"]["triggers"]

    assert thing["spec"]["scaleTargetRef"] == {
        "apiVersion": "apps/v1", "kind": "Deployment", "name": predictor(world.status.revision)
    }  # fmt: skip
    assert (thing["spec"]["minReplicaCount"], thing["spec"]["maxReplicaCount"]) == (1, 6)
    assert requests["metadata"]["threshold"] == "90"
    assert requests["metadata"]["query"].startswith("(sum(max by (pod, instance, envoy_cluster_name) (rate(")
    assert waiting["metadata"]["threshold"] == "3"
    assert {trigger["metricType"] for trigger in (requests, waiting)} == {"AverageValue"}
    assert {trigger["metadata"]["serverAddress"] for trigger in (requests, waiting)} == {PROMETHEUS.rstrip("/")}
    assert world.status.scaling is not None
    assert not world.status.scaling.guess
    assert "KEDA scales by what" in told(world)
    assert "90 requests/s a replica, 75% of the 120 that one takes on at p99<50ms." in told(world)


def test_without_a_measured_capacity_it_is_scaled_by_requests_in_flight_and_the_status_says_it_is_a_guess() -> None:
    world = a_scaled_world()
    in_flight = made(world)["spec"]["triggers"][0]

    assert (in_flight["name"], in_flight["metadata"]["threshold"]) == ("in-flight", "3")
    assert world.status.scaling is not None
    assert world.status.scaling.guess
    assert "which is a guess" in told(world)
    down = made(world)["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
    assert down["stabilizationWindowSeconds"] == 900


def test_a_capacity_of_another_build_says_nothing() -> None:
    world = a_scaled_world()
    world.model["status"]["capacity"] = {**CAPACITY, "digest": "sha256:other"}
    world.settle()

    assert made(world)["spec"]["triggers"][0]["name"] == "in-flight"


def test_it_is_owned_by_the_model_and_goes_with_its_revision() -> None:
    world = a_scaled_world()
    before = made(world)
    world.ask(version="2")
    world.settle()

    assert ours(before, world.model["metadata"]["uid"])
    assert before["metadata"]["labels"]["modelyard.dev/revision"] == before["metadata"]["name"].removesuffix(
        "-predictor"
    )
    assert autoscalers(world) == [predictor(world.status.revision)]
    assert before["metadata"]["name"] not in autoscalers(world)


def test_an_answer_that_is_empty_is_no_zero_so_that_a_prometheus_without_data_changes_nothing() -> None:
    for trigger in made(a_scaled_world())["spec"]["triggers"]:
        assert trigger["metadata"]["ignoreNullValues"] == "false"
        query = trigger["metadata"]["query"]
        assert " or 0 * max(envoy_server_live)) and on () count(present_over_time(envoy_server_live[30s]" in query


def test_without_keda_it_is_scaled_by_cpu() -> None:
    world = a_scaled_world(METRICS, scaling={**RANGE, "targetUtilization": "60%", "scaleDownDelay": "90s"})
    spec = made(world, "HorizontalPodAutoscaler")["spec"]

    assert spec["metrics"] == [
        {
            "type": "ContainerResource",
            "containerResource": {
                "container": "kserve-container",
                "name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 60},
            },
        }
    ]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (1, 6)
    assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 90
    assert "a replica is to use 60% of the CPU it requests." in told(world)


@pytest.mark.parametrize("asked", ["none", "keda"])
def test_where_nothing_is_made_the_replicas_stay(asked: str) -> None:
    world = a_scaled_world(NEITHER, asked)
    chosen(world, 3)

    assert autoscalers(world) == []
    assert world.status.replicas == 3
    assert world.condition("Ready") == ("True", "Serving")


def test_a_range_that_nobody_chooses_in_is_a_warning() -> None:
    world = a_scaled_world(NEITHER)

    assert ("Warning", "NoAutoscaler") in world.said
    assert world.status.scaling is not None
    assert world.status.scaling.autoscaler == "none"


def test_a_range_of_one_number_leaves_nothing_to_choose() -> None:
    world = a_scaled_world(scaling={"minReplicas": 2, "maxReplicas": 2})

    assert autoscalers(world) == []
    assert world.status.scaling is not None
    assert (world.status.scaling.reason, world.status.scaling.desired_replicas) == ("FixedReplicas", 2)
    assert world.status.replicas == 2


def test_without_a_range_nothing_is_said() -> None:
    world = a_scaled_world()
    world.ask(scaling=None)
    world.settle()

    assert autoscalers(world) == []
    assert world.status.scaling is None


def test_a_changed_range_changes_the_autoscaler() -> None:
    world = a_scaled_world()
    world.ask(scaling={"minReplicas": 2, "maxReplicas": 9, "targetUtilization": "50%"})
    world.settle()
    spec = made(world)["spec"]

    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (2, 9)
    assert spec["triggers"][0]["metadata"]["threshold"] == "2"
    assert world.status.replicas == 2


def test_a_cluster_that_gets_keda_goes_over_to_it_with_one_autoscaler_at_a_time() -> None:
    world = a_scaled_world(METRICS)
    world.scaling_means = KEDA
    seen = []
    for _ in range(4):
        world.look()
        seen.append((len(world.names("ScaledObject")), len(world.names("HorizontalPodAutoscaler"))))

    assert seen[-1] == (1, 0)
    assert (1, 1) not in seen
    assert world.settle().empty


def test_before_it_is_known_what_the_cluster_has_nothing_is_made_and_nothing_is_taken_away() -> None:
    world = a_scaled_world(ScalingMeans())
    before = autoscalers(world)
    assert world.status.scaling is not None
    word = world.status.scaling.reason
    world.scaling_means = KEDA
    world.settle()
    known = told(world)
    world.scaling_means = ScalingMeans()
    chosen(world, 2)

    assert (before, word) == ([], "AutoscalerUnknown")
    assert autoscalers(world) == [predictor(world.status.revision)]
    assert told(world) == known
    assert world.status.scaling.desired_replicas == 2


def test_unknown_means_keep_no_autoscaler_of_a_revision_that_is_gone() -> None:
    world = a_scaled_world()
    gone = autoscalers(world)
    world.scaling_means = ScalingMeans()
    world.ask(version="2")
    world.settle()

    assert not set(gone) & set(autoscalers(world))


def test_somebody_elses_autoscaler_is_the_only_one() -> None:
    world = a_scaled_world()
    world.rival_autoscaler = "HorizontalPodAutoscaler mine"
    world.settle()

    assert autoscalers(world) == []
    assert "HorizontalPodAutoscaler mine scales it" in told(world)
    assert ("Warning", "ScaledByOthers") not in world.said


def test_inside_the_range_the_operator_leaves_the_number_to_the_autoscaler() -> None:
    world = a_scaled_world()
    for number in (5, 2, 6, 1):
        chosen(world, number)
        assert world.status.replicas == number


@pytest.mark.parametrize(("number", "kept"), [(9, 6), (0, 1)])
def test_outside_the_range_operator_and_autoscaler_want_the_same(number: int, kept: int) -> None:
    world = a_scaled_world()
    chosen(world, number)

    assert world.status.replicas == kept


def test_a_changed_number_is_told_with_who_chooses_and_by_what() -> None:
    world = a_scaled_world()
    world.said.clear()
    chosen(world, 4)
    chosen(world, 4)

    assert world.said == [("Normal", "Scaled")]
    assert world.status.scaling is not None
    assert world.status.scaling.desired_replicas == 4


def test_a_new_revision_is_no_change_of_the_number() -> None:
    world = a_scaled_world()
    chosen(world, 4)
    world.said.clear()
    world.ask(version="2")
    world.settle()

    assert ("Normal", "Scaled") not in world.said


def test_an_autoscaler_that_cannot_count_is_a_warning_and_its_end_is_told() -> None:
    world = a_scaled_world()
    chosen(world, 3)
    world.said.clear()
    says(world, "ScaledObject", {"type": "Ready", "status": "False", "message": "Prometheus is away"})
    failing = told(world)
    says(world, "ScaledObject", {"type": "Ready", "status": "True"})

    assert "so the replicas stay: Prometheus is away." in failing
    assert world.said == [("Warning", "AutoscalerFails"), ("Normal", "ScaledByRequests")]
    assert world.status.replicas == 3
    assert world.condition("Ready") == ("True", "Serving")


def test_a_complaint_about_pods_that_start_counts_when_it_lasts() -> None:
    world = a_scaled_world(METRICS)
    world.said.clear()
    failing = {"type": "ScalingActive", "status": "False", "reason": "FailedGetContainerResourceMetric"}
    world.api.say(
        Ref("HorizontalPodAutoscaler", "demo", predictor(world.status.revision)),
        {"conditions": [{**failing, "lastTransitionTime": world.timestamp()}]},
    )
    plan = world.look()
    early = list(world.said)
    world.sleep(121)
    world.look()

    assert early == []
    assert plan.requeue_after is not None
    assert 0 < plan.requeue_after <= 120
    assert world.said == [("Warning", "AutoscalerFails")]


@pytest.mark.parametrize("change", ["deleted", "edited"])
def test_it_is_put_right(change: str) -> None:
    world = a_scaled_world()
    before = made(world)["spec"]
    ref = Ref("ScaledObject", "demo", predictor(world.status.revision))
    if change == "deleted":
        world.lose(ref)
    else:
        world.edit(ref, lambda thing: thing["spec"].update(maxReplicaCount=99))
    world.settle()

    assert made(world)["spec"] == before


def test_in_a_rollout_the_stables_autoscaler_keeps_its_floor_and_the_candidates_follows_its_share() -> None:
    world = a_scaled_world(rollout=CANARY, slo=SLO)
    chosen(world, 4)
    world.users.rate = 500
    world.sleep(30)
    world.ask(version="2")
    live_until(world, lambda rollout: traffic(world).get("2") == 50)
    during = {version: made(world, version=version)["spec"] for version in ("1", "2")}
    live_until_ended(world)
    world.settle()

    assert during["1"]["minReplicaCount"] == 4
    assert during["2"]["minReplicaCount"] == 2
    assert "0-mirror-[0-9]+" in during["2"]["triggers"][0]["metadata"]["query"]
    assert "mirror" not in during["1"]["triggers"][0]["metadata"]["query"]
    assert made(world, version="2")["spec"]["minReplicaCount"] == 1
    assert autoscalers(world) == [predictor(world.revision("2").name)]


def test_a_floor_above_the_ranges_end_is_its_end() -> None:
    world = a_scaled_world(rollout=CANARY, slo=SLO)
    chosen(world, 6)
    world.users.rate = 50
    world.sleep(30)
    world.ask(version="2")
    live_until(world, lambda rollout: traffic(world).get("2") == 10)
    world.ask(scaling={"maxReplicas": 3})
    world.look()
    world.look()

    spec = made(world)["spec"]
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (3, 3)
