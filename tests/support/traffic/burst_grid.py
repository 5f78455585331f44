"""A grid of services that fail in bursts, and candidates exactly like them: how many are aborted all the same?

Traffic is drawn a rollout at a time and goes through the gates' own `update`, seconds without a bad request merged with
the next one that has some, since those alone can fail a candidate.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from modelyard.core.analysis.statistics.sequential_test import (
    AnalysisState,
    Rule,
    Window,
    reset_for_step,
    update,
)
from modelyard.core.analysis.statistics.simulation import TrafficModel

MINUTES = 30
MINUTE = 60
ALLOWED = (0.001, 0.01, 0.05)
RATES = (50, 1000, 6000, 60_000)
BURSTS = ((0.0, False), (0.01, False), (0.01, True), (0.05, False), (0.05, True))
HISTORY = (0, 10)


@dataclass(frozen=True)
class Cell:
    """Candidate and stable at exactly the allowed rate, or below it by `factor`, at half of the traffic each."""

    allowed: float
    traffic: TrafficModel

    def __str__(self) -> str:
        kind = "shared" if self.traffic.shared else "separate"
        return (
            f"{self.allowed:g} {self.traffic.per_minute:g}/min "
            f"rho {self.traffic.correlation:g} {kind} history {self.traffic.history}"
        )


def grid(factor: float = 1.0, share: float = 0.5) -> list[Cell]:
    """All cells; the true bad rate is `factor` times the allowed one, the candidate has a `share` of the traffic."""
    return [
        Cell(
            allowed,
            TrafficModel(
                per_minute, factor * allowed, share, factor * allowed, correlation, history=history, shared=shared
            ),
        )
        for allowed, per_minute, (correlation, shared), history in product(ALLOWED, RATES, BURSTS, HISTORY)
    ]


def failures(rule: Rule, traffic: TrafficModel, runs: int, seed: int, every: int = 1) -> list[float | None]:
    """Minutes until the candidate failed (None: it did not within MINUTES) of every run, judged `every` seconds."""
    chance = np.random.default_rng(seed)
    return [_failure(rule, traffic, chance, every) for _ in range(runs)]


def _failure(rule: Rule, traffic: TrafficModel, chance: np.random.Generator, every: int) -> float | None:
    began, state = MINUTE * traffic.history, AnalysisState()
    for window in _windows(traffic, chance, every):
        if window.end > began and state.end <= began:
            state = reset_for_step(state)
        state = update(rule, state, window)
        if state.failed:
            return (window.end - began) / MINUTE
    return None


def _windows(traffic: TrafficModel, chance: np.random.Generator, every: int) -> Iterator[Window]:
    spans = MINUTE // every
    minutes = traffic.history + MINUTES
    stable_rates = _rates(traffic.stable_rate, traffic.correlation, minutes, chance)
    if traffic.shared:
        rates = np.minimum(1.0, stable_rates * traffic.true_rate / traffic.stable_rate)
    else:
        rates = _rates(traffic.true_rate, traffic.correlation, minutes, chance)
    shares = np.repeat([0.0] * traffic.history + [traffic.share] * MINUTES, spans)
    mean = traffic.per_minute / spans
    bad, good = _poisson(mean * shares, np.repeat(rates, spans), chance)
    stable_bad, stable_good = _poisson(mean * (1.0 - shares), np.repeat(stable_rates, spans), chance)
    asked = (bad > 0) | (stable_bad > 0)
    asked[spans - 1 :: spans] = True
    seen = np.diff(np.cumsum([good, bad, stable_good, stable_bad], axis=1)[:, asked], axis=1, prepend=0)
    for end, (fine, failed, stable_fine, stable_failed) in zip(np.nonzero(asked)[0], seen.T.tolist(), strict=True):
        yield Window(every * (int(end) + 1), fine + failed, failed, stable_fine + stable_failed, stable_failed)


def _rates(rate: float, correlation: float, minutes: int, chance: np.random.Generator) -> np.ndarray:
    """One bad rate a minute: Beta, with that correlation between two requests of the same minute."""
    if not correlation:
        return np.full(minutes, rate)
    size = 1.0 / correlation - 1.0
    return chance.beta(rate * size, (1.0 - rate) * size, minutes)


def _poisson(mean: np.ndarray, rates: np.ndarray, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return chance.poisson(mean * rates), chance.poisson(mean * (1.0 - rates))
