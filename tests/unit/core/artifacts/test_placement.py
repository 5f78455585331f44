"""Where replicas may run is part of a revision: a change is rolled out, and an upgrade of the platform is none."""

from typing import Any

import pytest

from modelyard.api.model import Serving
from modelyard.core.names import DESIRED_ANNOTATION, revision_name
from modelyard.core.snapshot import Ref
from tests.support.objects.placements import HOST, RIGHT, ZONE, apart, nodes, spread
from tests.support.worlds.builders import a_serving_world
from tests.support.worlds.world import World

SSD = {"nodeSelector": {"disktype": "ssd"}}
GPU = {"key": "gpu", "operator": "Exists"}


def predictor_of(world: World, version: str = "1") -> dict[str, Any]:
    served = world.object("InferenceService", world.revision(version).name)
    assert served is not None
    return served["spec"]["predictor"]


@pytest.mark.parametrize("serving", RIGHT.values(), ids=RIGHT.keys())
def test_what_the_spec_says_is_what_the_pods_get(serving: dict[str, Any]) -> None:
    world = a_serving_world(serving=serving)

    placed = predictor_of(world)

    for name, value in serving.items():
        if name != "topologySpreadConstraints" and name != "tolerations":
            assert placed[name] == value
    assert len(placed.get("tolerations", [])) == len(serving.get("tolerations", []))


def test_a_changed_placement_is_rolled_out_as_another_revision() -> None:
    world = a_serving_world()
    before = world.status.revision

    world.ask(serving=SSD)
    world.settle()

    assert world.status.revision != before
    assert predictor_of(world)["nodeSelector"] == {"disktype": "ssd"}
    assert world.kserve.restarts == {}


@pytest.mark.parametrize(
    ("written", "again"),
    [
        ({"tolerations": [GPU, {"key": "a"}]}, {"tolerations": [{"key": "a", "operator": "Equal"}, GPU, GPU]}),
        ({}, {"nodeSelector": {}, "tolerations": [], "affinity": {"nodeAffinity": {}, "podAffinity": None}}),
        (
            {"affinity": nodes(key="zone", operator="In", values=["a", "b"])},
            {"affinity": nodes(key="zone", operator="In", values=["b", "a"])},
        ),
        (
            {"topologySpreadConstraints": [spread(ZONE), spread(HOST)]},
            {"topologySpreadConstraints": [spread(HOST), spread(ZONE)]},
        ),
    ],
    ids=["tolerations", "nothing", "values", "constraints"],
)
def test_equal_placements_are_the_same_revision(written: dict[str, Any], again: dict[str, Any]) -> None:
    world = a_serving_world(serving=written)
    before = world.status.revision

    world.ask(serving=again)

    assert world.settle().empty
    assert world.status.revision == before


def test_every_field_counts() -> None:
    others = [None, *(Serving.model_validate(serving).placement() for serving in RIGHT.values())]
    names = {revision_name("digits", "demo", placement=placement) for placement in others}

    assert len(names) == len(RIGHT) + 1


def test_a_selector_of_every_pod_is_not_taken_for_none() -> None:
    placement = Serving.model_validate({"affinity": apart()}).placement() or {}

    terms = placement["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert terms == [{"labelSelector": {}, "topologyKey": HOST}]


def test_replicas_are_spread_over_nodes_as_well_as_can_be_when_nothing_is_said() -> None:
    world = a_serving_world(serving={"replicas": 2})

    assert predictor_of(world)["topologySpreadConstraints"] == [
        {
            "labelSelector": {"matchLabels": {"modelyard.dev/revision": world.status.revision}},
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "matchLabelKeys": ["pod-template-hash"],
        }
    ]


def test_constraints_of_the_spec_take_the_place_of_ours_and_count_the_revisions_pods() -> None:
    other = {"matchLabels": {"app": "x"}}
    world = a_serving_world(serving={"topologySpreadConstraints": [spread(ZONE), spread(HOST, labelSelector=other)]})

    by_key = {each["topologyKey"]: each for each in predictor_of(world)["topologySpreadConstraints"]}

    assert by_key[ZONE]["labelSelector"] == {"matchLabels": {"modelyard.dev/revision": world.status.revision}}
    assert by_key[HOST]["labelSelector"] == other


def test_an_empty_list_spreads_nothing() -> None:
    world = a_serving_world(serving={"topologySpreadConstraints": []})

    assert predictor_of(world)["topologySpreadConstraints"] == []


def test_names_of_revisions_without_a_placement_are_what_they_were() -> None:
    world = a_serving_world()

    before = {"digest": world.build_of("1"), "runtime": world.settings.serving.cpu_runtime, "resources": None}
    assert world.status.revision == revision_name("digits", "demo", **before)


def test_a_revision_made_before_there_were_placements_stays_as_it_is() -> None:
    world = a_serving_world()
    served = Ref("InferenceService", "demo", world.status.revision)
    live = world.api.objects[served]
    del live["spec"]["predictor"]["topologySpreadConstraints"]
    live["metadata"]["annotations"][DESIRED_ANNOTATION] = "written-before"
    for field in ("placement", "podLabels", "podAnnotations"):
        world.model["status"]["revisions"][0].pop(field, None)

    plan = world.decide()

    assert plan.empty
    assert world.kserve.restarts == {}
