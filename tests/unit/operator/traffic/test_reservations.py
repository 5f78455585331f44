"""What a Model's pods reserve, and that slices of traffic know it."""

from typing import Any

from modelyard.core.traffic import Reserved
from modelyard.operator.cache.objects import Key, ObjectCache
from modelyard.operator.traffic.reservations import reserved_by
from modelyard.operator.traffic.windows import TrafficWindows

DIGITS = Key("demo", "digits")


def pod(name: str, node: str = "node-1", model: str = "digits", phase: str = "Running") -> dict[str, Any]:
    metadata = {"namespace": "demo", "name": name, "uid": name, "resourceVersion": "1"}
    requests = {"cpu": "500m", "memory": "1Gi", "nvidia.com/gpu": "1"}
    return {
        "kind": "Pod",
        "metadata": {**metadata, "labels": {"modelyard.dev/model": model}},
        "spec": {"nodeName": node, "containers": [{"resources": {"requests": requests}}]},
        "status": {"phase": phase},
    }


def test_pods_on_nodes_reserve_what_they_request() -> None:
    cache = ObjectCache()
    for each in (pod("a"), pod("b"), pod("waits", node=""), pod("over", phase="Failed"), pod("c", model="fraud")):
        cache.put(each)

    assert reserved_by(cache, DIGITS) == Reserved(1.0, 2.0, 2.0, 2.0)
    assert reserved_by(cache, Key("demo", "nobody")) == Reserved()


def test_a_slice_knows_what_was_reserved_in_it() -> None:
    kept = TrafficWindows(lambda key: Reserved(0.5, 1.0, 0.0, 1.0))
    kept.keep([DIGITS])

    for end in (100, 120, 145):
        kept.cut(end, (), survey=True)

    assert [window.reserved for window in kept.of(DIGITS)] == [Reserved(10, 20, 0, 20), Reserved(12.5, 25, 0, 25)]
