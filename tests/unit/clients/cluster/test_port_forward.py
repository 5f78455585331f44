"""A forwarded port carries requests both ways, each connection by a stream of its own."""

import socket

import httpx
import pytest

from modelyard.clients.cluster.port_forward import PortForward
from tests.support.servers import inference_server
from tests.support.servers.inference_server import HOST


def test_requests_go_through_and_back() -> None:
    opened = []
    with inference_server.running() as served:
        port = int(served.http.rpartition(":")[2])

        def stream() -> socket.socket:
            opened.append(socket.create_connection(("127.0.0.1", port)))
            return opened[-1]

        with PortForward(stream) as forward:
            answers = [httpx.get(f"{forward.url}/v2/models/double", headers={"Host": HOST}) for _ in range(2)]
            url = forward.url

    assert [answer.json()["name"] for answer in answers] == ["double", "double"]
    assert len(opened) == 3
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
