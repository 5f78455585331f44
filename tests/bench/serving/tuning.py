"""`python -m tests.bench.serving.tuning`: what ten measurements find against a whole grid of settings, as Markdown.

Both in one run on the same server: first the tuner, then every setting of the grid, each until its capacity is known.
What the tuner chose and the grid's best are measured once more in turn, three times, and the medians count.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from modelyard.builder.triton.install import triton_home
from modelyard.builder.triton.instance_settings import settings_of
from modelyard.builder.triton.v2_http import encode
from modelyard.builder.tuning.bench import LatencyTarget, TuningBench, bench
from modelyard.builder.tuning.tuner import settings_from, tuned
from modelyard.core.tuning.settings import ServerSettings, SettingsSpace, space_of
from tests.bench.serving.defaults import MODELS, SHAPES
from tests.support.servers.triton_homes import save_for_triton

AUTHOR = "max_batch_size: 64\ndynamic_batching { }\n"


def grid_best(server: TuningBench, space: SettingsSpace) -> ServerSettings:
    """The settings with the highest capacity of all there are."""
    capacities = {settings: server.measure(settings)[0].capacity for settings in space.everything()}
    return max(capacities, key=lambda settings: capacities[settings])


def row(home: Path, model: str, milliseconds: float, cpus: int, seconds: float) -> str:
    """One model and objective."""
    with tempfile.TemporaryDirectory() as scratch:
        save_for_triton(MODELS[model], AUTHOR, Path(scratch, model))
        config = Path(scratch, model, "config.pbtxt").read_text()
        objective = LatencyTarget(99.0, milliseconds / 1000.0)
        space = space_of(settings_of(config, cpus), cpus, 64, objective.threshold)
        body = encode({"x": np.ones(SHAPES[model], np.float32)}, binary_outputs=True)
        with bench(home, Path(scratch), model, body, objective, cpus) as server:
            server.seconds = seconds
            began = time.monotonic()
            tuning = tuned(server, space, objective, print)
            spent = time.monotonic() - began
            best = grid_best(server, space)
            both = (settings_from(tuning), best)
            again = [[server.measure(settings)[0].capacity for settings in both] for _ in range(3)]
            whole = time.monotonic() - began - spent
    ours, theirs = (statistics.median(column) for column in zip(*again, strict=True))
    share = f"{ours / theirs:.2f}" if theirs else "-"
    times = f"{spent:.0f} s / {whole:.0f} s"
    return f"| {model}, {tuning.at} | {both[0]}: {ours:.0f} | {best}: {theirs:.0f} | {share} | {times} |"


def main() -> int:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", default=["mlp=100", "conv=150"], help="MODEL=MILLISECONDS")
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each rate at most")
    options = parser.parse_args()
    print("| model, objective | tuner: requests/s | grid: requests/s | share | time |\n|---|---|---|---|---|")
    for model in options.models:
        name, milliseconds = model.split("=")
        print(row(triton_home(print), name, float(milliseconds), options.cpus, options.seconds), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
