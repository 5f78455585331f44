"""`python -m tests.bench.serving.against_servers`: requests per CPU second beside servers that people write themselves.

The same ONNX file behind Triton with the compiled backend, KServe's ModelServer and FastAPI, each stock and told to use
one thread, all asked in turn in every round (see `closed_loop`). A cell counts within the objective when the slower of
the two answered 99 % of its requests in `--slo` milliseconds. Last, onnxruntime in a process of its own without any
server, at the same concurrency. Real models and what the platform made of them: `--model NAME=FILE[=ARTIFACT]`, FILE
what the others serve, ARTIFACT a folder that `modelyard build` or `modelyard optimize` wrote for Triton.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.builder.evaluation.sample_inputs import sample
from modelyard.builder.inspection.model_file import inspect
from modelyard.builder.triton.install import triton_home
from modelyard.builder.triton.server import running
from tests.bench.serving.closed_loop import PROTOCOLS, Measured, Server, measured, spread
from tests.bench.serving.servers.started import FOLDER, fastapi_server, kserve_server
from tests.support.artifacts.heavy_models import convolutions, perceptron
from tests.support.artifacts.onnx_models import saved
from tests.support.servers.triton_homes import triton_folder

AUTHOR = "max_batch_size: 64\ndynamic_batching { }\n"
MADE = {"tiny": lambda: perceptron(64, 32), "mlp": lambda: perceptron(784, 1700), "conv": lambda: convolutions(48, 6)}
OURS = "modelyard"
JSON_ONLY = ("FastAPI", "FastAPI, 1 thread")


@dataclass(frozen=True)
class Subject:
    """A model, as the others serve it (`file`) and as Triton does (`repository`/`name`)."""

    name: str
    file: Path
    repository: Path

    @property
    def arrays(self) -> dict[str, Any]:
        """One row."""
        found = sample(inspect(self.file).inputs, 64, "random", 0, 1)
        assert found is not None
        return found


def subject(given: str, scratch: Path) -> Subject:
    """What a `--model` names."""
    name, _, rest = given.partition("=")
    file, _, artifact = rest.partition("=")
    path = Path(file) if file else saved(MADE[name](), scratch / f"{name}.onnx")
    repository = scratch / f"{name}-repository"
    if artifact:
        repository.mkdir()
        (repository / name).symlink_to(_served(Path(artifact)).absolute())
    else:
        triton_folder(path, AUTHOR, repository / name)
    return Subject(name, path, repository)


def _served(artifact: Path) -> Path:
    """The folder of the artifact that has the configuration."""
    found = sorted(artifact.rglob("config.pbtxt"))
    if len(found) != 1:
        raise SystemExit(f"{artifact} should hold one config.pbtxt, but holds {len(found)}.")
    return found[0].parent


def rows(one: Subject, servers: dict[str, Server], given: argparse.Namespace) -> Iterator[str]:
    """A line for each protocol, number of clients and other server."""
    arrays = one.arrays
    for protocol in PROTOCOLS:
        asked = {name: server for name, server in servers.items() if protocol == "JSON" or name not in JSON_ONLY}
        for clients in given.clients:
            found: dict[str, list[Measured]] = {name: [] for name in asked}
            for turn in range(given.rounds):
                for name in sorted(asked, reverse=bool(turn % 2)):
                    found[name].append(measured(asked[name], one.name, protocol, clients, given.seconds, arrays))
            for name in asked:
                if name != OURS:
                    yield _row(f"{protocol}, {clients}", name, found[OURS], found[name], given.slo)


def _row(cell: str, name: str, ours: list[Measured], theirs: list[Measured], slo: float) -> str:
    ratios = [a.per_cpu_second / b.per_cpu_second for a, b in zip(ours, theirs, strict=True)]
    p99 = [statistics.median(one.p99 for one in side) for side in (ours, theirs)]
    rate = [statistics.median(one.per_cpu_second for one in side) for side in (ours, theirs)]
    within = "yes" if max(p99) <= slo else f"no: {'both' if min(p99) > slo else name if p99[1] > slo else OURS}"
    return (
        f"| {cell} | {name} | {spread(ratios)} | {rate[0]:.0f} / {rate[1]:.0f} | {p99[0]:.1f} / {p99[1]:.1f} |"
        f" {within} |"
    )


def in_process(one: Subject, server: Server, given: argparse.Namespace, scratch: Path) -> str:
    """Triton over gRPC beside onnxruntime alone, per CPU second and per second."""
    inputs, clients = scratch / f"{one.name}.npz", given.clients[-1]
    np.savez(inputs, **one.arrays)
    model = next(iter(sorted(one.repository.rglob("*.onnx"))), one.file)
    cpu, wall = [], []
    for _ in range(given.rounds):
        ours = measured(server, one.name, "gRPC", clients, given.seconds, one.arrays)
        words = [sys.executable, str(FOLDER / "in_process_program.py"), model, inputs, clients, given.seconds]
        alone = json.loads(subprocess.run([str(word) for word in words], capture_output=True, check=True).stdout)
        cpu.append(ours.per_cpu_second / alone["perCpuSecond"])
        wall.append(ours.per_second / alone["perSecond"])
    return f"| {one.name}, {clients} | {spread(cpu)} | {spread(wall)} |"


def main() -> int:
    """Prints a table for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", help=f"one of {', '.join(MADE)}, or NAME=FILE[=ARTIFACT]")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--slo", type=float, default=50.0, help="milliseconds for 99 %% of the requests")
    given = parser.parse_args()
    home, alone = triton_home(print), []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for one in [subject(named, scratch) for named in given.model or MADE]:
            print(f"\n{one.name}: {OURS} / the other\n")
            print(
                "| | server | requests per CPU second | each | p99, ms | in the objective |\n|---|---|---|---|---|---|"
            )
            with ExitStack() as stack:
                servers: dict[str, Server] = {
                    OURS: stack.enter_context(running(home, one.repository, one.name, scratch / "triton.log"))
                }
                for kind, start in (("KServe ModelServer", kserve_server), ("FastAPI", fastapi_server)):
                    for threads, words in ((0, ""), (1, ", 1 thread")):
                        log = scratch / f"{kind}{threads}.log"
                        servers[kind + words] = stack.enter_context(start(one.name, one.file, threads, log))
                for line in rows(one, servers, given):
                    print(line, flush=True)
                alone.append(in_process(one, servers[OURS], given, scratch))
    print("\n| gRPC / onnxruntime in one process | requests per CPU second | requests per second |\n|---|---|---|")
    print("\n".join(alone))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
