"""A store that breaks off in the middle of an answer: what the pod has got must not look whole."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from modelyard.clients.store import S3Store
from modelyard.core.storage.keys import build_repository
from modelyard.settings import StoreSettings
from tests.support.nodes.running_cache import put_build, running_cache, s3_client
from tests.support.servers.store import StoreServer

CONTENT = b"weights " * 40_000


@contextmanager
def cut_off_before_the_end(settings: StoreSettings, missing: int) -> Iterator[StoreSettings]:
    """The store behind an address that hangs up when all but `missing` bytes of CONTENT have gone through."""
    parts = urlsplit(settings.endpoint)
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection((parts.hostname or "", parts.port or 0)) as store:
            Thread(target=_copied, args=(client, store), daemon=True).start()
            sent = b""
            while piece := store.recv(65_536):
                sent += piece
                head, _, body = sent.partition(b"\r\n\r\n")
                over = len(body) - (len(CONTENT) - missing)
                client.sendall(piece[: len(piece) - max(0, over)])
                if over >= 0 and b"200 OK" in head:
                    client.shutdown(socket.SHUT_RDWR)

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


def _copied(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)


@pytest.mark.parametrize("missing", [200_000, 100])
def test_a_pod_sees_that_the_store_broke_off(store_server: StoreServer, tmp_path: Path, missing: int) -> None:
    writer = store_server.settings(store_server.new_bucket())
    store = S3Store(writer)
    key = build_repository(put_build(store, {"config.pbtxt": b"name: 'toy'"})) + "beside.bin"
    store.put(key, CONTENT)
    reader = store_server.settings(writer.bucket, "reader")

    with cut_off_before_the_end(reader, missing) as broken, running_cache(broken, tmp_path) as cache:
        secret = reader.secret_access_key.get_secret_value()
        client = s3_client(cache.endpoint, reader.access_key_id, secret, attempts=1)
        with pytest.raises((BotoCoreError, ClientError)):
            got = client.get_object(Bucket=writer.bucket, Key=key)["Body"].read()
            assert got == CONTENT, got[-missing:]
