"""A store that breaks off in the middle of an answer, or hangs: what pods get is whole or is seen not to be, and what
is kept on the node they get all the same."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Semaphore, Thread
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from modelyard.clients.store import S3Store
from modelyard.core.storage.keys import build_repository
from modelyard.settings import StoreSettings
from tests.support.nodes.running_cache import put_build, running_cache, s3_client
from tests.support.servers.store import StoreServer

CONTENT = b"weights " * 40_000
SLOW = 12
"""More files than a node with a few cores has threads for."""
Passing = Callable[[socket.socket, socket.socket], None]
"""Passes on what comes from the first connection to the second, until either ends."""


@pytest.fixture
def writer(store_server: StoreServer) -> StoreSettings:
    return store_server.settings(store_server.new_bucket())


@pytest.fixture
def reader(store_server: StoreServer, writer: StoreSettings) -> StoreSettings:
    return store_server.settings(writer.bucket, "reader")


@contextmanager
def behind(settings: StoreSettings, there: Passing, back: Passing) -> Iterator[StoreSettings]:
    """The store behind an address whose connections pass on requests by `there` and answers by `back`."""
    parts = urlsplit(settings.endpoint)
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection((parts.hostname or "", parts.port or 0)) as store:
            Thread(target=there, args=(client, store), daemon=True).start()
            back(store, client)

    def accept() -> None:
        with suppress(OSError):
            while True:
                Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    thread = Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield settings.model_copy(update={"endpoint": f"http://127.0.0.1:{listener.getsockname()[1]}"})
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def passed_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)


def without_the_last(missing: int) -> Passing:
    """Hangs up when all but so many bytes of CONTENT have gone through."""

    def passing(source: socket.socket, target: socket.socket) -> None:
        sent = b""
        while piece := source.recv(65_536):
            sent += piece
            head, _, body = sent.partition(b"\r\n\r\n")
            over = len(body) - (len(CONTENT) - missing)
            target.sendall(piece[: len(piece) - max(0, over)])
            if over >= 0 and b"200 OK" in head:
                target.shutdown(socket.SHUT_RDWR)

    return passing


def held_until(released: Event, held: Semaphore) -> Passing:
    """Requests for slow files wait for `released`; `held` counts them."""

    def passing(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65_536):
                if b"/slow-" in piece:
                    held.release()
                    released.wait()
                target.sendall(piece)

    return passing


@pytest.mark.parametrize("missing", [200_000, 100])
def test_a_pod_sees_that_the_store_broke_off(
    writer: StoreSettings, reader: StoreSettings, tmp_path: Path, missing: int
) -> None:
    store = S3Store(writer)
    key = build_repository(put_build(store, {"config.pbtxt": b"name: 'toy'"})) + "beside.bin"
    store.put(key, CONTENT)

    with (
        behind(reader, passed_on, without_the_last(missing)) as broken,
        running_cache(broken, tmp_path) as cache,
    ):
        secret = reader.secret_access_key.get_secret_value()
        client = s3_client(cache.endpoint, reader.access_key_id, secret, attempts=1)
        with pytest.raises((BotoCoreError, ClientError)):
            client.get_object(Bucket=writer.bucket, Key=key)["Body"].read()


def test_a_store_that_hangs_keeps_nobody_from_what_is_here(
    writer: StoreSettings, reader: StoreSettings, tmp_path: Path
) -> None:
    slow = {f"slow-{number}": str(number).encode() for number in range(SLOW)}
    place = build_repository(put_build(S3Store(writer), {"config.pbtxt": b"name: 'toy'", **slow}))
    released, held = Event(), Semaphore(0)

    with (
        behind(reader, held_until(released, held), passed_on) as hanging,
        running_cache(hanging, tmp_path) as cache,
        ThreadPoolExecutor(SLOW) as pods,
    ):
        client = cache.client()

        def got(name: str) -> bytes:
            return client.get_object(Bucket=writer.bucket, Key=place + name)["Body"].read()

        assert got("config.pbtxt") == b"name: 'toy'"
        waiting = [pods.submit(got, name) for name in slow]
        for _ in range(5):
            held.acquire()
        try:
            secret = reader.secret_access_key.get_secret_value()
            client_once = s3_client(cache.endpoint, reader.access_key_id, secret, attempts=1)
            kept = client_once.get_object(Bucket=writer.bucket, Key=f"{place}config.pbtxt")["Body"].read()
        finally:
            released.set()
        assert kept == b"name: 'toy'"
        assert [answer.result() for answer in waiting] == list(slow.values())
