"""The API server is asked for nodes and pods once for all Models, and only while a rollout may need to know."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from modelyard.api.model import Model
from modelyard.api.rollout_status import GateVerdict
from modelyard.core.artifacts.resolve import candidate_runtime
from modelyard.core.cluster_room import ClusterRoom
from modelyard.core.rollout.capacity.step_room import asks_for_room
from modelyard.core.snapshot import Failure, Ref
from modelyard.errors import Refused
from modelyard.operator.cache.objects import Key
from modelyard.operator.observer.cluster_room import RoomObserver
from tests.support.operator.answers import DIGITS, PollingByHand
from tests.support.worlds.builders import a_model, settings

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


def rolled(phase: str, spec: dict[str, Any] | None = None, **more: Any) -> Model:
    rollout = {"phase": phase, "stable": "digits-1", **more}
    return a_model(rollout={"strategy": "Canary", **(spec or {})}, status={"rollout": rollout})


PASS = {"gates": [{"name": "errors", "verdict": GateVerdict.PASS}]}
PROMOTE = {"command": {"id": "1", "action": "promote"}}


@pytest.mark.parametrize(
    ("model", "asks"),
    [
        (a_model(), False),
        (rolled("Idle"), False),
        (rolled("Aborting", **PASS), False),
        (rolled("Starting", stable=""), False),
        (rolled("Building"), True),
        (rolled("Starting"), True),
        (rolled("Advancing"), False),
        (rolled("Advancing", gates=[{"name": "errors", "verdict": GateVerdict.CONTINUE}]), False),
        (rolled("Advancing", **PASS), True),
        (rolled("Holding", held="Advancing", reason="InsufficientCapacity"), True),
        (rolled("Advancing", PROMOTE), True),
        (rolled("Advancing", PROMOTE, handledCommands=["1"]), False),
        (rolled("Advancing", {"onInconclusive": "Promote"}), True),
    ],
)
def test_only_a_rollout_that_may_begin_a_step_asks(model: Model, asks: bool) -> None:
    assert asks_for_room(model) is asks


def test_the_runtime_is_that_of_the_candidate_or_of_the_next_one() -> None:
    begun = {
        "name": "digits-2", "slot": "b", "digest": "sha256:2", "version": "2", "runtime": "older", "stage": "Starting",
    }  # fmt: skip
    tried = a_model(status={"revisions": [begun], "rollout": {"phase": "Starting", "candidate": "digits-2"}})

    assert candidate_runtime(tried, settings()) == "older"
    assert candidate_runtime(a_model(), settings()) == settings().serving.cpu_runtime
    assert candidate_runtime(a_model(serving={"runtime": "gpu"}), settings()) == settings().serving.gpu_runtime
