"""Runs recipes within a budget, times what came out, and says which variant to use.

    1  intake     the original, checked and asked in a process with limits
    2  trials     one recipe after the other, until 60 % of the budget is spent; the rest is refused with that reason
       search     if asked for: the same passes with other parameters, until 75 % of the budget
       memory     what an interrupted run found is not made again, and its seconds count; only timing is done anew
    3  timing     all that answered, in rounds; in groups with the original when they do not fit in memory together
    4  choice     of what was measured, by `choose`
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

from modelyard.api.optimization import ORIGINAL, RUNTIMES, Chosen, Goal, Runtime, Variant
from modelyard.builder.evaluation.evaluation_set import write_arrays
from modelyard.builder.inference.benchmark import BenchmarkResult
from modelyard.builder.inference.hardware import this_machine
from modelyard.errors import BudgetTooSmall

from .baseline import Baseline, take_in
from .search.incumbent import Incumbent
from .search.optuna_search import JOURNAL, KEPT, OptunaSearch, SearchResult, quick_value, search
from .search.selection import choose, pareto
from .search.space import chain_of, space_of
from .trials.memory import Checkpoint, attempted
from .trials.pass_runner import registry
from .trials.timing import TimingBudget, timed
from .trials.trial import Bench, Trial, compared, original, tried

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
    """Who is told what happens; by default nobody. Only for `leading` the best so far is looked for."""

    say: Callable[[str], None] = lambda _: None
    planned: Callable[[Sequence[str]], None] = lambda _: None
    trying: Callable[[str], None] = lambda _: None
    tried: Callable[[Trial], None] = lambda _: None
    measured: Callable[[Sequence[Variant]], None] = lambda _: None
    leading: Callable[[str, float], None] | None = None


@dataclass(frozen=True)
class OptimizationOutcome:
    """Everything the report is made from."""

    order: OptimizationRequest
    intake: Baseline
    hardware: Hardware
    variants: tuple[Variant, ...]
    chosen: Chosen
    measured: BenchmarkResult
    rows: int
    spent: float
    found: SearchResult
    tried: int
    folders: dict[str, tuple[Path, tuple[str, ...]]] = field(default_factory=dict)


Recipes = Callable[[Sequence["Precision"], bool], Sequence["Recipe"]]


def optimize(
    order: OptimizationRequest,
    recipes: Recipes,
    scratch: Path,
    watch: Watch | None = None,
    memory: Checkpoint | None = None,
) -> OptimizationOutcome:
    """Tries, times and chooses; raises InvalidEntry, UnsupportedModel, or BudgetTooSmall."""
    watch, memory, began = watch or Watch(), memory or Checkpoint(), time.monotonic()
    started = began - memory.spent
    watch.say("reading and trying the original")
    bench, intake = _bench(order, scratch)
    planned = recipes(order.precisions, bench.evaluation is None)
    watch.planned([ORIGINAL, *(recipe.name for recipe in planned)])
    first = original(bench, order.budget)
    _enough(order, time.monotonic() - began)
    watch.tried(first)
    run = _Run(order, bench, first, started, watch, memory)
    trials = [first, *_trials(run, planned)]
    found = _searched(run, _of_the_original(trials)) if _searches(order, trials) else SearchResult((), 0, 0)
    trials += [*found.best, *map(compared, order.references)]
    measured = timed(bench, trials, _until(order, started, memory), order.pace, watch.say, order.goal)
    variants = _on_the_front(tuple(_variant(trial, measured) for trial in trials))
    watch.measured(variants)
    return OptimizationOutcome(
        order=order,
        intake=intake,
        hardware=bench.hardware,
        variants=variants,
        chosen=choose(variants, order.goal, order.bound),
        measured=measured,
        rows=intake.rows if bench.evaluation else 0,
        spent=time.monotonic() - started,
        found=found,
        tried=sum(trial.begun for trial in trials),
        folders={trial.name: (trial.path.parent, trial.files) for trial in trials if trial.path},
    )


def refuse(outcome: OptimizationOutcome, name: str, why: str) -> OptimizationOutcome:
    """The same without a variant that turned out to be of no use, and another choice."""
    variants = _on_the_front(
        tuple(one.model_copy(update={"refused": why}) if one.name == name else one for one in outcome.variants)
    )
    order = outcome.order
    return replace(outcome, variants=variants, chosen=choose(variants, order.goal, order.bound))


def keep(outcome: OptimizationOutcome, folder: Path) -> None:
    """Puts the chosen model into FOLDER, which is replaced."""
    source, files = outcome.folders[outcome.chosen.name]
    shutil.rmtree(folder, ignore_errors=True)
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, folder / name)


def _bench(order: OptimizationRequest, scratch: Path) -> tuple[Bench, Baseline]:
    intake = take_in(order.path, scratch, order.budget)
    inputs = write_arrays(intake.arrays("input"), scratch / "inputs.npz")
    hardware, evaluation = order.hardware or this_machine(), intake.evaluation()
    bench = Bench(
        intake=intake,
        hardware=hardware,
        evaluation=evaluation,
        inputs=inputs,
        bound=order.bound,
        seed=order.seed,
        passes=order.passes,
        runtimes=order.runtimes,
        scratch=scratch / "variants",
        memory=order.memory,
        starts=order.starts,
    )
    return bench, intake


def _enough(order: OptimizationRequest, spent: float) -> None:
    """The rest of the budget must allow timing the original at least."""
    needed = 2 * spent + 2 * _LEAST_TIMING
    if order.budget < needed:
        raise BudgetTooSmall(
            f"A budget of {order.budget:g} s is too small: reading and asking the original alone took {spent:.1f} s; "
            f"give at least {needed + 10:.0f}s (--budget, in a Model spec.optimize.budget), and minutes to try much."
        )


def _until(order: OptimizationRequest, started: float, memory: Checkpoint) -> float:
    """When timing has to be over; a run that goes on from another's times all anew, so it gets its share again."""
    until = started + order.budget - min(_CLOSING, 0.05 * order.budget)
    return max(until, time.monotonic() + (1 - SEARCHING) * order.budget) if memory.spent else until


@dataclass(frozen=True)
class _Run:
    """What all steps share; `started` is as if one process had done everything."""

    order: OptimizationRequest
    bench: Bench
    first: Trial
    started: float
    watch: Watch
    memory: Checkpoint

    def left(self, share: float) -> float:
        """Seconds until that share of the budget is spent."""
        return self.started + share * self.order.budget - time.monotonic()

    def leader(self) -> Incumbent:
        """Who tells the watch of the best so far."""
        deadline = self.started + SEARCHING * self.order.budget
        value = quick_value(self.bench, self.first, self.order.goal, deadline)
        return Incumbent(value, self.watch.leading, self.order.budget)


def _trials(run: _Run, planned: Sequence[Recipe]) -> list[Trial]:
    order, leader, found = run.order, run.leader(), []
    share = MAKING_BEFORE_SEARCH if order.search else MAKING
    for recipe in planned:
        trial = run.memory.recall(recipe, run.bench.scratch / recipe.name)
        if trial is None and run.left(share) < _LEAST_TRYING:
            words = f"not tried: {share:.0%} of the budget of {order.budget:g} s was spent; give more with --budget."
            trial = Trial(recipe, refused=words, begun=False)
        elif trial is None:
            run.watch.trying(recipe.name)
            trial = attempted(run.memory, run.bench, recipe, run.first, run.left(share))
        run.watch.tried(trial)
        leader.look(trial)
        found.append(trial)
    return found


def _searches(order: OptimizationRequest, trials: Sequence[Trial]) -> bool:
    return order.search or (order.leftover and all(trial.begun for trial in trials))


def _of_the_original(trials: Sequence[Trial]) -> list[Trial]:
    return [trial for trial in trials if not trial.recipe.start]


def _searched(run: _Run, trials: Sequence[Trial]) -> SearchResult:
    """Tunes the chains of passes that could be made at all."""
    order, bench, watch, leader = run.order, run.bench, run.watch, run.leader()
    deadline = run.started + SEARCHING * order.budget
    space = space_of([trial.recipe for trial in trials[1:]], registry(order.passes))
    lowest: list[float] = []

    def tried_or_known(recipe: Recipe, seconds: float) -> Trial:
        return run.memory.recall(recipe, bench.scratch / recipe.name) or tried(bench, recipe, run.first, seconds)

    def value(trial: Trial) -> float:
        found = leader.value(trial)
        if trial.refused is None:
            lowest[:] = sorted([*lowest, found])[:KEPT]
            if found <= lowest[-1]:
                run.memory.keep(trial)
        return found

    def tell(doing: str) -> None:
        run.memory.save()
        watch.say(doing)

    quest = OptunaSearch(
        space=space,
        goal=order.goal,
        bound=order.bound,
        seed=order.seed,
        journal=order.out / JOURNAL,
        name=f"{bench.intake.digest} {order.goal} {order.bound:g} {space.key()}",
        deadline=deadline,
        hopeless=frozenset(chain_of(trial.recipe) for trial in trials if trial.begun and trial.path is None),
        tried=tried_or_known,
        value=value,
        drop=lambda trial: shutil.rmtree(bench.scratch / trial.name, ignore_errors=True),
    )
    found = search(quest, trials[1:], tell)
    run.memory.save()
    for trial in found.best:
        watch.tried(trial)
    return found


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
