"""One recipe from start to verdict: made, asked the evaluation set, judged. Timing comes later, for all together.

    made      by `workshop`, in a process with limits
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

    `begun` is False for a recipe that the budget did not reach or cut short: it says nothing about the recipe.
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
    """What all trials share."""

    intake: Baseline
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
        """What the recipe's first step is given."""
        return self.starts[recipe.start] if recipe.start else self.intake.material

    def expected(self) -> Mapping[str, np.ndarray]:
        """The outputs that every variant must have, as eval.npz or the original gives them."""
        return self.intake.arrays("output")


def original(bench: Bench, seconds: float) -> Trial:
    """The original's own answers and quality, which the others are held against; raises what is wrong with it."""
    material, intake = bench.intake.material, bench.intake
    size = sum((intake.folder / name).stat().st_size for name in intake.files)
    trial = Trial(recipe_of_original(), material.path, intake.files, (), material.precision.value, size=size)
    began = time.monotonic()
    try:
        found = _answers(bench, material.path, bench.scratch / ORIGINAL, seconds)
    except WorkerDied as death:
        raise ended_early(death, seconds) from death
    opening = max(0.0, time.monotonic() - began - found.seconds)
    value = quality(bench.evaluation, found.outputs) if bench.evaluation else None
    return replace(
        trial,
        memory=found.peak_memory,
        seconds=found.seconds,
        opening=opening,
        quality=value,
        loss=None if value is None else 0.0,
    )


def recipe_of_original() -> Recipe:
    """The chain without steps."""
    from modelyard.builder.optimization.pass_api import Recipe

    return Recipe(ORIGINAL, ())


def compared(reference: Reference) -> Trial:
    """A reference among the trials, timed like them and never chosen."""
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


def tried(bench: Bench, recipe: Recipe, first: Trial, seconds: float) -> Trial:
    """Makes, asks and judges one recipe within `seconds`."""
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
            wanted = " or ".join(bench.runtimes)
            return replace(trial, path=None, refused=f"it runs in {trial.runtime}, and only {wanted} was asked for.")
        found = _answers(bench, Path(made["path"]), folder, min(seconds, _ALLOWANCE))
        trial = replace(trial, memory=found.peak_memory, seconds=found.seconds)
        return _judged(bench, trial, found.outputs, first)
    except ModelyardError as bad:
        return replace(trial, refused=str(bad), begun=not _of_the_machine(bad.reason))
    except WorkerDied as death:
        doing = "while it answered" if trial.path else "while it was made"
        how = f"took longer than the {seconds:.0f} s left for it" if death.code is None else str(death)
        cut_short = death.code is None and seconds < _ALLOWANCE
        cut_short = cut_short or _of_the_machine(cause_of(death.end).reason)
        return replace(trial, path=None, refused=f"{doing}, it {how}.", begun=not cut_short)


def _of_the_machine(reason: str) -> bool:
    """It says nothing of the recipe; memory, time and crashes may well be its own."""
    return reason in REASONS - {"OutOfMemory", "TimedOut", "Crashed", "Unexplained"}


def _made(bench: Bench, recipe: Recipe, folder: Path, seconds: float) -> dict[str, Any]:
    job, result = folder / "job.json", folder / "made.json"
    hardware, material = bench.hardware, bench.start(recipe)
    facts = {
        "original": str(material.path),
        "precision": material.precision,
        "passes_before": list(material.passes),
        "data": str(bench.intake.folder),
        "metric": bench.intake.metric,
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
        bench.inputs, hardware.cores, bench.intake.batchable, gpu=hardware.gpu is not None, memory=bench.memory
    )
    return ask(model, question, folder, seconds)


def _judged(bench: Bench, trial: Trial, answers: Mapping[str, np.ndarray], first: Trial) -> Trial:
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
        given = answers[name]
        if given.shape != value.shape:
            return f"output {name!r} has shape {list(given.shape)}, the original's has {list(value.shape)}."
        if given.dtype.kind == "f" and value.dtype.kind == "f":
            broken = ~np.isfinite(given) & np.isfinite(value)
            if broken.any():
                return f"output {name!r} holds NaN or infinity in {int(broken.sum())} of {given.size} elements."
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
