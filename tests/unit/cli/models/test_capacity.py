"""What `modelyard capacity` says of a plan, and what it refuses."""

from fractions import Fraction
from typing import Any

import pytest

from modelyard.api.model import Model
from modelyard.cli.models.capacity import Room, conclusion, measured, plain, rows
from modelyard.core.autoscaling.capacity_plan import ReplicaSize, capacity_plan
from modelyard.errors import InvalidModel
from modelyard.settings import PriceSettings
from tests.support.worlds.builders import a_model

SIZE = ReplicaSize(Fraction(1, 2), Fraction(2**30))
PLAN = capacity_plan(500, 80, 0.75, SIZE, PriceSettings(cpu_core_hour=0.04, memory_gib_hour=0.005))
KNOWN = {"requestsPerSecond": 80, "at": "p99<50ms", "cpu": 1}


def with_capacity(**changes: Any) -> Model:
    return a_model(status={"capacity": KNOWN | changes})


def test_the_plan_is_told_line_by_line_and_to_scripts() -> None:
    assert rows(PLAN, Room(2, 3)) == [
        ("replicas", "9", "75% of 80 requests/s each; 2 now"),
        ("cores", "4.5", "requested"),
        ("memory", "9 GiB", "requested"),
        ("headroom", "220 requests/s", "on top, before the objective is missed"),
        ("cost", "164.25 a month", "0.000125 per 1,000 requests"),
    ]
    assert plain(PLAN, Room(2, 3)) | {"costPerMonth": 0, "costPerThousand": 0} == {
        "requestsPerSecond": 500, "perReplica": 80, "targetUtilization": 0.75, "replicas": 9, "replicasNow": 2,
        "roomForMore": 3, "cores": 4.5, "memoryBytes": 9 * 2**30, "gpus": 0.0, "headroom": 220.0,
        "costPerMonth": 0, "costPerThousand": 0,
    }  # fmt: skip


def test_gpus_are_told_where_there_are_any() -> None:
    plan = capacity_plan(500, 80, 0.75, SIZE._replace(gpus=Fraction(1)), PriceSettings())

    assert ("GPUs", "9", "requested") in rows(plan, Room(0, 9))


@pytest.mark.parametrize(
    ("room", "spec", "said"),
    [
        (Room(2, 7), {"scaling": {"maxReplicas": 9}}, "The cluster has room for 7 more."),
        (Room(2, 3), {"scaling": {"maxReplicas": 9}}, "4 would stay Pending. Add nodes"),
        (Room(2, 7), {"scaling": {"maxReplicas": 4}}, "scaling.maxReplicas is 4: raise it to 9."),
        (Room(2, 7), {"serving": {"replicas": 2}}, "serving.replicas is 2: raise it"),
    ],
)
def test_what_is_missing_is_said(room: Room, spec: dict[str, Any], said: str) -> None:
    assert said in conclusion(PLAN, room, a_model(**spec))


def test_without_prices_it_says_where_they_are_set() -> None:
    plan = capacity_plan(500, 80, 0.75, SIZE, PriceSettings())

    assert "config.prices" in conclusion(plan, Room(9, 0), a_model(scaling={"maxReplicas": 9}))
    assert [what for what, *_ in rows(plan, Room(9, 0))] == ["replicas", "cores", "memory", "headroom"]


@pytest.mark.parametrize("slo", ["", "p99<50ms", "p99=50ms", "P99 < 50ms"])
def test_what_was_measured_counts_for_what_it_was_measured_at(slo: str) -> None:
    assert measured(with_capacity(), slo) == 80


@pytest.mark.parametrize(
    ("model", "slo", "said"),
    [
        (a_model(), "", "nobody has measured what a replica of digits takes on: write spec.tune"),
        (with_capacity(measured=False), "", "nobody has measured"),
        (with_capacity(), "p99<20ms", "was measured at p99<50ms, not at p99<20ms"),
        (with_capacity(requestsPerSecond=0), "", "does not keep p99<50ms at any rate"),
    ],
)
def test_what_nobody_measured_is_no_plan(model: Model, slo: str, said: str) -> None:
    with pytest.raises(InvalidModel, match=said):
        measured(model, slo)
