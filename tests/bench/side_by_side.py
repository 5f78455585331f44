"""An entry's original, variants of it and other programs' models: asked its evaluation set and timed in one run.

Speed-ups refer to the first subject of the run. Whatever answers other than the evaluation set asks for is a line in
the table all the same: its quality stands beside its speed.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from modelyard.builder.evaluation.evaluation_set import write_arrays
from modelyard.builder.evaluation.metrics import quality
from modelyard.builder.inference.benchmark import BenchmarkPlan, BenchmarkResult, Subject, measure
from modelyard.builder.inference.hardware import cores
from modelyard.builder.inference.predict import Question, ask
from modelyard.builder.optimization.baseline import Baseline, read_baseline
from modelyard.builder.optimization.optimizer import OptimizationOutcome, OptimizationRequest, optimize
from modelyard.builder.optimization.pass_api import Precision
from modelyard.builder.optimization.search.recipes import recipes
from modelyard.builder.optimization.training.recipe import FILE
from modelyard.builder.optimization.training.starting_points import begin

BOUND = 0.01
PRECISIONS = (Precision.FP32, Precision.INT8)
BATCHES = (1, 8)


@dataclass(frozen=True)
class Asked:
    """An entry whose evaluation set is ready for any model that claims to be it."""

    baseline: Baseline
    inputs: Path
    scratch: Path

    def quality(self, name: str, model: Path) -> float:
        """The entry's own metric of another model's answers."""
        evaluation = self.baseline.evaluation()
        assert evaluation is not None, f"{self.baseline.name} has no eval.npz"
        question = Question(self.inputs, cores(), self.baseline.batchable)
        return quality(evaluation, ask(model, question, self.scratch / "asked" / name, 120).outputs)

    def timed(self, subjects: Sequence[Subject], seconds: float, rounds: int = 11) -> BenchmarkResult:
        """All subjects in the same rounds, which end after about so many seconds."""
        plan = BenchmarkPlan(
            inputs=self.inputs, batches=BATCHES, batchable=self.baseline.batchable, threads=cores(), seed=1,
            deadline=time.monotonic() + seconds, rounds=rounds,
        )  # fmt: skip
        return measure(subjects, plan, self.scratch / "timing")


def asked(entry: Path, scratch: Path) -> Asked:
    """The entry, taken in as `modelyard optimize` does."""
    baseline = read_baseline(entry, scratch / "entry", 120)
    return Asked(baseline, write_arrays(baseline.arrays("input"), scratch / "inputs.npz"), scratch)


def optimized(entry: Path, scratch: Path, budget: float) -> OptimizationOutcome:
    """What `modelyard optimize` makes of the entry within `budget` seconds, with its training recipe if it has one."""
    order = OptimizationRequest(entry, "latency", BOUND, PRECISIONS, budget, 1, scratch / "out")
    order.out.mkdir(parents=True, exist_ok=True)
    if not (entry / FILE).exists():
        return optimize(order, recipes, scratch / "variants")
    begun = begin(order, trust_code=True, tell=lambda _: None)
    return optimize(replace(begun.request, references=()), begun.recipes, scratch / "variants")


def size(model: Path) -> int:
    """Bytes of a model file with the weights beside it that carry its name."""
    weights = [path for path in (model.with_suffix(".bin"), Path(f"{model}.data")) if path.exists()]
    return sum(path.stat().st_size for path in (model, *weights))


@dataclass(frozen=True)
class Row:
    """What is told of a subject beside its times; None where there is nothing to tell."""

    name: str
    bytes: int | None = None
    quality: float | None = None


def table(rows: Sequence[Row], found: BenchmarkResult, metric: str) -> list[str]:
    """Lines of Markdown; the first row is what speed-ups refer to."""
    first = found.timings[rows[0].name]
    lines = [
        f"| model | MB | {metric} | batch 1, p50 ms | times {rows[0].name} (spread) | batch 8, p50 ms | times |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        timing = found.timings.get(row.name)
        told = ["" if row.bytes is None else f"{row.bytes / 1e6:.1f}"]
        told.append("" if row.quality is None else f"{row.quality:.4f}")
        if timing is None:
            lines.append(f"| {row.name} | {' | '.join(told)} | {found.lost.get(row.name, 'not timed')} | | | |")
            continue
        one, eight = timing.latency[1].p50, timing.latency[8].p50
        told += [f"{one:.3f}", f"{timing.speedup:.2f} ({timing.speedup_spread:.0%})"]
        told += [f"{eight:.3f}", f"{first.latency[8].p50 / eight:.2f}"]
        lines.append(f"| {row.name} | {' | '.join(told)} |")
    load = f"{found.other_load:.0%} of the cores"
    lines.append(f"\n{found.rounds} rounds; other programs used {load}{'' if found.quiet else ': not quiet'}.")
    return lines
