"""`python -m tests.bench.serving.defaults`: what config.pbtxt says by default against other settings, as Markdown.

One Triton with the same model under several settings, asked in turn in every round. Requests per CPU second count the
server's processes alone. Ratios to what is served today are medians over the rounds, extremes in brackets.
"""

import argparse
import os
import statistics
import tempfile
from pathlib import Path

from modelyard.builder.triton.install import triton_home
from modelyard.builder.triton.server import TritonServer, running
from tests.bench.serving.backends import ROWS
from tests.bench.serving.closed_loop import Measured, measured, row_of, spread
from tests.support.artifacts.heavy_models import convolutions, perceptron
from tests.support.servers.triton_homes import save_for_triton

CPUS = len(os.sched_getaffinity(0))
TODAY = "today"
BATCHES = "max_batch_size: 64\ndynamic_batching { }\n"


def threads(count: int) -> str:
    """The setting that gives every instance so many threads."""
    return f'parameters {{ key: "intra_op_thread_count" value {{ string_value: "{count}" }} }}\n'


def instances(count: int) -> str:
    """The setting that runs so many requests at a time."""
    return f"instance_group {{ count: {count} }}\n"


SETTINGS = {
    TODAY: BATCHES + instances(1),
    "1 thread": BATCHES + instances(1) + threads(1),
    f"{CPUS} instances of 1 thread": BATCHES + instances(CPUS) + threads(1),
    "batches of 16": BATCHES.replace("64", "16") + instances(1),
    "no batches": "max_batch_size: 64\n" + instances(CPUS) + threads(1),
}


MODELS = {"digits": perceptron(64, 32), "mlp": perceptron(784, 1700), "conv": convolutions(48, 6)}
SHAPES = {**ROWS, "conv": (1, 1, 16, 16)}


def row(server: TritonServer, model: str, clients: int, rounds: int, seconds: float) -> list[str]:
    """A line for each setting that is not today's."""
    found: dict[str, list[Measured]] = {name: [] for name in SETTINGS}
    for turn in range(rounds):
        for number, name in sorted(enumerate(SETTINGS), reverse=bool(turn % 2)):
            found[name].append(measured(server, f"{model}-{number}", "binary", clients, seconds, row_of(SHAPES[model])))
    lines = []
    for name in SETTINGS:
        ratios = [new.per_cpu_second / old.per_cpu_second for new, old in zip(found[name], found[TODAY], strict=True)]
        p50, p99 = (statistics.median(getattr(one, of) for one in found[name]) for of in ("p50", "p99"))
        rate = statistics.median(one.per_second for one in found[name])
        lines.append(f"| {model}, {clients} | {name} | {spread(ratios)} | {rate:.0f} | {p50:.2f} | {p99:.2f} |")
    return lines


def main() -> int:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--models", nargs="*", default=[*MODELS])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root, home = Path(scratch), triton_home(print)
        for model in options.models:
            for number, author in enumerate(SETTINGS.values()):
                save_for_triton(MODELS[model], author, root / "repository" / f"{model}-{number}")
        with running(home, root / "repository", f"{options.models[-1]}-0", root / "triton.log") as server:
            print("| model, clients | settings | requests per CPU second | requests/s | p50, ms | p99, ms |")
            print("|---|---|---|---|---|---|")
            for model in options.models:
                for clients in (1, 8, 32):
                    print("\n".join(row(server, model, clients, options.rounds, options.seconds)), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
