"""One recipe from start to verdict: made, asked the evaluation set, judged. Timing comes later, for all together.

    made      by `pass_runner`, in a process with limits
    answers   by `probe`, in another: the passes' libraries must not colour memory or state
    verdict   same outputs, same shapes, finite where the original is; then the metric, or, without an evaluation
              set, the original's own answers within tolerance

Whatever goes wrong on the way is a sentence in `refused`, never an exception.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.api.optimization import ORIGINAL, Runtime
from modelyard.builder.evaluation.evaluation_set import ABSOLUTE, RELATIVE, close, largest_difference
from modelyard.builder.evaluation.metrics import LOWER_IS_BETTER, quality, scale
from modelyard.builder.inference.predict import Answer, Question, ask
from modelyard.builder.inference.sandbox import WorkerDied, confined
from modelyard.builder.inference.worker import PROBE
from modelyard.builder.optimization.baseline import ended_early
from modelyard.builder.optimization.search import selection
from modelyard.core.failure_causes import REASONS, cause_of
from modelyard.errors import ModelyardError

if TYPE_CHECKING:
    import numpy as np

    from modelyard.builder.optimization.baseline import Baseline
    from modelyard.builder.optimization.pass_api import EvaluationData, Hardware, ModelArtifact, Recipe, Reference

_ALLOWANCE = 120.0
"""Seconds any one step may take at most, however large the budget."""


@dataclass(frozen=True)
class Trial:
    """What one recipe gave; `path` is None when nothing was made, `refused` why it may not be chosen.

    `size` and `memory` (peak resident) are bytes, `seconds` what all rows took to answer, `opening` what the
    process took besides; `loss` is the fraction of the original's quality that is lost. `begun` is False for a recipe
    that the budget did not reach or cut short: it says nothing about the recipe.
    """

    recipe: Recipe
    path: Path | None = None
    files: tuple[str, ...] = ()
    passes: tuple[str, ...] = ()
    precision: str = ""
    runtime: Runtime = "onnxruntime"
    size: int | None = None
    memory: int = 0
    seconds: float = 0.0
    quality: float | None = None
    loss: float | None = None
    refused: str | None = None
    begun: bool = True
    opening: float = 0.0
    program: str = PROBE

    @property
    def name(self) -> str:
        return self.recipe.name


@dataclass(frozen=True)
class Bench:
    """What all trials share: the original, the machine, the data they are judged by, and the limits.

    `inputs` is an .npz with arrays by tensor name, `bound` the quality loss allowed (0 to 1), `passes` the registry
    as MODULE:NAME, `memory` bytes a process may use, `starts` what training made, by name.
    """

    baseline: Baseline
    hardware: Hardware
    evaluation: EvaluationData | None
    inputs: Path
    bound: float
    seed: int
    passes: str
    runtimes: tuple[Runtime, ...]
    scratch: Path
    memory: int | None = None
    starts: Mapping[str, ModelArtifact] = field(default_factory=dict)

    def start(self, recipe: Recipe) -> ModelArtifact:
        """The model that the recipe's first step gets."""
        return self.starts[recipe.start] if recipe.start else self.baseline.artifact

    def expected(self) -> Mapping[str, np.ndarray]:
        """The outputs that every variant must have, as eval.npz or the original gives them."""
        return self.baseline.arrays("output")


def original(bench: Bench, seconds: float) -> Trial:
    """The trial of the original: its answers and quality, which the others are compared with.

    Raises BudgetTooSmall after `seconds`, or what its process ended with.
    """
    artifact, baseline = bench.baseline.artifact, bench.baseline
    size = sum((baseline.folder / name).stat().st_size for name in baseline.files)
    trial = Trial(recipe_of_original(), artifact.path, baseline.files, (), artifact.precision.value, size=size)
    began = time.monotonic()
    try:
        answer = _answers(bench, artifact.path, bench.scratch / ORIGINAL, seconds)
    except WorkerDied as death:
        raise ended_early(death, seconds) from death
    opening = max(0.0, time.monotonic() - began - answer.seconds)
    value = quality(bench.evaluation, answer.outputs) if bench.evaluation else None
    return replace(
        trial,
        memory=answer.peak_memory,
        seconds=answer.seconds,
        opening=opening,
        quality=value,
        loss=None if value is None else 0.0,
    )


def recipe_of_original() -> Recipe:
    """The chain without steps."""
    from modelyard.builder.optimization.pass_api import Recipe

    return Recipe(ORIGINAL, ())


def compared(reference: Reference) -> Trial:
    """A trial for a reference: timed like the others and never chosen."""
    from modelyard.builder.optimization.pass_api import Recipe

    return Trial(
        Recipe(reference.name, ()),
        reference.model,
        precision="fp32",
        runtime="torch",
        memory=reference.memory,
        seconds=reference.seconds,
        refused="it is timed to compare with: the network in torch itself, which nothing here serves.",
        begun=False,
        program=reference.program,
    )


def run_trial(bench: Bench, recipe: Recipe, first: Trial, seconds: float) -> Trial:
    """Makes one recipe's variant, runs it on the evaluation set and judges it; each process may take `seconds`.

    Never raises for the recipe's own faults: the trial's `refused` says what went wrong.
    """
    folder = bench.scratch / recipe.name
    folder.mkdir(parents=True, exist_ok=True)
    trial = Trial(recipe)
    try:
        made = _made(bench, recipe, folder, min(seconds, _ALLOWANCE * max(1, len(recipe.steps))))
        trial = replace(
            trial,
            path=Path(made["path"]),
            files=tuple(made["files"]),
            passes=tuple(made["passes"]),
            precision=made["precision"],
            runtime=made["runtime"],
            size=made["size"],
        )
        if trial.runtime not in bench.runtimes:
            runtimes = " or ".join(bench.runtimes)
            return replace(trial, path=None, refused=f"it runs in {trial.runtime}, and only {runtimes} was asked for.")
        answer = _answers(bench, Path(made["path"]), folder, min(seconds, _ALLOWANCE))
        trial = replace(trial, memory=answer.peak_memory, seconds=answer.seconds)
        return _judged(bench, trial, answer.outputs, first)
    except ModelyardError as bad:
        return replace(trial, refused=str(bad), begun=not _of_the_machine(bad.reason))
    except WorkerDied as death:
        doing = "while it answered" if trial.path else "while it was made"
        how = f"took longer than the {seconds:.0f} s left for it" if death.code is None else str(death)
        cut_short = death.code is None and seconds < _ALLOWANCE
        cut_short = cut_short or _of_the_machine(cause_of(death.end).reason)
        return replace(trial, path=None, refused=f"{doing}, it {how}.", begun=not cut_short)


def _of_the_machine(reason: str) -> bool:
    """Whether a failure's reason is the machine's; memory, time and crashes may well be the recipe's own."""
    return reason in REASONS - {"OutOfMemory", "TimedOut", "Crashed", "Unexplained"}


def _made(bench: Bench, recipe: Recipe, folder: Path, seconds: float) -> dict[str, Any]:
    """What `pass_runner` wrote about the variant; raises ModelyardError with its reason, or WorkerDied."""
    job, result = folder / "job.json", folder / "made.json"
    hardware, artifact = bench.hardware, bench.start(recipe)
    facts = {
        "original": str(artifact.path),
        "precision": artifact.precision,
        "passes_before": list(artifact.passes),
        "data": str(bench.baseline.folder),
        "metric": bench.baseline.metric,
        "steps": [[name, dict(params)] for name, params in recipe.steps],
        "cores": hardware.cores,
        "flags": sorted(hardware.flags),
        "gpu": hardware.gpu,
        "seed": bench.seed,
        "passes": bench.passes,
    }
    job.write_text(json.dumps(facts))
    module, arguments = "modelyard.builder.optimization.trials.pass_runner", [str(job), str(result)]
    gpu, environment = bench.hardware.gpu is not None, {"PYTHONHASHSEED": str(bench.seed)}
    return confined(module, arguments, result, seconds, memory=bench.memory, gpu=gpu, env=environment)


def _answers(bench: Bench, model: Path, folder: Path, seconds: float) -> Answer:
    hardware = bench.hardware
    question = Question(
        bench.inputs, hardware.cores, bench.baseline.batchable, gpu=hardware.gpu is not None, memory=bench.memory
    )
    return ask(model, question, folder, seconds)


def _judged(bench: Bench, trial: Trial, answers: Mapping[str, np.ndarray], first: Trial) -> Trial:
    """The trial with its quality and loss against `first`, the original, and the reason when it is refused."""
    against = _strange(bench.expected(), answers)
    if against is not None:
        return replace(trial, refused=against, path=None)
    if bench.evaluation is None or first.quality is None:
        return replace(trial, refused=_different(bench.expected(), answers))
    metric = bench.evaluation.metric
    value = quality(bench.evaluation, answers)
    lost = selection.loss(
        value,
        first.quality,
        higher_is_better=metric not in LOWER_IS_BETTER,
        scale=scale(bench.evaluation, first.quality),
    )
    return replace(
        trial, quality=value, loss=lost, refused=selection.refusal(metric, value, first.quality, lost, bench.bound)
    )


def _strange(expected: Mapping[str, np.ndarray], answers: Mapping[str, np.ndarray]) -> str | None:
    """Why answers cannot even be compared; None when they can."""
    import numpy as np

    for name, value in expected.items():
        if name not in answers:
            return f"it has no output {name!r}; it gives {', '.join(sorted(answers)) or 'nothing'}."
        answer = answers[name]
        if answer.shape != value.shape:
            return f"output {name!r} has shape {list(answer.shape)}, the original's has {list(value.shape)}."
        if answer.dtype.kind == "f" and value.dtype.kind == "f":
            broken = ~np.isfinite(answer) & np.isfinite(value)
            if broken.any():
                return f"output {name!r} holds NaN or infinity in {int(broken.sum())} of {answer.size} elements."
    return None


def _different(expected: Mapping[str, np.ndarray], answers: Mapping[str, np.ndarray]) -> str | None:
    """Why a pass that promised the same answers did not keep it; None when it did."""
    for name, value in expected.items():
        if not close(answers[name], value, RELATIVE, ABSOLUTE):
            difference = largest_difference(answers[name], value)
            return (
                f"output {name!r} differs from the original's by up to {difference:.3g} on a made-up sample, and "
                "without an evaluation set only the same answers count."
            )
    return None
