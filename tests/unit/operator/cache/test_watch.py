"""What the watches hear goes into the cache, and is told once."""

from typing import Any

import pytest

from modelyard.core.kinds import BY_NAME
from modelyard.core.snapshot import Object, Ref
from modelyard.operator.cache.objects import ObjectCache
from modelyard.operator.cache.watch import CachedKind

SECRET = BY_NAME["Secret"]


class Scene:
    """Secrets in a cache, what was told of them, and which kinds lost something."""

    def __init__(self) -> None:
        self.cache, self.heard, self.lost = ObjectCache(), list[tuple[str, bool]](), list[str]()
        self.secrets = CachedKind(SECRET, self.cache, self._changed, self.lost.append)

    def _changed(self, thing: Object, gone: bool) -> None:
        self.heard.append((thing["metadata"]["name"], gone))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def body(version: int, uid: str = "u1") -> dict[str, Any]:
    metadata = {"name": "s", "namespace": "demo", "uid": uid, "resourceVersion": str(version), "managedFields": [{}]}
    return {"metadata": metadata}


def test_news_is_told_once_and_old_news_not_at_all(scene: Scene) -> None:
    scene.secrets.take_in(None, body(2))
    scene.secrets.take_in("MODIFIED", body(1))
    scene.secrets.take_in("ADDED", body(2))
    scene.secrets.take_in("MODIFIED", body(3))
    scene.secrets.take_in("DELETED", body(4))

    assert scene.heard == [("s", False), ("s", False), ("s", True)]


def test_objects_are_kept_with_their_kind_and_without_the_servers_bookkeeping(scene: Scene) -> None:
    scene.secrets.take_in("ADDED", body(1))
    found = scene.cache.get(Ref("Secret", "demo", "s"))

    assert found is not None
    assert (found["kind"], found["apiVersion"]) == ("Secret", "v1")
    assert "managedFields" not in found["metadata"]


def test_what_a_listing_no_longer_has_is_told_as_gone(scene: Scene) -> None:
    scene.secrets.take_in("ADDED", body(1))
    scene.secrets.listing()
    scene.secrets.listed(["another"])

    assert scene.heard == [("s", False), ("s", True)]
    assert scene.lost == ["Secret"]
    assert scene.cache.get(Ref("Secret", "demo", "s")) is None


def test_what_was_made_while_the_listing_ran_stays(scene: Scene) -> None:
    scene.secrets.listing()
    scene.secrets.take_in("ADDED", body(1))
    scene.secrets.listed([])

    assert scene.heard == [("s", False)]
    assert scene.lost == []


SCALER = BY_NAME["HorizontalPodAutoscaler"]


def a_scaler(version: int, fewest: int = 1, **status: Any) -> dict[str, Any]:
    return {**body(version), "spec": {"minReplicas": fewest}, "status": status}


def test_what_decides_nothing_is_kept_and_not_told() -> None:
    scene = Scene()
    scalers = CachedKind(SCALER, scene.cache, scene._changed, scene.lost.append)
    for number in range(2, 6):
        scalers.take_in("MODIFIED", a_scaler(number, currentMetrics=[number], lastScaleTime=str(number)))
    quiet = len(scene.heard)
    scalers.take_in("MODIFIED", a_scaler(6, conditions=[{"type": "ScalingActive"}]))
    scalers.take_in("MODIFIED", a_scaler(7, fewest=2, conditions=[{"type": "ScalingActive"}]))
    known = scene.cache.get(Ref("HorizontalPodAutoscaler", "demo", "s"))

    assert (quiet, len(scene.heard)) == (1, 3)
    assert known is not None
    assert known["metadata"]["resourceVersion"] == "7"
