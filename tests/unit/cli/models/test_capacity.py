"""What `modelyard capacity` says of a plan, and what it refuses."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from modelyard.api.model import Model
from modelyard.cli.models.capacity import Room, _allowed, _prices, conclusion, measured, plain, rows
from modelyard.cli.platform_settings import platform_settings
from modelyard.core.autoscaling.capacity_plan import capacity_plan
from modelyard.core.cluster_room import ReplicaSize
from modelyard.core.snapshot import Ref
from modelyard.errors import InvalidModel, InvalidSettings, Refused
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


class PlatformConfig:
    """A cluster in which there is the operator's ConfigMap, or nothing."""

    def __init__(self, text: str | None) -> None:
        self._text = text

    def get(self, ref: Ref) -> dict[str, Any] | None:
        assert ref == Ref("ConfigMap", "modelyard-system", "modelyard-operator")
        return None if self._text is None else {"data": {"config.yaml": self._text}}


def test_the_platforms_settings_win_over_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "config.yaml"
    own.write_text("gateway: {publicUrl: http://here}\nprices: {cpuCoreHour: 1}\n")
    monkeypatch.setenv("MODELYARD_CONFIG", str(own))
    there: Any = PlatformConfig("gateway: {publicUrl: http://there}\nprices: {cpuCoreHour: 0.04, gpuHour: 2}\n")

    assert platform_settings(there).gateway.public_url == "http://there"
    assert _prices(there) == PriceSettings(cpu_core_hour=0.04, gpu_hour=2.0)
    nowhere: Any = PlatformConfig(None)
    assert _prices(nowhere) == PriceSettings(cpu_core_hour=1.0)
    with pytest.raises(InvalidSettings, match="the ConfigMap modelyard-system/modelyard-operator must hold groups"):
        platform_settings(PlatformConfig("store"))  # type: ignore[arg-type]


class Quotas:
    """A cluster whose quotas in `demo` are these, or may not be read."""

    def __init__(self, quotas: list[dict[str, Any]] | None) -> None:
        self._quotas = quotas

    def items(self, kind: str, namespace: str) -> list[dict[str, Any]]:
        assert (kind, namespace) == ("ResourceQuota", "demo")
        if self._quotas is None:
            raise Refused("resourcequotas is forbidden")
        return self._quotas


@pytest.mark.parametrize(
    ("quotas", "room"),
    [
        (None, 5),
        ([], 5),
        ([{"metadata": {"name": "q"}, "status": {"hard": {"pods": "3"}}}], 3),
        ([{"metadata": {"name": "q"}, "status": {"hard": {"pods": "30"}}}], 5),
    ],
)
def test_a_quota_may_leave_less_than_the_nodes_have(quotas: list[dict[str, Any]] | None, room: int) -> None:
    there: Any = Quotas(quotas)

    assert _allowed(there, "demo", {"containers": [{}]}, 5) == room
