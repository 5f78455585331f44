"""What the gateway counted while no operator ran is read on return, from the counters that the status holds."""

from collections.abc import Iterator

import pytest

from modelyard.clients.metrics.counters import Totals, source_of
from modelyard.clients.metrics.envoy import EnvoyCounters
from modelyard.clients.metrics.envoy_pods import EnvoyPods
from modelyard.core.traffic import Counts
from modelyard.operator.cache.objects import Key, ObjectCache
from modelyard.operator.metrics.controller import ControllerMetrics
from modelyard.operator.traffic.sampler import Sampler
from modelyard.operator.traffic.stored_counters import StoredCounters, from_text, to_text
from modelyard.settings import GatewaySettings
from tests.support.servers.envoys import GRPC, HTTP, HTTP_B, Envoys

DIGITS, FACES = Key("demo", "digits"), Key("demo", "faces")
NOON = 1_800_000_000


class Gateway:
    """Two Envoy pods, a Model under rollout, and one operator after the other."""

    def __init__(self) -> None:
        self.second = NOON
        self.envoys = Envoys()
        self.pod, self.other = self.envoys.add(), self.envoys.add()
        self.cache = ObjectCache()
        self.version = 0
        self.store("")
        self.counters = EnvoyCounters(
            EnvoyPods(self.envoys, GatewaySettings(), lambda: self.second), self.envoys.port, 30
        )
        self.sampler = self.successor()

    def store(self, counters: str, phase: str = "Advancing", key: Key = DIGITS) -> None:
        """The Model's status holds these counters."""
        self.version += 1
        status = {"rollout": {"phase": phase, "stable": "digits-1", "counters": counters}}
        metadata = {**key._asdict(), "uid": key.name, "resourceVersion": str(self.version)}
        self.cache.put({"kind": "Model", "metadata": metadata, "status": status})

    def successor(self) -> Sampler:
        """The sampler of an operator that starts anew; it reads at once."""
        metrics = ControllerMetrics(self.cache, lambda: 0, lambda: True)
        self.sampler = Sampler(self.counters, self.cache, lambda key: None, metrics)
        self.sampler.tick(self.second)
        return self.sampler

    def pass_by(self, seconds: int = 1) -> None:
        for _ in range(seconds):
            self.second += 1
            self.sampler.tick(self.second)

    def written(self) -> None:
        """The status is written with what the sampler knows."""
        self.store(self.sampler.of(DIGITS).counters)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    made = Gateway()
    yield made
    made.envoys.end()
    made.counters.close()


def test_what_was_counted_while_no_operator_ran_is_the_first_slice_of_the_next(gateway: Gateway) -> None:
    gateway.pod.count(HTTP, good=10)
    gateway.pass_by(2)
    gateway.written()
    gateway.pod.count(HTTP, good=40, ms=1)
    gateway.pod.count(HTTP_B, failed=30, ms=50)
    gateway.other.count(GRPC, good=5, codes={0: 5}, ms=1)
    gateway.second += 600

    gateway.successor()
    gateway.pass_by()

    first, second = gateway.sampler.of(DIGITS).windows
    assert (first.end, first.seconds) == (NOON + 602, 600)
    assert first.slots == {
        "a": Counts(45, 0, 45, {5.0: 45, 100.0: 45}),
        "b": Counts(30, 30, 30, {5.0: 0, 100.0: 30}),
    }
    assert (second.seconds, second.slots) == (1, {})


def test_an_envoy_that_started_again_meanwhile_counts_what_it_has_counted_since(gateway: Gateway) -> None:
    gateway.pod.count(HTTP, good=10)
    gateway.pass_by()
    gateway.written()
    gateway.pod.restart()
    gateway.pod.count(HTTP, good=3)

    gateway.second += 60
    gateway.successor()

    assert [window.of("a").requests for window in gateway.sampler.of(DIGITS).windows] == [3]


def test_pods_that_came_meanwhile_are_left_out(gateway: Gateway) -> None:
    gateway.pass_by()
    gateway.written()
    gateway.envoys.add().count(HTTP, failed=100)

    gateway.second += 60
    gateway.successor()

    assert [window.slots for window in gateway.sampler.of(DIGITS).windows] == [{}]


def test_a_model_that_comes_late_into_the_cache_gets_its_counts_once(gateway: Gateway) -> None:
    gateway.pass_by()
    gateway.written()
    stored = gateway.sampler.of(DIGITS).counters
    gateway.pod.count(HTTP, good=7)
    gateway.second += 60
    gateway.cache = ObjectCache()
    gateway.store("", key=FACES)
    gateway.successor()
    gateway.pod.count(HTTP, good=1)
    gateway.pass_by()
    gateway.store(stored)
    gateway.pass_by(3)

    assert sum(window.of("a").requests for window in gateway.sampler.of(DIGITS).windows) == 7


def test_what_this_process_has_read_itself_is_not_recovered(gateway: Gateway) -> None:
    gateway.store("", "Idle")
    gateway.successor()
    gateway.pass_by(25)
    gateway.pod.count(HTTP, good=7)
    gateway.pass_by()
    gateway.store(to_text(StoredCounters(NOON + 24, {gateway.pod.uid: {}})))
    gateway.pass_by()

    assert sum(window.of("a").requests for window in gateway.sampler.of(DIGITS).windows) == 7


def test_a_minute_after_the_first_reading_nothing_is_recovered_any_more(gateway: Gateway) -> None:
    gateway.pass_by()
    gateway.written()
    stored = gateway.sampler.of(DIGITS).counters
    gateway.pod.count(HTTP, good=7)
    gateway.cache = ObjectCache()
    gateway.store("", key=FACES)
    gateway.second += 60
    gateway.successor()
    gateway.pass_by(62)
    gateway.store(stored)
    gateway.pass_by()

    assert all(window.slots == {} for window in gateway.sampler.of(DIGITS).windows)


def test_the_text_holds_every_counter_and_is_short() -> None:
    totals = Totals.of([1, 2, 3, 4, 5, 6, 7], {5.0: 1, 100.0: 7})
    source = source_of(HTTP)
    assert source is not None

    text = to_text(StoredCounters(NOON, {"uid": {source: totals}}))
    found = from_text(text)

    assert found is not None
    assert (found.end, found.pods["uid"][source].numbers()) == (NOON, [1, 2, 3, 4, 5, 6, 7])
    assert found.pods["uid"][source].within == {5.0: 1, 100.0: 7}
    assert len(text) < 300


@pytest.mark.parametrize("text", ["", "none", "eJwDAAAAAAE=", to_text(StoredCounters(NOON, {}))[:-8]])
def test_a_text_of_another_version_is_ignored(text: str) -> None:
    assert from_text(text) is None
