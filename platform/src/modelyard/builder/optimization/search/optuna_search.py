"""Searches the parameters of passes with optuna: TPE draws, quality prunes first, a journal remembers.

    draw     a chain and a value for each of its knobs (`space`), seeded; nothing is made twice
    prune    a draw whose loss exceeds the bound and is worse than the median of the draws before it is not timed
    value    what the goal wants small, against the original in a few short rounds; above the bound it counts as
             infeasible, so that TPE learns from near misses without proposing them
    resume   the journal in the output folder keeps every draw; a later run with the same model, goal and bound makes
             the best of them again and goes on from there

The best few then join the other variants in the careful timing that decides.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelyard.api.optimization import ORIGINAL, Goal
from modelyard.builder.inference.benchmark import BenchmarkPlan, Subject, measure

from .space import CHAIN, Configuration, Space, chain_name, knob_name

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import JournalStorage
    from optuna.trial import Trial as Draw

    from modelyard.builder.optimization.pass_api import Recipe
    from modelyard.builder.optimization.trials.trial import Bench, Trial

JOURNAL = "study.journal"
KEPT = 5
_STARTUP = 4
_LOSS, _HOPELESS = "loss", 1e9


@dataclass(frozen=True)
class OptunaSearch:
    """What is searched, and until when (time.monotonic).

    `hopeless` are chains that could not be made: they stay in the space, which a study fixes, and are never tried.
    `bound` is the quality loss allowed (0 to 1). `run_trial` makes and judges a recipe within some seconds, `value`
    is what TPE makes small, `drop` removes a trial's files.
    """

    space: Space
    goal: Goal
    bound: float
    seed: int
    journal: Path
    name: str
    deadline: float
    hopeless: frozenset[tuple[str, ...]]
    run_trial: Callable[[Recipe, float], Trial]
    value: Callable[[Trial], float]
    drop: Callable[[Trial], None]


@dataclass(frozen=True)
class SearchResult:
    """The best trials of a search, best first, and how many were drawn and kept the quality in all."""

    best: tuple[Trial, ...]
    drawn: int
    kept: int


def search(plan: OptunaSearch, known: Sequence[Trial], tell: Callable[[str], None] = lambda _: None) -> SearchResult:
    """Draws until the deadline or until every configuration was tried; gives the best KEPT new trials.

    `known` are finished trials of recipes: the study learns from them, and they are not made again.
    """
    from optuna.trial import TrialState

    study, made = _study(plan), {}
    there = {c: trial for trial in known if (c := plan.space.of(trial.recipe)) is not None and trial.begun}
    finished = [draw for draw in study.trials if draw.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    seen = {c for draw in finished if (c := plan.space.read(draw.params)) is not None}
    everything = [c for c in plan.space.all() if c.chain not in plan.hopeless]
    chooser = random.Random(plan.seed + len(study.trials))  # noqa: S311
    for configuration in [c for c in there if c not in seen] + _best_before(study, plan, there):
        study.enqueue_trial(plan.space.written(configuration))
        seen.discard(configuration)
    while time.monotonic() < plan.deadline and any(c not in seen for c in everything):
        draw = study.ask()
        configuration = _drawn(draw, plan.space)
        if configuration in seen or configuration.chain in plan.hopeless:
            study.tell(draw, state=TrialState.FAIL)
            rest = [c for c in everything if c not in seen]
            study.enqueue_trial(plan.space.written(chooser.choice(rest)))
            continue
        seen.add(configuration)
        tell(f"search: {len(seen)} of {len(everything)}, {chain_name(configuration.chain)}")
        trial = there.get(configuration) or plan.run_trial(
            plan.space.recipe(f"tuned-{draw.number}-{configuration.chain[-1]}", configuration),
            plan.deadline - time.monotonic(),
        )
        value = _judged(study, draw, trial, plan)
        if value is not None and configuration not in there:
            made[configuration] = (value, trial)
        elif configuration not in there:
            plan.drop(trial)
    ranked = [trial for _, trial in sorted(made.values(), key=lambda scored: scored[0])]
    for trial in ranked[KEPT:]:
        plan.drop(trial)
    feasible = [d for d in study.trials if d.value is not None and d.user_attrs.get(_LOSS, 0.0) <= plan.bound]
    return SearchResult(tuple(ranked[:KEPT]), len(seen), len(feasible))


def quick_value(bench: Bench, first: Trial, goal: Goal, deadline: float) -> Callable[[Trial], float]:
    """A function that gives a trial's cost as a ratio to the original's, below 1 is better.

    Timed in three short rounds, or the ratio of sizes when that is the goal; infinite when it could not be timed.
    """
    batches = (8,) if goal in ("throughput", "cost") and bench.baseline.batchable else (1,)

    def value(trial: Trial) -> float:
        if goal == "size" or trial.path is None or first.path is None:
            return float(trial.size or 0) / float(first.size or 1)
        plan = BenchmarkPlan(
            inputs=bench.inputs, batches=batches, batchable=bench.baseline.batchable, threads=bench.hardware.cores,
            seed=bench.seed, deadline=deadline, gpu=bench.hardware.gpu is not None, patience=0.0, turn=0.1, rounds=3,
        )  # fmt: skip
        pair = [Subject(ORIGINAL, first.path), Subject(trial.name, trial.path)]
        result = measure(pair, plan, bench.scratch / "quick")
        timing = result.timings.get(trial.name)
        return 1 / timing.speedup if timing and ORIGINAL in result.timings else float("inf")

    return value


def readable(journal: Path) -> bool:
    """Whether optuna can read the journal to its end."""
    try:
        for line in journal.read_bytes().splitlines():
            json.loads(line)  # optuna forgives a last line that is cut, and stumbles over it when others follow
        _storage(journal).get_all_studies()
    except Exception:  # noqa: BLE001 - whatever a strange line makes optuna raise
        return False
    return True


def _storage(journal: Path) -> JournalStorage:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    journal.parent.mkdir(parents=True, exist_ok=True)
    return JournalStorage(JournalFileBackend(str(journal)))


def _study(plan: OptunaSearch) -> Study:
    import optuna

    storage = _storage(plan.journal)
    study = optuna.create_study(storage=storage, study_name=plan.name, load_if_exists=True)
    seed = (plan.seed + len(study.trials)) % 2**32
    study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=_STARTUP)
    study.pruner = optuna.pruners.MedianPruner(n_startup_trials=_STARTUP)
    return study


def _drawn(draw: Draw, space: Space) -> Configuration:
    """What TPE proposes, one suggestion after the other."""
    chains = {chain_name(chain): chain for chain in space.knobs}
    chain = chains[draw.suggest_categorical(CHAIN, list(chains))]
    places = []
    for knob in space.knobs[chain]:
        texts = [knob.written(value) for value in knob.values]
        places.append(texts.index(draw.suggest_categorical(knob_name(chain, knob), texts)))
    return Configuration(chain, tuple(places))


def _judged(study: Study, draw: Draw, trial: Trial, plan: OptunaSearch) -> float | None:
    """Tells the study what a draw gave; its value when it may be chosen, else None."""
    from optuna.trial import TrialState

    if trial.path is None:
        study.tell(draw, state=TrialState.FAIL)
        return None
    lost = _HOPELESS if trial.refused is not None and trial.loss is None else min(trial.loss or 0.0, _HOPELESS)
    draw.set_user_attr(_LOSS, lost)
    draw.set_constraint(_LOSS, lost - plan.bound)
    draw.report(lost, 0)
    if lost > plan.bound and draw.should_prune():
        study.tell(draw, state=TrialState.PRUNED)
        return None
    value = plan.value(trial)
    if value == float("inf"):
        study.tell(draw, state=TrialState.FAIL)
        return None
    study.tell(draw, value)
    return value if trial.refused is None else None


def _best_before(study: Study, plan: OptunaSearch, there: dict[Configuration, Trial]) -> list[Configuration]:
    """The best configurations of earlier runs, which must be made again to be chosen."""
    good = [d for d in study.trials if d.value is not None and d.user_attrs.get(_LOSS, 0.0) <= plan.bound]
    ranked = (plan.space.read(draw.params) for draw in sorted(good, key=lambda d: d.value or 0.0))
    candidates = (c for c in dict.fromkeys(ranked) if c is not None and c.chain not in plan.hopeless)
    return [c for c in candidates if c not in there][:KEPT]
