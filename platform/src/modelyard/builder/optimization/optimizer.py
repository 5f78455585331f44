"""Runs recipes within a budget, times what came out, and says which variant to use.

    1  baseline   the original, checked and asked in a process with limits
    2  trials     one recipe after the other, until 60 % of the budget is spent; the rest is refused with that reason
       search     if asked for: the same passes with other parameters, until 75 % of the budget
       checkpoint what an interrupted run found is not made again, and its seconds count; only timing is done anew
    3  timing     all that answered, in rounds; in groups with the original when they do not fit in memory together
    4  choice     of what was measured, by `search.selection`
    5  report     files in `out`: report.json, report.html, PNGs, chosen/

The seed fixes the random numbers passes draw and the order of turns; the wall clock is what the budget counts.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from modelyard.api.optimization import ORIGINAL, RUNTIMES, Chosen, CostOption, Goal, Runtime, Variant
from modelyard.builder.evaluation.evaluation_set import write_arrays
from modelyard.builder.inference.benchmark import BenchmarkResult
from modelyard.builder.inference.hardware import this_machine
from modelyard.errors import BudgetTooSmall

from .baseline import Baseline, read_baseline
from .search.incumbent import Incumbent
from .search.optuna_search import JOURNAL, KEPT, OptunaSearch, SearchResult, quick_value, search
from .search.selection import choose, pareto
from .search.space import chain_of, space_of
from .trials.memory import Checkpoint, attempted
from .trials.pass_runner import registry
from .trials.timing import TimingBudget, timed
from .trials.trial import Bench, Trial, compared, original, run_trial

if TYPE_CHECKING:
    from .pass_api import Hardware, ModelArtifact, Precision, Recipe, Reference

PASSES = "modelyard.builder.optimization.passes:PASSES"
MAKING, MAKING_BEFORE_SEARCH, SEARCHING = 0.6, 0.4, 0.75
"""Shares of the budget after which no further recipe is begun, without and with a search, and when the search ends."""
_LEAST_TRYING, _LEAST_TIMING, _CLOSING = 2.0, 2.0, 3.0
"""Seconds below which a recipe is not begun, that timing needs, and that ending and writing the report take."""


@dataclass(frozen=True)
class OptimizationRequest:
    """What was asked for.

    `bound` is the largest quality loss as a share, `budget` seconds of wall time, `memory` bytes a process may use,
    `runtimes` those a variant may be for (the original always may stay),
    `search` asks for a search over the parameters of passes; its journal lies in `out`. With `leftover` a search
    gets the time that is left when all recipes were tried. `hardware` is this machine's, unless it is given.
    `starts` are what training made, which recipes may begin with; `references` are timed and never chosen; `notes`
    go into the report.
    """

    path: Path
    goal: Goal
    bound: float
    precisions: tuple[Precision, ...]
    budget: float
    seed: int
    out: Path
    passes: str = PASSES
    memory: int | None = None
    runtimes: tuple[Runtime, ...] = RUNTIMES
    pace: TimingBudget = field(default_factory=TimingBudget)
    search: bool = False
    leftover: bool = False
    hardware: Hardware | None = None
    starts: Mapping[str, ModelArtifact] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Watch:
    """Callbacks of a run; by default they do nothing.

    `planned` gets the names of all recipes, `trying` and `tried` each one before and after, `measured` all variants
    once they are timed. `leading` gets the best trial's name and its speed-up whenever it changes; only with it are
    recipes timed for that.
    """

    say: Callable[[str], None] = lambda _: None
    planned: Callable[[Sequence[str]], None] = lambda _: None
    trying: Callable[[str], None] = lambda _: None
    tried: Callable[[Trial], None] = lambda _: None
    measured: Callable[[Sequence[Variant]], None] = lambda _: None
    leading: Callable[[str, float], None] | None = None


@dataclass(frozen=True)
class OptimizationOutcome:
    """Everything the report is made from: `spent` in seconds, `rows` of the evaluation set (0 without one).

    `tried` counts the recipes that were begun; `folders` holds, by variant, its folder and the files in it; `costs`
    what keeping an objective costs, where that was measured.
    """

    request: OptimizationRequest
    baseline: Baseline
    hardware: Hardware
    variants: tuple[Variant, ...]
    chosen: Chosen
    measured: BenchmarkResult
    rows: int
    spent: float
    search_result: SearchResult
    tried: int
    folders: dict[str, tuple[Path, tuple[str, ...]]] = field(default_factory=dict)
    costs: tuple[CostOption, ...] = ()


Recipes = Callable[[Sequence["Precision"], bool], Sequence["Recipe"]]


def optimize(
    request: OptimizationRequest,
    recipes: Recipes,
    scratch: Path,
    watch: Watch | None = None,
    checkpoint: Checkpoint | None = None,
) -> OptimizationOutcome:
    """Tries the recipes, times what they made and chooses one variant; SCRATCH keeps the files of all of them.

    `recipes` gets the precisions and whether only lossless recipes count (no evaluation set). Raises InvalidEntry or
    UnsupportedModel for the original model, and BudgetTooSmall.
    """
    watch, checkpoint, began = watch or Watch(), checkpoint or Checkpoint(), time.monotonic()
    started = began - checkpoint.spent
    watch.say("reading and trying the original")
    bench, baseline = _bench(request, scratch)
    planned = recipes(request.precisions, bench.evaluation is None)
    watch.planned([ORIGINAL, *(recipe.name for recipe in planned)])
    first = original(bench, request.budget)
    _enough(request, time.monotonic() - began)
    watch.tried(first)
    run = _Run(request, bench, first, started, watch, checkpoint)
    trials = [first, *_recipe_trials(run, planned)]
    search_result = _searched(run, _of_the_original(trials)) if _searches(request, trials) else SearchResult((), 0, 0)
    trials += [*search_result.best, *map(compared, request.references)]
    measured = timed(bench, trials, _until(request, started, checkpoint), request.pace, watch.say, request.goal)
    variants = _on_the_front(tuple(_variant(trial, measured) for trial in trials))
    watch.measured(variants)
    return OptimizationOutcome(
        request=request,
        baseline=baseline,
        hardware=bench.hardware,
        variants=variants,
        chosen=choose(variants, request.goal, request.bound),
        measured=measured,
        rows=baseline.rows if bench.evaluation else 0,
        spent=time.monotonic() - started,
        search_result=search_result,
        tried=sum(trial.begun for trial in trials),
        folders={trial.name: (trial.path.parent, trial.files) for trial in trials if trial.path},
    )


def refuse(outcome: OptimizationOutcome, name: str, why: str) -> OptimizationOutcome:
    """The outcome with variant `name` refused for the reason `why`, and chosen anew."""
    refused = {"refused": why}
    variants = _on_the_front(tuple(v.model_copy(update=refused) if v.name == name else v for v in outcome.variants))
    request = outcome.request
    return replace(outcome, variants=variants, chosen=choose(variants, request.goal, request.bound))


def keep(outcome: OptimizationOutcome, folder: Path) -> None:
    """Puts the chosen model into FOLDER, which is replaced."""
    source, files = outcome.folders[outcome.chosen.name]
    shutil.rmtree(folder, ignore_errors=True)
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, folder / name)


def _bench(request: OptimizationRequest, scratch: Path) -> tuple[Bench, Baseline]:
    baseline = read_baseline(request.path, scratch, request.budget)
    inputs = write_arrays(baseline.arrays("input"), scratch / "inputs.npz")
    hardware, evaluation = request.hardware or this_machine(), baseline.evaluation()
    bench = Bench(
        baseline=baseline,
        hardware=hardware,
        evaluation=evaluation,
        inputs=inputs,
        bound=request.bound,
        seed=request.seed,
        passes=request.passes,
        runtimes=request.runtimes,
        scratch=scratch / "variants",
        memory=request.memory,
        starts=request.starts,
    )
    return bench, baseline


def _enough(request: OptimizationRequest, spent: float) -> None:
    """The rest of the budget must allow timing the original at least."""
    needed = 2 * spent + 2 * _LEAST_TIMING
    if request.budget < needed:
        raise BudgetTooSmall(
            f"A budget of {request.budget:g} s is too small: reading and asking the original alone took {spent:.1f} s; "
            f"give at least {needed + 10:.0f}s (--budget, in a Model spec.optimize.budget), and minutes to try much."
        )


def _until(request: OptimizationRequest, started: float, checkpoint: Checkpoint) -> float:
    """When timing has to be over; a run that goes on from another's times all anew, so it gets its share again."""
    until = started + request.budget - min(_CLOSING, 0.05 * request.budget)
    return max(until, time.monotonic() + (1 - SEARCHING) * request.budget) if checkpoint.spent else until


@dataclass(frozen=True)
class _Run:
    """What all steps share; `started` (time.monotonic) is as if one process had done everything."""

    request: OptimizationRequest
    bench: Bench
    first: Trial
    started: float
    watch: Watch
    checkpoint: Checkpoint

    def left(self, fraction: float) -> float:
        """Seconds until that fraction of the budget is spent; negative when it is."""
        return self.started + fraction * self.request.budget - time.monotonic()

    def incumbent(self) -> Incumbent:
        """Tracks the best trial so far and tells the watch of it."""
        deadline = self.started + SEARCHING * self.request.budget
        value = quick_value(self.bench, self.first, self.request.goal, deadline)
        return Incumbent(value, self.watch.leading, self.request.budget)


def _recipe_trials(run: _Run, planned: Sequence[Recipe]) -> list[Trial]:
    request, incumbent, trials = run.request, run.incumbent(), []
    fraction = MAKING_BEFORE_SEARCH if request.search else MAKING
    for recipe in planned:
        trial = run.checkpoint.recall(recipe, run.bench.scratch / recipe.name)
        if trial is None and run.left(fraction) < _LEAST_TRYING:
            spent = f"{fraction:.0%} of the budget of {request.budget:g} s was spent"
            trial = Trial(recipe, refused=f"not tried: {spent}; give more with --budget.", begun=False)
        elif trial is None:
            run.watch.trying(recipe.name)
            trial = attempted(run.checkpoint, run.bench, recipe, run.first, run.left(fraction))
        run.watch.tried(trial)
        incumbent.consider(trial)
        trials.append(trial)
    return trials


def _searches(request: OptimizationRequest, trials: Sequence[Trial]) -> bool:
    return request.search or (request.leftover and all(trial.begun for trial in trials))


def _of_the_original(trials: Sequence[Trial]) -> list[Trial]:
    return [trial for trial in trials if not trial.recipe.start]


def _searched(run: _Run, trials: Sequence[Trial]) -> SearchResult:
    """Tunes the chains of passes that could be made at all."""
    request, bench, watch, incumbent = run.request, run.bench, run.watch, run.incumbent()
    deadline = run.started + SEARCHING * request.budget
    space = space_of([trial.recipe for trial in trials[1:]], registry(request.passes))
    lowest: list[float] = []

    def recall_or_run(recipe: Recipe, seconds: float) -> Trial:
        known = run.checkpoint.recall(recipe, bench.scratch / recipe.name)
        return known or run_trial(bench, recipe, run.first, seconds)

    def value(trial: Trial) -> float:
        cost = incumbent.value(trial)
        if trial.refused is None:
            lowest[:] = sorted([*lowest, cost])[:KEPT]
            if cost <= lowest[-1]:
                run.checkpoint.keep(trial)
        return cost

    def tell(doing: str) -> None:
        run.checkpoint.save()
        watch.say(doing)

    plan = OptunaSearch(
        space=space,
        goal=request.goal,
        bound=request.bound,
        seed=request.seed,
        journal=request.out / JOURNAL,
        name=f"{bench.baseline.digest} {request.goal} {request.bound:g} {space.key()}",
        deadline=deadline,
        hopeless=frozenset(chain_of(trial.recipe) for trial in trials if trial.begun and trial.path is None),
        run_trial=recall_or_run,
        value=value,
        drop=lambda trial: shutil.rmtree(bench.scratch / trial.name, ignore_errors=True),
    )
    result = search(plan, trials[1:], tell)
    run.checkpoint.save()
    for trial in result.best:
        watch.tried(trial)
    return result


def _on_the_front(variants: tuple[Variant, ...]) -> tuple[Variant, ...]:
    front = pareto(variants)
    return tuple(variant.model_copy(update={"pareto": variant.name in front}) for variant in variants)


def _variant(trial: Trial, measured: BenchmarkResult) -> Variant:
    timing = measured.timings.get(trial.name)
    refused = measured.lost.get(trial.name) or trial.refused
    if timing is None and refused is None:
        refused = "not timed: the budget was used up; give more with --budget."
    return Variant(
        name=trial.name,
        passes=trial.passes or tuple(name for name, _ in trial.recipe.steps),
        steps=tuple({name: dict(params)} for name, params in trial.recipe.steps),
        precision=trial.precision,
        runtime=trial.runtime,
        latency=dict(timing.latency) if timing else {},
        throughput=timing.throughput if timing else None,
        speedup=timing.speedup if timing else None,
        speedup_spread=timing.speedup_spread if timing else None,
        peak_memory=timing.peak_memory if timing else None,
        size=trial.size,
        quality=trial.quality,
        quality_loss=trial.loss,
        refused=refused,
    )
