"""`python -m tests.bench.serving.backends`: the compiled onnxruntime backend against that in Python, as Markdown.

Two Tritons with the same models, asked in turn in every round. Requests per CPU second count what the whole process
tree of the server used; the client's own CPU time is not in it, though it shares the cores. Ratios are medians over
the rounds, with the smallest and the largest in brackets.
"""

import argparse
import http.client
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from modelyard.builder.triton.install import triton_home
from modelyard.builder.triton.server import TritonServer, running
from modelyard.builder.triton.v2_http import encode
from modelyard.clients.inference.predictions import Endpoint, connect
from tests.support.artifacts.heavy_models import perceptron
from tests.support.servers.triton_homes import home_with_python_backend, save_for_triton

BATCHING = "max_batch_size: 32\ndynamic_batching { }\n"
TICKS = os.sysconf("SC_CLK_TCK")
ROWS = {"digits": (1, 64), "mlp": (1, 784)}
CLIENTS = (1, 8, 32)
Ask = Callable[[], None]


class Measured(NamedTuple):
    """Of one cell: requests per CPU second of the server, latencies in milliseconds, and requests per second."""

    per_cpu_second: float
    p50: float
    p99: float
    per_second: float


@contextmanager
def http_asker(server: TritonServer, model: str, array: np.ndarray, binary: bool) -> Iterator[Ask]:
    """One connection that sends the same request again and again."""
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=60)
    headers: dict[str, str] = {}
    if binary:
        body = encode({"x": array}, binary_outputs=True)
        content, headers = body.content, body.headers
    else:
        tensor = {"name": "x", "datatype": "FP32", "shape": list(array.shape), "data": array.ravel().tolist()}
        content = json.dumps({"inputs": [tensor]}).encode()

    def ask() -> None:
        connection.request("POST", f"/v2/models/{model}/infer", content, headers)
        response = connection.getresponse()
        answer = response.read()
        assert response.status == 200, answer

    yield ask
    connection.close()


@contextmanager
def grpc_asker(server: TritonServer, model: str, array: np.ndarray) -> Iterator[Ask]:
    """One channel that sends the same request again and again."""
    client = connect(Endpoint(f"http://127.0.0.1:{server.grpc_port}", model), grpc=True)

    def ask() -> None:
        client.predict({"x": array})

    yield ask
    client.close()


def cpu_seconds(group: int) -> float:
    """What the processes of a session have used so far."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            facts = stat.read_text().rpartition(") ")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(facts[3]) == group:
            total += int(facts[11]) + int(facts[12])
    return total / TICKS


def measured(
    server: TritonServer, model: str, protocol: str, clients: int, seconds: float, shape: tuple[int, ...]
) -> Measured:
    """One cell: `clients` connections that ask as fast as they are answered."""
    array = np.random.default_rng(0).standard_normal(shape).astype(np.float32)

    def one(_: int) -> list[float]:
        opened = (
            grpc_asker(server, model, array)
            if protocol == "gRPC"
            else http_asker(server, model, array, protocol == "binary")
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
    used = max(cpu_seconds(server.process.pid) - before, 1 / TICKS)
    p50, p99 = took[len(took) // 2], took[int(0.99 * (len(took) - 1))]
    return Measured(len(took) / used, p50, p99, len(took) / seconds)


def main() -> int:
    """Prints a table for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        root, home = Path(scratch), triton_home(print)
        save_for_triton(perceptron(64, 32), BATCHING, root / "repository" / "digits")
        save_for_triton(perceptron(784, 1700), BATCHING, root / "repository" / "mlp")
        homes = {"compiled": home, "Python": home_with_python_backend(home, root / "python")}
        servers = {
            name: stack.enter_context(running(folder, root / "repository", "mlp", root / f"{name}.log"))
            for name, folder in homes.items()
        }
        for model in ROWS:
            print(
                f"\n{model}: compiled / Python\n\n| | requests per CPU second | p50, ms | p99, ms |\n|---|---|---|---|"
            )
            for protocol in ("JSON", "binary", "gRPC"):
                for clients in CLIENTS:
                    print(row(servers, model, protocol, clients, options.rounds, options.seconds), flush=True)
    return 0


def row(servers: dict[str, TritonServer], model: str, protocol: str, clients: int, rounds: int, seconds: float) -> str:
    """One cell of each server in turn, `rounds` times."""
    found: dict[str, list[Measured]] = {name: [] for name in servers}
    for turn in range(rounds):
        for name in sorted(servers, reverse=bool(turn % 2)):
            found[name].append(measured(servers[name], model, protocol, clients, seconds, ROWS[model]))
    ratios = [
        new.per_cpu_second / old.per_cpu_second for new, old in zip(found["compiled"], found["Python"], strict=True)
    ]
    ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
    p50, p99 = (
        " / ".join(f"{statistics.median(getattr(one, name) for one in found[which]):.2f}" for which in servers)
        for name in ("p50", "p99")
    )
    return f"| {protocol}, {clients} | {ratio} | {p50} | {p99} |"


if __name__ == "__main__":
    raise SystemExit(main())
