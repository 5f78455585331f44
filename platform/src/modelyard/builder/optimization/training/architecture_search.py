"""Hardware-aware architecture search: the fastest architecture that learns well enough, by measuring, not counting.

    1  draw      combinations of the sizes in the recipe's search space, at most `trials` of them, by its seed
    2  time      each exported with random weights and timed against the original, in rounds, as variants are;
                 whatever is not faster than the original is out
    3  learn     the fastest first: trained for `epochs` with the recipe's distillation and scored on the
                 calibration rows; the first that is within ROOM of the teacher's score is taken

Time does not depend on the weights, so timing first spares the training of everything slower than what is taken.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelyard.api.optimization import ORIGINAL
from modelyard.builder.evaluation.evaluation_set import read_arrays
from modelyard.builder.inference.benchmark import BenchmarkPlan, Subject, measure
from modelyard.builder.inference.hardware import cores

from . import environment

if TYPE_CHECKING:
    from .recipe import ArchitectureSearch
    from .training_run import TrainingRun

Architecture = Mapping[str, int]

ROOM = 0.02
"""Of the teacher's score that an architecture may lack after its short training; the evaluation set judges the rest."""
_SECONDS, _ROUNDS, _TURN = 120.0, 3, 0.05


@dataclass(frozen=True)
class FoundArchitecture:
    """The architecture a search chose, None when nothing was good enough, and the sentence for the report."""

    architecture: Architecture | None
    note: str


def drawn(search: ArchitectureSearch, seed: int) -> list[Architecture]:
    """Combinations of the sizes in the space, each once, at most `search.trials` of them, drawn by `seed`."""
    space = search.space()
    every: list[Architecture] = [dict(zip(space, sizes, strict=True)) for sizes in itertools.product(*space.values())]
    if len(every) <= search.trials:
        return every
    return random.Random(seed).sample(every, search.trials)  # noqa: S311


def taken(
    speedups: Mapping[int, float], scored: Callable[[int], tuple[float, float]], tell: Callable[[str], None]
) -> tuple[int | None, int]:
    """The index of the fastest architecture whose score is within ROOM of the teacher's, and how many were trained.

    `speedups` are against the original, by index; `scored` trains one and gives (its score, the teacher's).
    """
    order = sorted((place for place, speedup in speedups.items() if speedup > 1), key=lambda place: -speedups[place])
    for count, place in enumerate(order, 1):
        score, teacher = scored(place)
        tell(f"architecture {place + 1}: {speedups[place]:.2f} times as fast, scores {score:.4g} of {teacher:.4g}")
        if score >= teacher - ROOM * max(abs(teacher), 1e-9):
            return place, count
    return None, len(order)


def chosen_architecture(training_run: TrainingRun, run: str, tell: Callable[[str], None]) -> FoundArchitecture:
    """Draws, times and trains architectures; `run` is the MLflow run. Raises what `environment.run` raises."""
    search = training_run.recipe.search
    assert search is not None
    folder, architectures = training_run.folder / "search", drawn(search, training_run.recipe.seed)
    out = (folder / "drawn").absolute()
    job = training_run.job(out=str(out), architectures=architectures, run=run)
    files = environment.run("draw", job, folder, tell)["drawn"]
    made = {place: environment.below(out, file["path"]) for place, file in enumerate(files) if "path" in file}
    speedups = timed(training_run, made, folder, tell)

    def scored(place: int) -> tuple[float, float]:
        more = {"architecture": architectures[place], "epochs": search.epochs, "run": run}
        scores = environment.run("score", training_run.job(**more), folder, tell)
        return scores["score"], scores["teacher"]

    place, trained = taken(speedups, scored, tell)
    count = len(architectures)
    summary = f"The architecture search timed {len(speedups)} of {count} architectures and trained {trained}"
    if place is None:
        return FoundArchitecture(None, f"{summary}: none was faster than the original and came near the teacher.")
    words = " ".join(f"{name}={size}" for name, size in architectures[place].items())
    return FoundArchitecture(
        architectures[place], f"{summary}: it took {words}, the fastest that came near the teacher."
    )


def timed(
    training_run: TrainingRun, made: Mapping[int, Path], folder: Path, tell: Callable[[str], None]
) -> dict[int, float]:
    """How many times as fast as the original each file is at batch 1; those that do not run are left out."""
    import numpy as np

    arrays = read_arrays(training_run.evaluation)
    inputs = folder / "inputs.npz"
    np.savez(inputs, **{key.removeprefix("input:"): value for key, value in arrays.items() if key.startswith("input:")})
    subjects: Sequence[Subject] = [
        Subject(ORIGINAL, training_run.source.model),
        *(Subject(str(place), path) for place, path in made.items()),
    ]
    plan = BenchmarkPlan(
        inputs=inputs, batches=(1,), batchable=True, threads=cores(), seed=training_run.recipe.seed,
        deadline=time.monotonic() + _SECONDS, patience=0.0, turn=_TURN, rounds=_ROUNDS,
    )  # fmt: skip
    tell(f"timing {len(made)} architectures")
    result = measure(subjects, plan, folder / "timing")
    return {place: result.timings[str(place)].speedup for place in made if str(place) in result.timings}
