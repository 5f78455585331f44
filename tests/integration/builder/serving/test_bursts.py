"""The library that is loaded before Triton: of a burst to threads that got no time for a moment every client gets its
answer, and the program's own calls are known wherever that is installed."""

import selectors
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from modelyard.builder.triton.install import triton_home
from modelyard.builder.triton.server import TritonServer
from modelyard.builder.triton.v2_http import RequestBody
from modelyard.builder.tuning.connection import request_bytes
from tests.support.artifacts import onnx_models as models
from tests.support.servers.triton_homes import running, save_for_triton

pytestmark = pytest.mark.integration
CLIENTS = 900
"""Three times the replies that the kernel lets wait between two threads of Triton's."""
PATIENCE = 30.0
BODY = b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}]}'
PIECES = b'{"x": [1, 2, 3]}'
STREAMED = b"POST /v2/models/double/generate_stream HTTP/1.1\r\nHost: model\r\nContent-Length: %d\r\n\r\n%s" % (
    len(PIECES),
    PIECES,
)
LAST_PIECE = b"0\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    root = tmp_path_factory.mktemp("burst")
    save_for_triton(models.doubling(), "max_batch_size: 16\ndynamic_batching { }\n", root / "repository" / "double")
    options = ("--http-thread-count=1",)
    with running(triton_home(), root / "repository", "double", root / "triton.log", options=options) as started:
        yield started


def answers(clients: list[socket.socket], end: bytes) -> list[bytes]:
    """What each of them gets in time, up to an `end`."""
    got, last = dict.fromkeys(clients, b""), time.monotonic() + PATIENCE
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client, selectors.EVENT_READ, client)
        while selector.get_map() and time.monotonic() < last:
            for key, _ in selector.select(1.0):
                piece = key.data.recv(65536)
                got[key.data] += piece
                if not piece or got[key.data].endswith(end):
                    selector.unregister(key.data)
    return list(got.values())


def burst(server: TritonServer, request: bytes, clients: list[socket.socket]) -> None:
    """All of them ask while the server stands still."""
    server.process.send_signal(signal.SIGSTOP)
    try:
        for client in clients:
            client.sendall(request)
    finally:
        server.process.send_signal(signal.SIGCONT)


@pytest.fixture
def clients(server: TritonServer) -> Iterator[list[socket.socket]]:
    with ExitStack() as opened:
        yield [opened.enter_context(socket.create_connection(("127.0.0.1", server.http_port))) for _ in range(CLIENTS)]


def test_every_client_of_a_burst_is_answered(server: TritonServer, clients: list[socket.socket]) -> None:
    request = request_bytes("double", RequestBody(BODY))
    for _ in range(3):
        burst(server, request, clients)

        assert sum(answer.startswith(b"HTTP/1.1 200") for answer in answers(clients, b"}")) == CLIENTS


def test_an_answer_in_pieces_comes_in_their_order(server: TritonServer, clients: list[socket.socket]) -> None:
    for _ in range(3):
        burst(server, STREAMED, clients)
        found = answers(clients, LAST_PIECE)

        assert {answer.partition(b"\r\n")[0] for answer in found} == {b"HTTP/1.1 200 OK"}
        assert all(b'"y":[2.0,4.0,6.0]' in answer and answer.endswith(LAST_PIECE) for answer in found)


@pytest.mark.parametrize("folder", ["triton", "anna.sommer", "libtriton.so.d"])
def test_a_clients_mistake_is_the_clients_whatever_the_home_is_called(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).symlink_to(triton_home())
    save_for_triton(models.doubling(), "max_batch_size: 16\n", tmp_path / "repository" / "double")

    with running(tmp_path / folder, tmp_path / "repository", "double", tmp_path / "triton.log") as started:
        answer = httpx.post(f"{started.url}/v2/models/double/infer", content=b"{nonsense", trust_env=False)

    assert (answer.status_code, "failed to parse the request JSON" in answer.text) == (400, True)
