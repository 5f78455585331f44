"""`search`: how near the best setting of the passes `modelyard optimize --search` comes in a quarter of the time.

grid     every configuration of the space is made, asked and judged, and all that keep the quality are timed in
         one interleaved run; its time is that of both
search   `optimize` with `search`, whose budget is a quarter of the grid's time, timing and all; once a seed
ratio    speed-up of the configuration a search chose over that of the best, both as the grid timed them
"""

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from modelyard.api.optimization import ORIGINAL, RUNTIMES
from modelyard.builder.inference.benchmark import BenchmarkResult
from modelyard.builder.inference.hardware import this_machine
from modelyard.builder.optimization.optimizer import PASSES, OptimizationRequest, optimize
from modelyard.builder.optimization.pass_api import Precision, Recipe
from modelyard.builder.optimization.search.recipes import recipes
from modelyard.builder.optimization.search.space import Configuration, Space, space_of
from modelyard.builder.optimization.trials.pass_runner import registry
from modelyard.builder.optimization.trials.timing import TimingBudget, timed
from modelyard.builder.optimization.trials.trial import Bench, original, run_trial

from .side_by_side import BOUND, Asked, asked

PRECISIONS = (Precision.FP32, Precision.FP16, Precision.INT8, Precision.INT4)
SHARE, GOAL = 0.25, 0.95
MAKING_SECONDS, TIMING_SECONDS, ROUNDS = 120.0, 240.0, 7
SPACE = space_of(recipes(PRECISIONS, lossless_only=False), registry(PASSES))


@dataclass(frozen=True)
class Grid:
    """Speed-ups of what kept the quality, how many configurations there were, and the seconds it took."""

    speedups: Mapping[Configuration | None, float]
    tried: int
    making: float
    timing: float
    measured: BenchmarkResult

    @property
    def seconds(self) -> float:
        return self.making + self.timing


def against_grid(entry: Path, scratch: Path, seeds: int) -> Iterator[str]:
    """Lines of Markdown."""
    grid = the_grid(asked(entry, scratch / "grid"))
    best = max(grid.speedups.values())
    yield (
        f"{entry}: {grid.tried} settings, {len(grid.speedups) - 1} keep the quality; grid {grid.seconds:.0f} s "
        f"({grid.making:.0f} s making, {grid.timing:.0f} s timing, {grid.measured.rounds} rounds, others used "
        f"{grid.measured.other_load:.0%} of the cores); best {best:.2f} times the original.\n"
    )
    yield "| seed | seconds | share of the grid's | settings searched | chosen | times the original | of the best |"
    yield "|---|---|---|---|---|---|---|"
    ratios = []
    for seed in range(1, seeds + 1):
        order = OptimizationRequest(
            entry, "latency", BOUND, PRECISIONS, SHARE * grid.seconds, seed, scratch / f"out-{seed}", search=True
        )
        order.out.mkdir(parents=True)
        outcome = optimize(order, recipes, scratch / f"variants-{seed}")
        variant = next(one for one in outcome.variants if one.name == outcome.chosen.name)
        steps = tuple((name, params) for step in variant.steps for name, params in step.items())
        speedup = grid.speedups.get(configuration_of(SPACE, steps), 0.0)
        ratios.append(speedup / best)
        yield (
            f"| {seed} | {outcome.spent:.0f} | {outcome.spent / grid.seconds:.0%} | {outcome.search_result.drawn} "
            f"| {variant.name} | {speedup:.2f} | {ratios[-1]:.1%} |"
        )
    middle, worst = statistics.median(ratios), min(ratios)
    yield (
        f"\nMedian {middle:.1%}, worst {worst:.1%}, best {max(ratios):.1%} of the best setting in {SHARE:.0%} of the "
        f"grid's time (goal {GOAL:.0%}): {'reached' if worst >= GOAL else 'MISSED'}."
    )


def the_grid(ready: Asked) -> Grid:
    """Every configuration made, and those that keep the quality timed."""
    baseline = ready.baseline
    bench = Bench(
        baseline=baseline, hardware=this_machine(), evaluation=baseline.evaluation(), inputs=ready.inputs, bound=BOUND,
        seed=1, passes=PASSES, runtimes=RUNTIMES, scratch=ready.scratch / "made",
    )  # fmt: skip
    begun = time.monotonic()
    first = original(bench, MAKING_SECONDS)
    trials = {
        one: run_trial(bench, SPACE.recipe(f"grid-{place}", one), first, MAKING_SECONDS)
        for place, one in enumerate(SPACE.all())
    }
    made = time.monotonic()
    good = {one: trial for one, trial in trials.items() if trial.path and trial.refused is None}
    found = timed(
        bench, [first, *good.values()], made + TIMING_SECONDS, TimingBudget(rounds=ROUNDS), lambda _: None, "latency"
    )
    timings = found.timings
    speedups: dict[Configuration | None, float] = {None: timings[ORIGINAL].speedup}
    speedups |= {one: timings[trial.name].speedup for one, trial in good.items() if trial.name in timings}
    return Grid(speedups, len(trials), made - begun, time.monotonic() - made, found)


def configuration_of(space: Space, steps: Sequence[tuple[str, Mapping[str, object]]]) -> Configuration | None:
    """The configuration of a variant's steps; None for the original."""
    return space.of(Recipe("chosen", tuple(steps))) if steps else None
