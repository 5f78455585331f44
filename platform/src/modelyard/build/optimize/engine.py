"""Runs recipes within a budget, times what came out, and says which variant to use.

    1  intake     the original, checked and asked in a process with limits
    2  trials     one recipe after the other, until 60 % of the budget is spent; the rest is refused with that reason
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
from modelyard.build.measure import (
    LEAST_ROUNDS,
    LEAST_TURN,
    MOST_ROUNDS,
    PATIENCE,
    Measured,
    Plan,
    Subject,
    measure,
    round_seconds,
)
from modelyard.errors import InvalidSettings, UnsupportedModel

from .choose import choose, pareto
from .hardware import this_machine
from .intake import Intake, take_in
from .trial import Bench, Trial, original, tried

if TYPE_CHECKING:
    from .material import Hardware, Precision, Recipe

PASSES = "modelyard.build.optimize.passes:PASSES"
MAKING = 0.6
"""Share of the budget after which no further recipe is begun."""
_BATCH = 8
_MEMORY = 0.5
_LEAST_TIMING, _CLOSING = 2.0, 3.0
"""Seconds that timing needs at least, and that ending the processes and writing the report take."""


@dataclass(frozen=True)
class Order:
    """What was asked for.

    `bound` is the largest quality loss as a share, `budget` seconds of wall time, `memory` bytes a process may use,
    `runtimes` those a variant may be for (the original always may stay),
    `rounds` how often every variant is timed at most, `patience` seconds to wait for a quiet machine.
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
    rounds: int = MOST_ROUNDS
    patience: float = PATIENCE


@dataclass(frozen=True)
class Watch:
    """Who is told what happens; by default nobody."""

    say: Callable[[str], None] = lambda _: None
    planned: Callable[[Sequence[str]], None] = lambda _: None
    trying: Callable[[str], None] = lambda _: None
    tried: Callable[[Trial], None] = lambda _: None
    measured: Callable[[Sequence[Variant]], None] = lambda _: None


@dataclass(frozen=True)
class Outcome:
    """Everything the report is made from."""

    order: Order
    intake: Intake
    hardware: Hardware
    variants: tuple[Variant, ...]
    chosen: Chosen
    measured: Measured
    rows: int
    spent: float
    notes: tuple[str, ...] = ()
    folders: dict[str, tuple[Path, tuple[str, ...]]] = field(default_factory=dict)


Recipes = Callable[[Sequence["Precision"], bool], Sequence["Recipe"]]


def optimize(order: Order, recipes: Recipes, scratch: Path, watch: Watch | None = None) -> Outcome:
    """Tries, times and chooses; raises InvalidEntry, UnsupportedModel, or InvalidSettings for too small a budget."""
    watch, started = watch or Watch(), time.monotonic()
    watch.say("reading and trying the original")
    bench, intake = _bench(order, scratch)
    planned = recipes(order.precisions, bench.evaluation is None)
    watch.planned([ORIGINAL, *(recipe.name for recipe in planned)])
    first = original(bench, order.budget)
    _enough(order, time.monotonic() - started)
    watch.tried(first)
    trials = [first, *_trials(order, bench, planned, first, started, watch)]
    deadline = started + order.budget - min(_CLOSING, 0.05 * order.budget)
    measured = _timed(order, bench, trials, deadline, watch)
    variants = tuple(_variant(trial, measured) for trial in trials)
    front = pareto(variants)
    variants = tuple(variant.model_copy(update={"pareto": variant.name in front}) for variant in variants)
    watch.measured(variants)
    return Outcome(
        order=order,
        intake=intake,
        hardware=bench.hardware,
        variants=variants,
        chosen=choose(variants, order.goal, order.bound),
        measured=measured,
        rows=_rows(intake) if bench.evaluation else 0,
        spent=time.monotonic() - started,
        folders={trial.name: (trial.path.parent, trial.files) for trial in trials if trial.path},
    )


def keep(outcome: Outcome, folder: Path) -> None:
    """Puts the chosen model into FOLDER, which is replaced."""
    source, files = outcome.folders[outcome.chosen.name]
    shutil.rmtree(folder, ignore_errors=True)
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, folder / name)


def _bench(order: Order, scratch: Path) -> tuple[Bench, Intake]:
    import numpy as np

    intake = take_in(order.path, scratch, order.budget)
    inputs = scratch / "inputs.npz"
    arrays = {name: v.astype(np.str_) if v.dtype == object else v for name, v in intake.arrays("input").items()}
    np.savez(inputs, **arrays)
    hardware, evaluation = this_machine(), intake.evaluation()
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
    )
    return bench, intake


def _enough(order: Order, spent: float) -> None:
    """The rest of the budget must allow timing the original at least."""
    needed = 2 * spent + 2 * _LEAST_TIMING
    if order.budget < needed:
        raise InvalidSettings(
            f"A budget of {order.budget:g} s is too small: reading and asking the original alone took {spent:.1f} s; "
            f"give at least --budget {needed + 10:.0f}s, and minutes to try much."
        )


def _trials(
    order: Order, bench: Bench, planned: Sequence[Recipe], first: Trial, started: float, watch: Watch
) -> list[Trial]:
    found = []
    for recipe in planned:
        left = started + MAKING * order.budget - time.monotonic()
        if left <= 0:
            words = f"not tried: {MAKING:.0%} of the budget of {order.budget:g} s was spent; give more with --budget."
            trial = Trial(recipe, precision=bench.intake.precision.value, refused=words)
        else:
            watch.trying(recipe.name)
            trial = tried(bench, recipe, first, left)
        watch.tried(trial)
        found.append(trial)
    return found


def _timed(order: Order, bench: Bench, trials: Sequence[Trial], deadline: float, watch: Watch) -> Measured:
    """Timings of everything that answers, first those that may be chosen; groups share the original."""
    first, batches = trials[0], (1, _BATCH) if bench.intake.batchable else (1,)
    rows = _rows(bench.intake) if bench.intake.batchable else 1
    costs = {one.name: round_seconds(one.seconds / rows, batches) for one in trials}
    alive = affordable(trials, costs, deadline - time.monotonic())
    groups = grouped([(one.name, one.memory) for one in alive], first.memory, _free_memory() * _MEMORY)
    by_name, found = {one.name: one for one in trials}, []
    for place, names in enumerate(groups):
        subjects = [Subject(name, by_name[name].path or Path()) for name in (ORIGINAL, *names)]
        until = time.monotonic() + (deadline - time.monotonic()) / (len(groups) - place)
        plan = Plan(
            inputs=bench.inputs,
            batches=batches,
            batchable=bench.intake.batchable,
            threads=bench.hardware.cores,
            seed=order.seed,
            deadline=until,
            gpu=bench.hardware.gpu is not None,
            rounds=order.rounds,
            patience=order.patience,
        )
        found.append(measure(subjects, _paced(plan, len(subjects)), bench.scratch / f"timing-{place}", watch.say))
    merged = _merged(found)
    if ORIGINAL in merged.lost:
        raise UnsupportedModel(f"The original could not be timed: {merged.lost[ORIGINAL]}")
    if merged.rounds == 0:
        raise InvalidSettings(
            f"A budget of {order.budget:g} s is too small: not one round of timing fitted into it; "
            f"give more with --budget, such as {4 * order.budget:.0f}s."
        )
    return merged


def affordable(trials: Sequence[Trial], costs: Mapping[str, float], room: float) -> list[Trial]:
    """Those that LEAST_ROUNDS rounds and a warm-up can time in `room` seconds with the original, the first of
    `trials`; those that may be chosen before those that may not, the fast before the slow."""
    left = room / (LEAST_ROUNDS + 1) - costs[trials[0].name]
    found = []
    for one in sorted((t for t in trials[1:] if t.path), key=lambda t: (t.refused is not None, costs[t.name])):
        left -= costs[one.name]
        if left > 0:
            found.append(one)
    return found


def grouped(subjects: Sequence[tuple[str, int]], original_memory: int, room: float) -> list[list[str]]:
    """Names in groups whose memory, with the original's, fits into `room` bytes; at least one a group."""
    groups: list[list[str]] = [[]]
    used = original_memory
    for name, memory in subjects:
        if groups[-1] and used + memory > room:
            groups.append([])
            used = original_memory
        groups[-1].append(name)
        used += memory
    return groups


def _paced(plan: Plan, subjects: int) -> Plan:
    """Turns that let at least LEAST_ROUNDS rounds fit into three quarters of the time, if they can be that short."""
    turns = subjects * len(plan.batches)
    room = 0.75 * max(0.0, plan.deadline - time.monotonic())
    turn = min(plan.turn, max(LEAST_TURN, room / (turns * (LEAST_ROUNDS + 2))))
    return replace(plan, turn=turn)


def _merged(found: Sequence[Measured]) -> Measured:
    timings = {name: timing for one in reversed(found) for name, timing in one.timings.items()}
    lost = {name: why for one in found for name, why in one.lost.items()}
    return Measured(
        timings,
        lost,
        rounds=min(one.rounds for one in found),
        quiet=all(one.quiet for one in found),
        other_load=max(one.other_load for one in found),
    )


def _variant(trial: Trial, measured: Measured) -> Variant:
    timing = measured.timings.get(trial.name)
    refused = trial.refused or measured.lost.get(trial.name)
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


def _rows(intake: Intake) -> int:
    return len(next(iter(intake.arrays("output").values())))


def _free_memory() -> int:
    with open("/proc/meminfo") as lines:
        return int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]) * 1024
