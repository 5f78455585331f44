"""`python -m tests.bench.serving.sdk`: what a call of `modelyard.Client` costs beside tritonclient's own.

One row to models of three sizes behind one Triton on this machine, by the client and by tritonclient, each in blocks of
calls in turn, so that both meet the same machine. The table has the median time of a call, the ratio of every pair of
neighbouring blocks (median, smallest and largest), and the CPU time that a call takes in the client's process.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tritonclient import grpc, http

from modelyard import Client
from modelyard.builder.triton.install import triton_home
from modelyard.builder.triton.server import TritonServer, running
from tests.support.artifacts.heavy_models import convolutions, perceptron
from tests.support.servers.triton_homes import save_for_triton

MODELS = {
    "tiny (64 -> 32)": ("tiny", lambda: perceptron(64, 32)),
    "mlp (784 -> 1,700)": ("mlp", lambda: perceptron(784, 1700)),
    "conv (48 channels, 6 layers)": ("conv", lambda: convolutions(48, 6)),
}
Call = Callable[[], object]


def ours(client: Client, model: str, rows: np.ndarray) -> Call:
    return lambda: client.predict(model, rows)


def theirs(module: object, client: object, model: str, names: tuple[str, str], rows: np.ndarray) -> Call:
    """One inference as tritonclient's examples write it."""

    def call() -> object:
        tensor = module.InferInput(names[0], list(rows.shape), "FP32")  # type: ignore[attr-defined]
        tensor.set_data_from_numpy(rows)
        return client.infer(model, [tensor]).as_numpy(names[1])  # type: ignore[attr-defined]

    return call


def measured(pair: tuple[Call, Call], rounds: int, calls: int) -> tuple[list[float], list[list[float]], list[float]]:
    """Of ours and theirs: median seconds of a call in each round, and CPU seconds of a call in all."""
    for call in pair:
        for _ in range(20):
            call()
    times: list[list[float]] = [[], []]
    cpu = [0.0, 0.0]
    for turn in range(rounds):
        for side in (0, 1) if turn % 2 else (1, 0):
            block, begun = [], time.process_time()
            for _ in range(calls):
                start = time.perf_counter()
                pair[side]()
                block.append(time.perf_counter() - start)
            cpu[side] += time.process_time() - begun
            times[side].append(statistics.median(block))
    ratios = [a / b for a, b in zip(*times, strict=True)]
    return ratios, times, [seconds / (rounds * calls) for seconds in cpu]


def rows(server: TritonServer, given: argparse.Namespace) -> None:
    """Prints a line for each model and protocol."""
    over_http = http.InferenceServerClient(f"127.0.0.1:{server.http_port}")
    over_grpc = grpc.InferenceServerClient(f"127.0.0.1:{server.grpc_port}")
    grpc_url = f"http://127.0.0.1:{server.grpc_port}"
    with Client(server.url) as plain, Client(grpc_url, protocol="grpc") as channel:
        for title, (model, _) in MODELS.items():
            described = plain.describe(model)
            names = (described.inputs[0].name, described.outputs[0].name)
            shape = [1 if size == -1 else size for size in described.inputs[0].shape]
            array = np.random.default_rng(0).random(shape, dtype=np.float32)
            pairs = {
                "HTTP": (ours(plain, model, array), theirs(http, over_http, model, names, array)),
                "gRPC": (ours(channel, model, array), theirs(grpc, over_grpc, model, names, array)),
            }
            for protocol, pair in pairs.items():
                ratios, times, cpu = measured(pair, given.rounds, given.calls)
                middle = [statistics.median(side) * 1e3 for side in times]
                spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
                print(
                    f"| {title}, {protocol} | {spread} | {middle[0]:.2f} / {middle[1]:.2f} |"
                    f" {cpu[0] * 1e3:.2f} / {cpu[1] * 1e3:.2f} |",
                    flush=True,
                )


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--calls", type=int, default=50)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for model, made in MODELS.values():
            save_for_triton(made(), "max_batch_size: 64\n", root / "repository" / model)
        print("| | ours / tritonclient | ms a call | CPU ms a call |\n|---|---|---|---|")
        with running(triton_home(), root / "repository", "tiny", root / "triton.log") as server:
            rows(server, given)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
