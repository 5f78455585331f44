"""A burst to a Triton whose threads got no time for a moment: every client gets its answer."""

import selectors
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from modelyard.builder.triton.install import triton_home
from modelyard.builder.triton.server import TritonServer, running
from modelyard.builder.triton.v2_http import RequestBody
from modelyard.builder.tuning.connection import request_bytes
from tests.support.artifacts import onnx_models as models
from tests.support.servers.triton_homes import save_for_triton

pytestmark = pytest.mark.integration
CLIENTS = 900
"""Three times the replies that the kernel lets wait between two threads of Triton's."""
PATIENCE = 30.0
BODY = b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}]}'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    root = tmp_path_factory.mktemp("burst")
    save_for_triton(models.doubling(), "max_batch_size: 16\ndynamic_batching { }\n", root / "repository" / "double")
    options = ("--http-thread-count=1",)
    with running(triton_home(), root / "repository", "double", root / "triton.log", options=options) as started:
        yield started


def answered(clients: list[socket.socket]) -> int:
    """How many of them get an answer in time; each waits for one."""
    found, last = 0, time.monotonic() + PATIENCE
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client, selectors.EVENT_READ, client)
        while selector.get_map() and time.monotonic() < last:
            for key, _ in selector.select(1.0):
                found += key.data.recv(65536).startswith(b"HTTP/1.1 200")
                selector.unregister(key.data)
    return found


def test_every_client_of_a_burst_is_answered(server: TritonServer) -> None:
    request = request_bytes("double", RequestBody(BODY))
    with ExitStack() as opened:
        clients = [
            opened.enter_context(socket.create_connection(("127.0.0.1", server.http_port))) for _ in range(CLIENTS)
        ]
        for _ in range(3):
            server.process.send_signal(signal.SIGSTOP)
            try:
                for client in clients:
                    client.sendall(request)
            finally:
                server.process.send_signal(signal.SIGCONT)

            assert answered(clients) == CLIENTS
