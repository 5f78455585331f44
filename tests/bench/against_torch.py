"""`minilm`, `resnet`: what optimizing gains over torch, everything in one interleaved run.

Subjects: torch eager (what speed-ups refer to), torch.compile, the original in onnxruntime, and the variants that
`modelyard optimize` chooses: of all, and of those onnxruntime runs. An entry with a training recipe is trained first.
With `chosen`, a folder that `modelyard optimize` wrote is taken instead and nothing is optimized here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modelyard.api.optimization import ORIGINAL
from modelyard.builder.inference.benchmark import BenchmarkResult, Subject
from modelyard.builder.optimization.optimizer import OptimizationOutcome
from modelyard.builder.optimization.search.selection import choose
from modelyard.builder.optimization.training.recipe import FILE
from modelyard.builder.optimization.training.torch_baseline import EAGER, references
from modelyard.builder.optimization.training.training_run import training_run_of

from .side_by_side import BOUND, Asked, Row, asked, optimized, size, table
from .torch_reference import MINILM, ROOT, minilm_in_torch

TIMING_SECONDS = 480.0
"""Until the last round may begin, loading and compiling included; eleven rounds end long before on a quiet machine."""


@dataclass(frozen=True)
class Goal:
    """What an entry's best variant is to reach; `loss` is the largest share of the quality."""

    entry: Path
    speedup: float
    loss: float
    shrink: float = 1.0


GOALS = {
    "minilm": Goal(MINILM / "1", 3.0, 0.01),
    "resnet": Goal(ROOT / "model-repo" / "resnet18-digits" / "1", 6.0, 0.01, 4.0),
}


def against_torch(goal: Goal, scratch: Path, budget: float, chosen: Path | None) -> Iterator[str]:
    """Lines of Markdown."""
    if not (goal.entry / "model.onnx").exists():
        yield f"{goal.entry} has no model.onnx; type `make entries`, which makes it."
        return
    ready = asked(goal.entry, scratch)
    models = {ORIGINAL: ready.baseline.artifact.path}
    if chosen:
        models["chosen"] = model_of(chosen)
    else:
        outcome = optimized(goal.entry, scratch, budget)
        yield f"modelyard optimize: {outcome.chosen.name}, {outcome.chosen.reason}\n"
        models |= candidates(outcome)
    compared = in_torch(goal.entry, scratch)
    found = ready.timed([*compared, *(Subject(name, path) for name, path in models.items())], TIMING_SECONDS)
    if EAGER in found.lost or found.rounds == 0:
        yield f"There is nothing to compare with: {found.lost.get(EAGER, 'not one round of timing was done')}"
        return
    rows = [_row(name, path, ready) for name, path in models.items()]
    yield from table([*(Row(one.name) for one in compared), *rows], found, ready.baseline.metric)
    yield from _verdict(goal, rows, found)


def in_torch(entry: Path, scratch: Path) -> list[Subject]:
    """The entry's network in torch, eager first."""
    if not (entry / FILE).exists():
        return minilm_in_torch(scratch)
    found = references(training_run_of(entry, scratch / "out"), lambda _: None)
    return [Subject(one.name, one.model, one.program) for one in found]


def candidates(outcome: OptimizationOutcome) -> dict[str, Path]:
    """The chosen variant, and the one that would be when only onnxruntime may run it, by name."""
    ours = [one for one in outcome.variants if one.runtime == "onnxruntime"]
    names = dict.fromkeys((outcome.chosen.name, choose(ours, outcome.request.goal, BOUND).name))
    names.pop(ORIGINAL, None)
    return {name: model_of(outcome.folders[name][0]) for name in names}


def model_of(folder: Path) -> Path:
    """The model file in a folder of a variant."""
    return next(folder / name for name in ("model.onnx", "model.xml") if (folder / name).exists())


def _row(name: str, path: Path, ready: Asked) -> Row:
    return Row(name, size(path), ready.quality(name, path))


def _verdict(goal: Goal, rows: list[Row], found: BenchmarkResult) -> Iterator[str]:
    """The best of those that keep the quality, held against the goal."""
    original = rows[0]
    least = (original.quality or 0.0) * (1 - goal.loss)
    good = [row for row in rows if (row.quality or 0.0) >= least and row.name in found.timings]
    if not good:
        yield f"\nNothing that keeps the quality could be timed: {dict(found.lost)}."
        return
    best = max(good, key=lambda row: found.timings[row.name].speedup)
    reached, shrunk = found.timings[best.name].speedup, (original.bytes or 0) / (best.bytes or 1)
    kept = reached >= goal.speedup and shrunk >= goal.shrink
    yield (
        f"\n{best.name}: {reached:.2f} times {EAGER} at batch 1 (goal {goal.speedup:g}), {shrunk:.1f} times smaller "
        f"(goal {goal.shrink:g}), quality {best.quality:.4f} of {original.quality:.4f} (goal {least:.4f}): "
        f"{'reached' if kept else 'MISSED'}."
    )
