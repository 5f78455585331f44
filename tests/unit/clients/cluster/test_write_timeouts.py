"""How long a write may take when the API server accepts it and says nothing: no longer than the Lease allows."""

import socket
import threading
from collections.abc import Iterator

import pytest
from kubernetes.client import Configuration

from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.store import S3Store
from modelyard.core.snapshot import Ref
from modelyard.errors import Unreachable
from modelyard.operator.leader_election import margin
from modelyard.operator.process import Library, Operator
from modelyard.registry.bucket import BucketRegistry
from modelyard.settings import OperatorSettings, Settings, StoreSettings


class SilentServer:
    """Takes every connection, counts it, and never answers."""

    def __init__(self) -> None:
        self.connections: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                self.connections.append(self._socket.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        self._socket.close()
        for connection in self.connections:
            connection.close()


@pytest.fixture
def silent() -> Iterator[SilentServer]:
    server = SilentServer()
    yield server
    server.close()


def access(host: str) -> Configuration:
    configuration = Configuration()
    configuration.host = host
    return configuration


def test_a_write_without_an_answer_ends_in_its_time_and_is_not_sent_again(silent: SilentServer) -> None:
    cluster = Cluster(access(silent.url), write_seconds=0.1)

    with pytest.raises(Unreachable, match=r"read timeout=0\.\d"):
        cluster.merge(Ref("Model", "demo", "digits"), {"spec": {}})

    assert len(silent.connections) == 1


@pytest.mark.parametrize("seconds", [3.0, 15.0, 60.0])
def test_the_operators_writes_end_within_the_margin_of_its_lease(seconds: float) -> None:
    store = S3Store(StoreSettings(endpoint="http://127.0.0.1:1"))
    settings = Settings.model_construct(operator=OperatorSettings(metrics_port=0, lease_seconds=seconds))
    operator = Operator(settings, access("http://127.0.0.1:1"), Library(BucketRegistry(store), store))

    assert operator.cluster.write_seconds is not None
    assert 0 < operator.cluster.write_seconds < margin(seconds)
    assert margin(seconds) == pytest.approx(seconds / 3)
