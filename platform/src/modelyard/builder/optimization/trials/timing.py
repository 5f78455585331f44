"""Times what the trials left, within the time and the memory there is.

What may be chosen goes first when not everything can be timed, and of that the fast before the slow, or the small
before the large when size is the goal. Every variant is timed in a process of its own, and on a busy machine
opening them takes longer than timing, so both count. Where the size decides, times are only told: the fewest rounds
of short turns will do, and nobody waits for a quiet machine. Variants that do not fit into memory together are timed in
groups, each with the original, so that speed-ups stay comparable.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from modelyard.api.optimization import ORIGINAL, Goal
from modelyard.builder.inference.benchmark import (
    LEAST_ROUNDS,
    LEAST_TURN,
    MOST_ROUNDS,
    PATIENCE,
    TURN,
    BenchmarkPlan,
    BenchmarkResult,
    Subject,
    measure,
    round_seconds,
)
from modelyard.builder.inference.sandbox import memory_left
from modelyard.builder.inference.worker import PROBE
from modelyard.core.failure_causes import host_cause
from modelyard.errors import BudgetTooSmall, HostFailure

if TYPE_CHECKING:
    from .trial import Bench, Trial

BATCH = 8
_TOLD_TURN = 0.05
"""Seconds of a turn where times are only told."""
_MEMORY = 0.5
"""Share of the free memory that the variants of a group may fill together."""


@dataclass(frozen=True)
class TimingBudget:
    """How often every variant is timed at most, the seconds to wait for a quiet machine, and those of a turn."""

    rounds: int = MOST_ROUNDS
    patience: float = PATIENCE
    turn: float = TURN


def timed(
    bench: Bench, trials: Sequence[Trial], deadline: float, pace: TimingBudget, tell: Callable[[str], None], goal: Goal
) -> BenchmarkResult:
    """Times the trials, the first of which is the original, until `deadline` (time.monotonic); `tell` gets progress.

    Raises BudgetTooSmall when not a single round fits, HostFailure when the original no longer answers.
    """
    pace = _only_told(pace) if goal == "size" else pace
    first, batches = trials[0], (1, BATCH) if bench.baseline.batchable else (1,)
    rows = bench.baseline.rows if bench.baseline.batchable else 1
    costs = {trial.name: round_seconds(trial.seconds / rows, batches) for trial in trials}
    room = deadline - time.monotonic()
    alive = affordable(trials, costs, room, opening=first.opening / bench.hardware.cores, by_size=goal == "size")
    groups = grouped([(trial.name, trial.memory) for trial in alive], first.memory, memory_left() * _MEMORY)
    by_name, results = {trial.name: trial for trial in trials}, []
    for place, names in enumerate(groups):
        subjects = [Subject(name, by_name[name].path or Path(), by_name[name].program) for name in (ORIGINAL, *names)]
        until = time.monotonic() + (deadline - time.monotonic()) / (len(groups) - place)
        plan = BenchmarkPlan(
            inputs=bench.inputs,
            batches=batches,
            batchable=bench.baseline.batchable,
            threads=bench.hardware.cores,
            seed=bench.seed,
            deadline=until,
            gpu=bench.hardware.gpu is not None,
            rounds=pace.rounds,
            patience=pace.patience,
            turn=pace.turn,
        )
        results.append(measure(subjects, _paced(plan, len(subjects)), bench.scratch / f"timing-{place}", tell))
    merged = _merged(results)
    if ORIGINAL in merged.lost:
        cause = host_cause(merged.lost[ORIGINAL])  # it answered before, so that it does not now is not its own doing
        message = f"The original could not be timed: {merged.lost[ORIGINAL]}"
        raise HostFailure(cause.reason if cause is not None else "Crashed", message)
    if merged.rounds == 0:
        raise BudgetTooSmall(
            "The budget is too small: not one round of timing fitted into what was left of it; "
            "give several times as much (--budget, in a Model spec.optimize.budget)."
        )
    return merged


def _only_told(pace: TimingBudget) -> TimingBudget:
    return TimingBudget(min(pace.rounds, LEAST_ROUNDS), 0.0, min(pace.turn, _TOLD_TURN))


def affordable(
    trials: Sequence[Trial], costs: Mapping[str, float], room: float, *, opening: float = 0.0, by_size: bool = False
) -> list[Trial]:
    """The trials that LEAST_ROUNDS rounds and a warm-up can time in `room` seconds beside the original, `trials[0]`.

    `costs` are seconds a round by name, `opening` seconds to open each. Those that may be chosen, and references,
    come before all else; then the fast, or with `by_size` the small, before the others.
    """
    needed = {trial.name: (LEAST_ROUNDS + 1) * costs[trial.name] + opening for trial in trials}
    left, chosen = room - needed[trials[0].name], []
    for trial in sorted((t for t in trials[1:] if t.path), key=lambda t: _rank(t, costs[t.name], by_size)):
        left -= needed[trial.name]
        if left > 0:
            chosen.append(trial)
    return chosen


def _rank(trial: Trial, cost: float, by_size: bool) -> tuple[bool, float, float]:
    return not _matters(trial), float(trial.size or 0) if by_size else 0.0, cost


def _matters(trial: Trial) -> bool:
    return trial.refused is None or trial.program != PROBE


def grouped(subjects: Sequence[tuple[str, int]], original_memory: int, room: float) -> list[list[str]]:
    """Names in groups whose memory, with the original's, fits into `room` bytes; at least one a group.

    `subjects` are (name, bytes); every group is timed with the original.
    """
    groups: list[list[str]] = [[]]
    used = original_memory
    for name, memory in subjects:
        if groups[-1] and used + memory > room:
            groups.append([])
            used = original_memory
        groups[-1].append(name)
        used += memory
    return groups


def _paced(plan: BenchmarkPlan, subjects: int) -> BenchmarkPlan:
    """Turns that let at least LEAST_ROUNDS rounds fit into three quarters of the time, if they can be that short."""
    turns = subjects * len(plan.batches)
    room = 0.75 * max(0.0, plan.deadline - time.monotonic())
    turn = min(plan.turn, max(LEAST_TURN, room / (turns * (LEAST_ROUNDS + 2))))
    return replace(plan, turn=turn)


def _merged(results: Sequence[BenchmarkResult]) -> BenchmarkResult:
    timings = {name: timing for result in reversed(results) for name, timing in result.timings.items()}
    lost = {name: why for result in results for name, why in result.lost.items()}
    return BenchmarkResult(
        timings,
        lost,
        rounds=min(result.rounds for result in results),
        quiet=all(result.quiet for result in results),
        other_load=max(result.other_load for result in results),
    )
