"""Clients that ask as fast as they are answered, and the CPU time that the server took for it.

Requests per CPU second count what the whole process tree of the server used (its session, so nothing that it started
is missed); the client's own CPU time is not in it, though it shares the cores.
"""

import http.client
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from modelyard.clients.inference.predictions import Endpoint, connect

PROTOCOLS = ("JSON", "binary", "gRPC")
_TICKS = os.sysconf("SC_CLK_TCK")
_DATATYPES = {"float32": "FP32", "float64": "FP64", "int32": "INT32", "int64": "INT64"}
Ask = Callable[[], None]


class Server(Protocol):
    """What is asked: its ports on 127.0.0.1, and its process, which leads a session of its own."""

    @property
    def http_port(self) -> int: ...
    @property
    def grpc_port(self) -> int: ...
    @property
    def process(self) -> Any: ...


class Measured(NamedTuple):
    """Of one cell: requests per CPU second of the server, latencies in milliseconds, and requests per second."""

    per_cpu_second: float
    p50: float
    p99: float
    per_second: float


def body_of(arrays: Mapping[str, Any], binary: bool) -> tuple[bytes, dict[str, str]]:
    """The same request in JSON, or in the binary form of the protocol's extension: content and headers."""
    tensors, raw = [], b""
    for name, array in arrays.items():
        tensor: dict[str, Any] = {"name": name, "datatype": _DATATYPES[array.dtype.name], "shape": list(array.shape)}
        if binary:
            tensor["parameters"] = {"binary_data_size": array.nbytes}
            raw += array.tobytes()
        else:
            tensor["data"] = array.ravel().tolist()
        tensors.append(tensor)
    if not binary:
        return json.dumps({"inputs": tensors}).encode(), {"Content-Type": "application/json"}
    header = json.dumps({"inputs": tensors, "parameters": {"binary_data_output": True}}).encode()
    length = {"Inference-Header-Content-Length": str(len(header)), "Content-Type": "application/octet-stream"}
    return header + raw, length


@contextmanager
def http_asker(server: Server, model: str, arrays: Mapping[str, Any], binary: bool) -> Iterator[Ask]:
    """One connection that sends the same request again and again."""
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=60)
    content, headers = body_of(arrays, binary)

    def ask() -> None:
        connection.request("POST", f"/v2/models/{model}/infer", content, headers)
        response = connection.getresponse()
        answer = response.read()
        assert response.status == 200, answer

    yield ask
    connection.close()


@contextmanager
def grpc_asker(server: Server, model: str, arrays: Mapping[str, Any]) -> Iterator[Ask]:
    """One channel that sends the same request again and again."""
    client = connect(Endpoint(f"http://127.0.0.1:{server.grpc_port}", model), grpc=True)
    yield lambda: client.predict(dict(arrays)) and None
    client.close()


def cpu_seconds(session: int) -> float:
    """What the processes of a session have used so far."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            facts = stat.read_text().rpartition(") ")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(facts[3]) == session:
            total += int(facts[11]) + int(facts[12])
    return total / _TICKS


def measured(
    server: Server, model: str, protocol: str, clients: int, seconds: float, arrays: Mapping[str, Any]
) -> Measured:
    """One cell: `clients` connections that ask as fast as they are answered, each warmed by one request."""

    def one(_: int) -> list[float]:
        opened = (
            grpc_asker(server, model, arrays)
            if protocol == "gRPC"
            else http_asker(server, model, arrays, protocol == "binary")
        )
        took = []
        with opened as ask:
            ask()
            while time.monotonic() < end:
                began = time.perf_counter()
                ask()
                took.append(1000 * (time.perf_counter() - began))
        return took

    before, end = cpu_seconds(server.process.pid), time.monotonic() + seconds
    with ThreadPoolExecutor(clients) as pool:
        took = sorted(value for values in pool.map(one, range(clients)) for value in values)
    used = max(cpu_seconds(server.process.pid) - before, 1 / _TICKS)
    p50, p99 = took[len(took) // 2], took[int(0.99 * (len(took) - 1))]
    return Measured((len(took) + clients) / used, p50, p99, len(took) / seconds)


def row_of(shape: Sequence[int]) -> dict[str, Any]:
    """The input `x` of the models that are made for measuring."""
    return {"x": np.random.default_rng(0).standard_normal(tuple(shape)).astype(np.float32)}


def spread(ratios: Sequence[float]) -> str:
    """Their median, with the smallest and the largest in brackets."""
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
