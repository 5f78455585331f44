"""The operator follows every ready holder and is told at once when requests begin or cease to wait."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from modelyard.clients.inference.waiting import HolderClient
from modelyard.core.snapshot import Holders
from modelyard.errors import Unreachable
from modelyard.holder.endpoint_slices import EndpointSlices, Held
from modelyard.holder.process import Holder, HolderPorts
from modelyard.holder.waiting_room import Limits
from modelyard.operator.traffic.holders import SELECTOR, HolderWatch, Place
from modelyard.settings import HolderSettings
from tests.support.servers.held_revision import NAMESPACE, REVISION, endpoint_slice


class RealHolder:
    """A holder in a thread of its own, and requests that wait there."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = self._run(self._start())
        self._waiting: Any = None

    async def _start(self) -> int:
        slices = EndpointSlices(lambda held: self._holder.room.changed(held))
        self._holder = Holder(slices, Limits(), lambda: "", "127.0.0.1")
        slices.take_in("ADDED", endpoint_slice("modelyard", {}))
        await self._holder.start(HolderPorts(0, 0, 0))
        return self._holder.ports.status

    def wait(self) -> None:
        """A request begins to wait."""

        async def begin() -> None:
            place = Held(NAMESPACE, REVISION)
            self._waiting = asyncio.ensure_future(self._holder.room.address(place, "http"))
            await asyncio.sleep(0)

        self._run(begin())

    def leave(self) -> None:
        """It ceases to wait."""
        self._loop.call_soon_threadsafe(self._waiting.cancel)

    def stop(self) -> None:
        self._run(self._holder.finish(0.0))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10.0)

    def _run(self, story: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(story, self._loop).result(100.0)


@pytest.fixture
def real() -> Iterator[RealHolder]:
    holder = RealHolder()
    yield holder
    holder.stop()


class Pods:
    """The holder's pods as watched; None: the API server has not answered yet."""

    def __init__(self, *pods: dict[str, Any]) -> None:
        self.pods: list[dict[str, Any]] | None = list(pods)

    def items(self, kind: str, namespace: str = "", selector: str = "") -> list[dict[str, Any]]:
        assert (kind, selector) == ("Pod", SELECTOR)
        if self.pods is None:
            raise Unreachable("not listed yet")
        return self.pods


def pod(name: str = "holder-0", ready: bool = True, address: str = "127.0.0.1", **metadata: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": str(ready)}]
    frame = {"uid": name, "name": name, "namespace": "modelyard-system", **metadata}
    return {"metadata": frame, "status": {"podIP": address, "phase": "Running", "conditions": conditions}}


Told = list[frozenset[Place] | None]


def a_watch(pods: Pods, told: Told, port: int = 9, client: Callable[..., Any] = HolderClient) -> HolderWatch:
    return HolderWatch(pods, HolderSettings(status_port=port), "modelyard-system", told.append, client)


def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if holds():
            return
        threading.Event().wait(0.01)
    raise AssertionError("never")


def test_what_waits_is_known_and_whoever_it_concerns_is_told(real: RealHolder) -> None:
    told: Told = []
    watch = a_watch(Pods(pod()), told, real.port)
    watch.tick()
    assert told == [None], "another holder is ready"
    real.wait()
    eventually(lambda: watch.of(NAMESPACE).waiting == {REVISION: 1})
    assert watch.of(NAMESPACE) == Holders(("127.0.0.1",), 8080, 9000, {REVISION: 1})
    assert watch.of("other").waiting == {}
    eventually(lambda: told == [None, frozenset({(NAMESPACE, REVISION)})])
    real.leave()
    eventually(lambda: watch.of(NAMESPACE).waiting == {} and len(told) == 3)
    watch.stop()


def test_a_holder_that_is_gone_takes_what_waited_with_it(real: RealHolder) -> None:
    told: Told = []
    pods = Pods(pod())
    watch = a_watch(pods, told, real.port)
    watch.tick()
    real.wait()
    eventually(lambda: len(told) == 2)
    pods.pods = []
    watch.tick()
    assert (watch.of(NAMESPACE), told[-1]) == (Holders(()), None)
    watch.stop()


@pytest.mark.parametrize(
    "one",
    [
        pod(ready=False),
        pod(deletionTimestamp="2027-01-01T00:00:00Z"),
        pod(namespace="elsewhere"),
        {**pod(), "status": {"phase": "Pending"}},
    ],
    ids=["not ready", "leaving", "somebody else's", "not there yet"],
)
def test_only_ready_holders_of_ours_take_requests(one: dict[str, Any]) -> None:
    told: Told = []
    watch = a_watch(Pods(one), told)
    watch.tick()
    assert (watch.of(NAMESPACE).addresses, told) == ((), [])
    watch.stop()


def test_one_that_leaves_is_asked_to_the_end(real: RealHolder) -> None:
    told: Told = []
    pods = Pods(pod())
    watch = a_watch(pods, told, real.port)
    watch.tick()
    pods.pods = [pod(deletionTimestamp="2027-01-01T00:00:00Z")]
    watch.tick()
    real.wait()
    eventually(lambda: watch.of(NAMESPACE).waiting == {REVISION: 1})
    assert watch.of(NAMESPACE).addresses == ()
    watch.stop()


def test_before_the_pods_are_listed_nothing_is_known() -> None:
    told: Told = []
    pods = Pods()
    pods.pods = None
    watch = a_watch(pods, told)
    watch.tick()
    assert (watch.of(NAMESPACE), told) == (Holders(()), [])


def test_what_a_holder_said_counts_until_it_says_otherwise(real: RealHolder) -> None:
    real.wait()
    answers = [HolderClient("127.0.0.1", real.port).ask(-1)]
    failed = threading.Event()

    class Flaky(HolderClient):
        def ask(self, after: int) -> Any:
            if answers:
                return answers.pop()
            failed.set()
            raise Unreachable("no answer")

    told: Told = []
    watch = a_watch(Pods(pod()), told, real.port, Flaky)
    watch.tick()
    assert failed.wait(10.0)
    assert watch.of(NAMESPACE).waiting == {REVISION: 1}
    watch.stop()
    real.leave()


def test_the_thread_ticks_until_it_is_stopped() -> None:
    told: Told = []
    watch = a_watch(Pods(pod(address="127.0.0.1")), told, 9)
    watch.start()
    eventually(lambda: told == [None])
    watch.stop(5.0)
    assert not watch.alive


@pytest.mark.parametrize("status", [404, 500])
def test_an_answer_that_is_none_is_an_outside_error(status: int, real: RealHolder) -> None:
    client = HolderClient("127.0.0.1", real.port)
    client._url = client._url.replace("/waiting", f"/nowhere?{status}")
    with pytest.raises(Unreachable, match="did not say what waits"):
        client.ask(-1)
    client.close()
    with pytest.raises(Unreachable, match="did not say what waits"):
        HolderClient("::1", 1).ask(-1)
