"""A real object store on this machine: SeaweedFS with its S3 API, on free ports of 127.0.0.1, in a scratch folder.

`tests/conftest.py` names this module as a plugin, so there is one store a test process, and a bucket a test.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from modelyard.clients.store import S3Store
from modelyard.settings import StoreSettings

_IDENTITIES = {
    "identities": [
        {
            "name": "admin",
            "credentials": [{"accessKey": "admin", "secretKey": "admin-secret"}],
            "actions": ["Admin", "Read", "List", "Tagging", "Write"],
        },
        {
            "name": "reader",
            "credentials": [{"accessKey": "reader", "secretKey": "reader-secret"}],
            "actions": ["Read", "List"],
        },
    ]
}

_ONE_VOLUME_A_BUCKET = "[master.volume_growth]\ncopy_1 = 1\n"
"""It makes seven by default, and the store has room for 1,000."""


@dataclass(frozen=True)
class StoreServer:
    """A running store; `settings()` reaches a bucket in it."""

    endpoint: str

    def settings(self, bucket: str = "modelyard", who: str = "admin", secret: str = "") -> StoreSettings:
        return StoreSettings.model_validate(
            {
                "endpoint": self.endpoint,
                "bucket": bucket,
                "accessKeyId": who,
                "secretAccessKey": secret or f"{who}-secret",
            }
        )

    def new_bucket(self) -> str:
        """Name of a fresh, empty bucket."""
        name = f"b-{uuid4().hex[:12]}"
        S3Store(self.settings(name))._client.create_bucket(Bucket=name)
        return name


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, all different."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for free in sockets:
            free.bind(("127.0.0.1", 0))
        return [free.getsockname()[1] for free in sockets]


@contextmanager
def running_store(folder: Path, known: Mapping[str, Any] = _IDENTITIES) -> Iterator[StoreServer]:
    """Starts SeaweedFS in `folder`, which knows these identities, and stops it at the end."""
    identities = folder / "s3.json"
    identities.write_text(json.dumps(known))
    (folder / "data").mkdir()
    (folder / ".seaweedfs").mkdir()
    (folder / ".seaweedfs" / "master.toml").write_text(_ONE_VOLUME_A_BUCKET)
    ports = free_ports(8)
    names = (
        "master.port",
        "master.port.grpc",
        "volume.port",
        "volume.port.grpc",
        "filer.port",
        "filer.port.grpc",
    )
    command = [
        str(Path(sys.executable).with_name("weed")), "-logtostderr=true", "server", f"-dir={folder / 'data'}",
        "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.volumeSizeLimitMB=64", "-volume.max=1000", "-filer", "-s3",
        "-s3.ip.bind=127.0.0.1", f"-s3.config={identities}", "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false",
        "-master.raftHashicorp=true", "-master.telemetry=false", "-volume.preStopSeconds=1",
        f"-s3.port={ports[6]}", f"-s3.port.grpc={ports[7]}",
        *(f"-{name}={port}" for name, port in zip(names, ports, strict=False)),
    ]  # fmt: skip
    log = folder / "weed.log"
    with log.open("wb") as sink:
        server = subprocess.Popen(command, stdout=sink, stderr=sink, env={**os.environ, "HOME": str(folder)})
    try:
        endpoint = f"http://127.0.0.1:{ports[6]}"
        _wait_until_healthy(endpoint, server, log)
        yield StoreServer(endpoint)
    finally:
        server.kill()  # its data is scratch, and an orderly end takes SeaweedFS 15 seconds
        server.wait()


def _wait_until_healthy(endpoint: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(f"{endpoint}/healthz", timeout=1, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"SeaweedFS did not start:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def store_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreServer]:
    with running_store(tmp_path_factory.mktemp("store")) as server:
        yield server


@pytest.fixture
def store(store_server: StoreServer) -> S3Store:
    """A store with a bucket of its own."""
    return S3Store(store_server.settings(store_server.new_bucket()))
