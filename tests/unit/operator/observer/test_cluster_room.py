"""The API server is asked for nodes and pods once for all Models that need to know."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from modelyard.core.cluster_room import ClusterRoom
from modelyard.core.snapshot import Failure, Ref
from modelyard.errors import Refused
from modelyard.operator.cache.objects import Key
from modelyard.operator.observer.cluster_room import RoomObserver
from tests.support.operator.answers import DIGITS, PollingByHand

NODE = {
    "metadata": {"name": "node-1", "labels": {"pool": "a"}, "annotations": {"much": "text"}},
    "spec": {"podCIDR": "10.0.0.0/24", "taints": [{"key": "gpu", "effect": "NoSchedule"}]},
    "status": {"allocatable": {"cpu": "4"}, "images": [{}] * 50},
}
POD = {"metadata": {"name": "p"}, "spec": {"nodeName": "node-1", "containers": [{"resources": {}}]}}
RUNTIME = {"containers": [{"name": "kserve-container"}]}


class Reader:
    """An API server that knows these objects, and counts what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.error: Exception | None = None

    def each(self, kind: str, namespace: str = "") -> Iterator[Mapping[str, Any]]:
        self.asked.append(f"{kind} {namespace}".strip())
        if self.error is not None:
            raise self.error
        yield from {"Node": [NODE], "Pod": [POD, POD], "ResourceQuota": [{"metadata": {"name": namespace}}]}[kind]

    def get(self, ref: Ref) -> Mapping[str, Any] | None:
        self.asked.append(f"{ref.kind} {ref.name}")
        return {"spec": RUNTIME} if ref.name == "triton" else None


@pytest.fixture
def reader() -> Reader:
    return Reader()


def test_one_listing_serves_all_models_for_a_while(reader: Reader) -> None:
    polling = PollingByHand()
    rooms = RoomObserver(reader, polling)

    first = rooms.of(DIGITS, "demo", "triton")
    assert isinstance(first, Failure)
    assert first.pending
    polling.answer()
    known = rooms.of(DIGITS, "demo", "triton")
    other = polling.settled(lambda: rooms.of(Key("shop", "fraud"), "shop", "missing"))

    assert isinstance(known, ClusterRoom)
    assert isinstance(other, ClusterRoom)
    assert (known.runtime, other.runtime) == (RUNTIME, None)
    assert [quota["metadata"]["name"] for quota in (*known.quotas, *other.quotas)] == ["demo", "shop"]
    assert known.used["node-1"].pods == 2
    assert known.nodes == (
        {
            "metadata": {"name": "node-1", "labels": {"pool": "a"}},
            "spec": {"taints": [{"key": "gpu", "effect": "NoSchedule"}]},
            "status": {"allocatable": {"cpu": "4"}},
        },
    )
    assert reader.asked.count("Node") == reader.asked.count("Pod") == 1


def test_old_numbers_are_worse_than_none(reader: Reader) -> None:
    polling = PollingByHand()
    rooms = RoomObserver(reader, polling)
    polling.settled(lambda: rooms.of(DIGITS, "demo", "triton"))

    polling.clock.pass_by(11)  # type: ignore[attr-defined]

    again = rooms.of(DIGITS, "demo", "triton")
    assert isinstance(again, Failure)
    assert again.pending


def test_who_may_not_list_nodes_is_told_that_it_is_not_known(reader: Reader) -> None:
    polling = PollingByHand()
    rooms = RoomObserver(reader, polling)
    reader.error = Refused("nodes is forbidden")

    known = polling.settled(lambda: rooms.of(DIGITS, "demo", "triton"))

    assert isinstance(known, Failure)
    assert (known.pending, known.message) == (False, "nodes is forbidden")
