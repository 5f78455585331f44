"""`python -m tests.bench.serving.backends`: the compiled onnxruntime backend against that in Python, as Markdown.

Two Tritons with the same models, asked in turn in every round (see `closed_loop`). Ratios are medians over the rounds,
with the smallest and the largest in brackets.
"""

import argparse
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

from modelyard.builder.triton.install import triton_home
from modelyard.builder.triton.server import TritonServer, running
from tests.bench.serving.closed_loop import PROTOCOLS, Measured, measured, row_of, spread
from tests.support.artifacts.heavy_models import perceptron
from tests.support.servers.triton_homes import home_with_python_backend, save_for_triton

BATCHING = "max_batch_size: 32\ndynamic_batching { }\n"
ROWS = {"digits": (1, 64), "mlp": (1, 784)}
CLIENTS = (1, 8, 32)


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
            for protocol in PROTOCOLS:
                for clients in CLIENTS:
                    print(row(servers, model, protocol, clients, options.rounds, options.seconds), flush=True)
    return 0


def row(servers: dict[str, TritonServer], model: str, protocol: str, clients: int, rounds: int, seconds: float) -> str:
    """One cell of each server in turn, `rounds` times."""
    found: dict[str, list[Measured]] = {name: [] for name in servers}
    for turn in range(rounds):
        for name in sorted(servers, reverse=bool(turn % 2)):
            found[name].append(measured(servers[name], model, protocol, clients, seconds, row_of(ROWS[model])))
    ratios = [
        new.per_cpu_second / old.per_cpu_second for new, old in zip(found["compiled"], found["Python"], strict=True)
    ]
    p50, p99 = (
        " / ".join(f"{statistics.median(getattr(one, name) for one in found[which]):.2f}" for which in servers)
        for name in ("p50", "p99")
    )
    return f"| {protocol}, {clients} | {spread(ratios)} | {p50} | {p99} |"


if __name__ == "__main__":
    raise SystemExit(main())
