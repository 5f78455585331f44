"""The servers that people write themselves, started here and asked until they answer."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
_START_SECONDS = 120


@dataclass(frozen=True)
class StartedServer:
    """A server at 127.0.0.1; its process leads a session of its own."""

    http_port: int
    grpc_port: int
    process: Any


def free_port() -> int:
    """A TCP port that nothing listens on."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


@contextmanager
def kserve_server(name: str, file: Path, threads: int, log: Path) -> Iterator[StartedServer]:
    """KServe's ModelServer over HTTP and gRPC; `threads` 0 is what onnxruntime takes by itself."""
    http, grpc = free_port(), free_port()
    with _started("kserve_program.py", [name, str(file), str(http), str(grpc), str(threads)], log) as process:
        yield _answering(StartedServer(http, grpc, process), log)


@contextmanager
def fastapi_server(name: str, file: Path, threads: int, log: Path) -> Iterator[StartedServer]:
    """FastAPI over HTTP and JSON."""
    http = free_port()
    with _started("fastapi_program.py", [name, str(file), str(http), str(threads)], log) as process:
        yield _answering(StartedServer(http, 0, process), log)


@contextmanager
def _started(program: str, arguments: Sequence[str], log: Path) -> Iterator[Any]:
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, str(FOLDER / program), *arguments],
            stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answering(server: StartedServer, log: Path) -> StartedServer:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and server.process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.http_port}/v2/health/ready", timeout=5):
                return server
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"A server did not come up:\n{log.read_text()[-3000:]}")
