"""Times what the trials left, within the time and the memory there is.

What may be chosen goes first when not everything can be timed, and of that the fast before the slow, or the small
before the large when size is the goal. Every variant is timed in a process of its own, and on a busy machine
opening them takes longer than timing, so both count. Variants that do not fit into memory together are timed in
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
_MEMORY = 0.5
"""Share of the free memory that the variants of a group may fill together."""


@dataclass(frozen=True)
class TimingBudget:
    """How often every variant is timed at most, and the seconds to wait for a quiet machine."""

    rounds: int = MOST_ROUNDS
    patience: float = PATIENCE


def timed(
    bench: Bench, trials: Sequence[Trial], deadline: float, pace: TimingBudget, tell: Callable[[str], None], goal: Goal
) -> BenchmarkResult:
    """Timings of everything that answers; raises BudgetTooSmall when the time is too short for a single round."""
    first, batches = trials[0], (1, BATCH) if bench.intake.batchable else (1,)
    rows = bench.intake.rows if bench.intake.batchable else 1
    costs = {one.name: round_seconds(one.seconds / rows, batches) for one in trials}
    room = deadline - time.monotonic()
    alive = affordable(trials, costs, room, opening=first.opening / bench.hardware.cores, by_size=goal == "size")
    groups = grouped([(one.name, one.memory) for one in alive], first.memory, memory_left() * _MEMORY)
    by_name, found = {one.name: one for one in trials}, []
    for place, names in enumerate(groups):
        subjects = [Subject(name, by_name[name].path or Path(), by_name[name].program) for name in (ORIGINAL, *names)]
        until = time.monotonic() + (deadline - time.monotonic()) / (len(groups) - place)
        plan = BenchmarkPlan(
            inputs=bench.inputs,
            batches=batches,
            batchable=bench.intake.batchable,
            threads=bench.hardware.cores,
            seed=bench.seed,
            deadline=until,
            gpu=bench.hardware.gpu is not None,
            rounds=pace.rounds,
            patience=pace.patience,
        )
        found.append(measure(subjects, _paced(plan, len(subjects)), bench.scratch / f"timing-{place}", tell))
    merged = _merged(found)
    if ORIGINAL in merged.lost:
        cause = host_cause(merged.lost[ORIGINAL])  # it answered before, so that it does not now is not its own doing
        said = f"The original could not be timed: {merged.lost[ORIGINAL]}"
        raise HostFailure(cause.reason if cause is not None else "Crashed", said)
    if merged.rounds == 0:
        raise BudgetTooSmall(
            "The budget is too small: not one round of timing fitted into what was left of it; "
            "give several times as much (--budget, in a Model spec.optimize.budget)."
        )
    return merged


def affordable(
    trials: Sequence[Trial], costs: Mapping[str, float], room: float, *, opening: float = 0.0, by_size: bool = False
) -> list[Trial]:
    """Those that LEAST_ROUNDS rounds and a warm-up can time in `room` seconds with the original, the first of
    `trials`, when each takes `opening` seconds to open; those that may be chosen, and what they are compared with,
    before all else; then the fast, or the small, before the others."""
    needed = {one.name: (LEAST_ROUNDS + 1) * costs[one.name] + opening for one in trials}
    left, found = room - needed[trials[0].name], []
    for one in sorted((t for t in trials[1:] if t.path), key=lambda t: _rank(t, costs[t.name], by_size)):
        left -= needed[one.name]
        if left > 0:
            found.append(one)
    return found


def _rank(trial: Trial, cost: float, by_size: bool) -> tuple[bool, float, float]:
    return not _matters(trial), float(trial.size or 0) if by_size else 0.0, cost


def _matters(trial: Trial) -> bool:
    return trial.refused is None or trial.program != PROBE


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


def _paced(plan: BenchmarkPlan, subjects: int) -> BenchmarkPlan:
    """Turns that let at least LEAST_ROUNDS rounds fit into three quarters of the time, if they can be that short."""
    turns = subjects * len(plan.batches)
    room = 0.75 * max(0.0, plan.deadline - time.monotonic())
    turn = min(plan.turn, max(LEAST_TURN, room / (turns * (LEAST_ROUNDS + 2))))
    return replace(plan, turn=turn)


def _merged(found: Sequence[BenchmarkResult]) -> BenchmarkResult:
    timings = {name: timing for one in reversed(found) for name, timing in one.timings.items()}
    lost = {name: why for one in found for name, why in one.lost.items()}
    return BenchmarkResult(
        timings,
        lost,
        rounds=min(one.rounds for one in found),
        quiet=all(one.quiet for one in found),
        other_load=max(one.other_load for one in found),
    )
