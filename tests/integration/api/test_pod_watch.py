"""The pods of a Gateway are watched: listed once, followed, and listed again only when the watch has lost its place."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from kubernetes.client import Configuration

from modelyard.clients.cluster import list_watch
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.pod_watch import PodWatch
from modelyard.clients.cluster.status_errors import Expired
from modelyard.clients.metrics.envoy_pods import EnvoyPods, owner_selector
from modelyard.core.snapshot import Ref
from modelyard.errors import Unreachable
from modelyard.settings import GatewaySettings
from tests.support.operator.bench import eventually
from tests.support.operator.real_apiserver import RealApiServer

LABEL = "gateway.envoyproxy.io/owning-gateway"


class Scene:
    """A Gateway of its own, its pods, and a watch that follows one second at a time."""

    def __init__(self, api: RealApiServer) -> None:
        self.gateway = GatewaySettings(name=f"gateway-{uuid4().hex[:8]}", namespace="demo")
        self.cluster = Cluster(access(api.kubeconfig))
        self.watch = PodWatch(self.cluster, owner_selector(self.gateway))
        self.listings = 0
        listed = self.watch.watch.list_anew

        def counted() -> str:
            self.listings += 1
            return listed()

        self.watch.watch.list_anew = counted  # type: ignore[method-assign]

    def add(self, name: str, gateway: str = "") -> None:
        labels = {f"{LABEL}-name": gateway or self.gateway.name, f"{LABEL}-namespace": "demo"}
        metadata = {"name": name, "namespace": "demo", "labels": labels}
        spec = {"containers": [{"name": "envoy", "image": "envoy"}]}
        self.cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})

    def ready(self, name: str) -> None:
        pod = self.cluster.get(Ref("Pod", "demo", name))
        assert pod is not None
        status = {"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}]}
        self.cluster.apply_status(Ref("Pod", "demo", name), pod["metadata"]["uid"], status)

    def names(self) -> list[str]:
        try:
            items = self.watch.items("Pod", selector=owner_selector(self.gateway))
        except Unreachable:
            return []
        return sorted(pod["metadata"]["name"] for pod in items)

    def until(self, reached: Callable[[], Any], what: str) -> None:
        eventually(reached, what)


@pytest.fixture
def scene(apiserver: RealApiServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr(list_watch, "WATCH_SECONDS", 1)
    made = Scene(apiserver)
    yield made
    made.watch.stop()


def test_pods_are_followed_with_a_single_listing(scene: Scene) -> None:
    scene.add(f"{scene.gateway.name}-1")
    scene.watch.start()
    scene.until(lambda: scene.listings == 1 and scene.names() == [f"{scene.gateway.name}-1"], "the first pod")
    scene.add(f"{scene.gateway.name}-2")
    scene.add(f"{scene.gateway.name}-other", gateway="another")
    scene.until(lambda: len(scene.names()) == 2, "the second pod")
    scene.ready(f"{scene.gateway.name}-2")
    pods = EnvoyPods(scene.watch, scene.gateway)
    scene.until(lambda: [pod.address for pod in pods.listed_anew()] == ["10.0.0.1"], "its address")
    scene.cluster.delete(Ref("Pod", "demo", f"{scene.gateway.name}-1"))
    scene.until(lambda: scene.names() == [f"{scene.gateway.name}-2"], "the first is gone")

    assert scene.listings == 1
    assert scene.watch.alive


def test_a_watch_goes_on_from_where_it_stopped(scene: Scene) -> None:
    version = scene.watch.watch.list_anew()
    scene.add(f"{scene.gateway.name}-1")
    version = scene.watch.watch.follow(version, 1)
    assert scene.names() == [f"{scene.gateway.name}-1"]
    scene.cluster.delete(Ref("Pod", "demo", f"{scene.gateway.name}-1"))

    scene.watch.watch.follow(version, 1)
    assert scene.names() == []


@pytest.mark.parametrize("is_listed", [True, False], ids=["listed", "followed"])
def test_an_object_that_brings_a_defect_to_light_keeps_nobody_from_the_others(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_listed: bool
) -> None:
    taken, odd = scene.watch.take_in, f"{scene.gateway.name}-1"

    def with_a_defect(event_type: str | None, thing: dict[str, Any]) -> None:
        if thing["metadata"]["name"] == odd:
            raise LookupError("a defect")
        taken(event_type, thing)

    monkeypatch.setattr(scene.watch, "take_in", with_a_defect)
    version = "" if is_listed else scene.watch.watch.list_anew()
    for number in (1, 2):
        scene.add(f"{scene.gateway.name}-{number}")
    if is_listed:
        scene.watch.watch.list_anew()
    else:
        scene.watch.watch.follow(version, 1)

    assert scene.names() == [f"{scene.gateway.name}-2"]
    assert "not taken in" in caplog.text


def test_a_watch_that_lost_its_place_lists_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    follow, lost = scene.watch.watch.follow, []

    def once_too_old(version: str, seconds: int = 1) -> str:
        if not lost:
            lost.append(version)
            raise Expired("too old resource version")
        return follow(version, seconds)

    monkeypatch.setattr(scene.watch.watch, "follow", once_too_old)
    scene.watch.start()
    scene.until(lambda: scene.listings == 2, "a second listing")


def test_pods_that_are_gone_when_it_lists_again_are_forgotten(scene: Scene) -> None:
    scene.add(f"{scene.gateway.name}-1")
    scene.watch.watch.list_anew()
    scene.cluster.delete(Ref("Pod", "demo", f"{scene.gateway.name}-1"))
    scene.watch.watch.list_anew()

    assert scene.names() == []


def test_a_watch_that_is_stopped_ends_at_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_watch, "WATCH_SECONDS", 300)
    scene.watch.start()
    scene.until(lambda: scene.watch.watch._stream is not None, "it watches")
    scene.watch.stop(20)

    assert not scene.watch.alive


def test_pods_that_never_were_seen_are_not_none() -> None:
    nowhere = Configuration()
    nowhere.host, nowhere.retries = "http://127.0.0.1:1", False
    watch = PodWatch(Cluster(nowhere), "a=b")
    with pytest.raises(Unreachable, match="not listed yet"):
        watch.items("Pod", selector="a=b")
    watch.start()

    def said() -> str:
        with pytest.raises(Unreachable) as refused:
            watch.items("Pod", selector="a=b")
        return str(refused.value)

    eventually(lambda: "the API server did not answer" in said(), "why")
    watch.stop()
