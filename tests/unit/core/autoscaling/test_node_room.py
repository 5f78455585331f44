"""How many more pods fit, node by node, by what is requested and where they may run."""

from fractions import Fraction
from typing import Any

import pytest

from modelyard.core.autoscaling.node_room import limits_of, node_rooms, requested, room_for, uses, without
from modelyard.core.cluster_room import ReplicaSize

SIZE = ReplicaSize(Fraction(1), Fraction(2**30))
DEDICATED = {"key": "dedicated", "value": "models", "effect": "NoSchedule"}


def node(name: str = "n1", cpu: str = "4", memory: str = "16Gi", gpus: str = "", **spec: Any) -> dict[str, Any]:
    has = {"cpu": cpu, "memory": memory, **({"nvidia.com/gpu": gpus} if gpus else {})}
    labels = spec.pop("labels", {})
    return {"metadata": {"name": name, "labels": labels}, "spec": spec, "status": {"allocatable": has}}


def pod(on: str, cpu: str, phase: str = "Running") -> dict[str, Any]:
    container = {"resources": {"requests": {"cpu": cpu}}}
    return {"spec": {"nodeName": on, "containers": [container]}, "status": {"phase": phase}}


def test_what_pods_request_is_not_there_and_halves_of_two_nodes_are_no_whole() -> None:
    nodes = [node("n1"), node("n2")]

    assert room_for(SIZE, {}, nodes, []) == 8
    assert room_for(SIZE, {}, nodes, [pod("n1", "500m"), pod("n2", "3500m")]) == 3
    assert room_for(SIZE, {}, nodes, [pod("n1", "9")]) == 4, "more than all is none, and no debt of other nodes"
    assert room_for(SIZE, {}, nodes, [pod("n1", "4", "Succeeded"), pod("n1", "4", "Failed"), pod("", "4")]) == 8


def test_the_scarcest_resource_decides() -> None:
    assert room_for(SIZE, {}, [node(memory="2.5Gi")], []) == 2
    assert room_for(SIZE._replace(gpus=Fraction(1)), {}, [node(gpus="2"), node("n2")], []) == 2
    assert room_for(ReplicaSize(Fraction(0), Fraction(0)), {}, [node()], []) == 1, "it says nothing of how many"


@pytest.mark.parametrize(
    ("placement", "one", "room"),
    [
        ({}, node(unschedulable=True), 0),
        ({"nodeSelector": {"pool": "models"}}, node(), 0),
        ({"nodeSelector": {"pool": "models"}}, node(labels={"pool": "models", "zone": "a"}), 4),
        ({}, node(taints=[DEDICATED]), 0),
        ({}, node(taints=[{**DEDICATED, "effect": "PreferNoSchedule"}]), 4),
        ({"tolerations": [{"key": "dedicated", "value": "models"}]}, node(taints=[DEDICATED]), 4),
        ({"tolerations": [{"key": "dedicated", "value": "others"}]}, node(taints=[DEDICATED]), 0),
        ({"tolerations": [{"key": "other", "operator": "Exists"}]}, node(taints=[DEDICATED]), 0),
        ({"tolerations": [{"key": "dedicated", "operator": "Exists"}]}, node(taints=[DEDICATED]), 4),
        ({"tolerations": [{"operator": "Exists"}]}, node(taints=[DEDICATED]), 4),
        ({"tolerations": [{"value": "models"}]}, node(taints=[DEDICATED]), 0),
        ({"tolerations": [{"operator": "Exists", "effect": "NoExecute"}]}, node(taints=[DEDICATED]), 0),
    ],
)
def test_only_nodes_count_that_take_the_pods(placement: dict[str, Any], one: dict[str, Any], room: int) -> None:
    assert room_for(SIZE, placement, [one], []) == room


def test_a_pod_requests_its_containers_together_or_its_largest_first_container() -> None:
    def container(cpu: str, memory: str) -> dict[str, Any]:
        return {"resources": {"requests": {"cpu": cpu, "memory": memory}}}

    spec = {
        "containers": [container("500m", "1Gi"), {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}, {}],
        "initContainers": [container("100m", "4Gi"), container("200m", "1Gi")],
    }

    assert requested(spec) == ReplicaSize(Fraction(3, 2), Fraction(4 * 2**30))
    assert requested({}) == ReplicaSize(Fraction(0), Fraction(0))


@pytest.mark.parametrize(
    ("placement", "one", "refuses"),
    [
        ({}, node(unschedulable=True), "is cordoned"),
        ({}, node(taints=[DEDICATED]), "has the taint dedicated"),
        ({"nodeSelector": {"pool": "models"}}, node(), "lacks the label pool=models"),
        ({}, node(), ""),
    ],
)
def test_a_node_says_why_it_takes_none(placement: dict[str, Any], one: dict[str, Any], refuses: str) -> None:
    assert [room.refuses for room in node_rooms(SIZE, placement, [one], {})] == [refuses]


def test_a_node_holds_so_many_pods_and_no_more() -> None:
    small = node()
    small["status"]["allocatable"]["pods"] = "3"
    two = [pod("n1", "0"), pod("n1", "0")]

    assert room_for(SIZE, {}, [small], two) == 1
    (full,) = node_rooms(SIZE, {}, [small], uses([*two, pod("n1", "0")]))
    assert (full.fits, full.refuses) == (0, "holds as many pods as it may (3)")


def test_what_leaves_a_node_is_free_again() -> None:
    used = uses([pod("n1", "3"), pod("n2", "1")])

    left = without(used, uses([pod("n1", "1")]))

    assert (left["n1"].size.cores, left["n1"].pods, left["n2"]) == (2, 0, used["n2"])


def test_limits_are_counted_as_they_are_written() -> None:
    spec = {"containers": [{"resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}}]}

    assert limits_of(spec) == ReplicaSize(Fraction(0), Fraction(2**30))
