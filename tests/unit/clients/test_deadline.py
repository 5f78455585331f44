"""A chain of calls has one budget, and a store that hangs is left after some seconds."""

import socket
import threading
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from modelyard.clients.deadline import left, within
from modelyard.clients.store import HURRIED, CallLimits, S3Store
from modelyard.errors import Unreachable
from modelyard.operator.polling.poller import CHAIN_SECONDS, DEADLINE
from modelyard.registry.bucket import BucketRegistry
from modelyard.settings import StoreSettings
from tests.support.machine.fake_clock import Clock
from tests.support.servers.store import StoreServer


@pytest.fixture
def hole() -> Iterator[str]:
    """A store that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_every_call_of_a_chain_has_what_the_ones_before_it_have_left() -> None:
    clock = Clock()
    with within(4.0, clock):
        assert (left(10.0), left(1.0)) == (4.0, 1.0)
        clock.pass_by(3)
        assert left(10.0) == 1.0
        clock.pass_by(1)
        with pytest.raises(Unreachable, match="not all answers were there within 4 s"):
            left(10.0)
    assert left(10.0) == 10.0


def test_a_budget_belongs_to_the_thread_that_has_it() -> None:
    seen = []
    with within(4.0, Clock()):
        other = threading.Thread(target=lambda: seen.append(left(10.0)))
        other.start()
        other.join()

    assert seen == [10.0]


def test_a_chain_without_budget_asks_the_store_no_more(store: S3Store, store_server: StoreServer) -> None:
    clock = Clock()
    store.put("one", b"1")
    with within(4.0, clock):
        assert store.get("one") == b"1"
        clock.pass_by(4)
        for call in (lambda: store.get("one"), lambda: store.size("one"), lambda: list(store.list(""))):
            with pytest.raises(Unreachable, match="within 4 s"):
                call()


def test_the_pages_of_a_listing_are_part_of_the_chain(store: S3Store) -> None:
    clock = Clock()
    for name in ("one", "two"):
        store.put(name, b"1")
    with within(4.0, clock):
        listed = store.list("")
        assert next(listed).key == "one"
        clock.pass_by(4)
        assert [stored.key for stored in listed] == ["two"], "of the page that is there"


def settings(endpoint: str) -> StoreSettings:
    return StoreSettings(endpoint=endpoint, access_key_id="a", secret_access_key=SecretStr("b"))


def test_what_the_operator_gives_a_store_is_over_before_it_is_called_late() -> None:
    store = S3Store(settings("http://127.0.0.1:1"), HURRIED)
    store.renew(settings("http://127.0.0.1:1"))
    config = store._client.meta.config
    attempts, longest_pause = config.retries["total_max_attempts"], 1.0

    assert attempts * max(config.connect_timeout, config.read_timeout) + (attempts - 1) * longest_pause <= DEADLINE
    assert CHAIN_SECONDS < DEADLINE


def test_a_store_that_accepts_and_never_answers_is_left(hole: str) -> None:
    registry = BucketRegistry(S3Store(settings(hole), CallLimits(connect=0.1, read=0.1, retries=0)))

    with pytest.raises(Unreachable, match="the store does not answer"), within(CHAIN_SECONDS):
        registry.resolve("digits", alias="champion")
