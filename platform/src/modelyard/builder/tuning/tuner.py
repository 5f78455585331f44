"""From a model repository to its best settings for an objective: search, one more comparison, and a sentence.

The usual settings and the best are measured once more, one after the other: on a machine that others use as well, those
that were lucky once are seldom lucky twice. The best replace the usual ones when they are worth it then, too.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from modelyard.api.tuning.report import Tuning, TuningTrial, objective_text
from modelyard.builder.inference.host_load import MOST as QUIET
from modelyard.builder.inference.host_load import read
from modelyard.builder.triton.instance_settings import largest_batch, settings_of, with_settings
from modelyard.builder.triton.v2_http import RequestBody
from modelyard.core.tuning.search import BETTER, MOST, WORTH, TunedTrial, best, next_settings, worth
from modelyard.core.tuning.settings import ServerSettings, SettingsSpace, space_of
from modelyard.errors import InvalidSettings

from .bench import LONGEST, ClientTooSlow, LatencyTarget, bench, written

Say = Callable[[str], None]


class MeasuringBench(Protocol):
    """Whoever can measure settings; `bench.TuningBench` is the one with a real Triton."""

    def measure(self, settings: ServerSettings, to_beat: float = 0.0) -> tuple[TunedTrial, TuningTrial]:
        """As `TuningBench.measure`."""
        ...


@dataclass(frozen=True)
class TuningRequest:
    """What to tune: the model's folder in a repository, and a request to ask it; for which objective; on how many
    cores, None for all but one; with how many measurements, and how many seconds for each rate, at most."""

    repository: Path
    model: str
    body: RequestBody
    objective: LatencyTarget
    cpus: int | None = None
    most: int = MOST
    seconds: float = LONGEST

    @property
    def config(self) -> Path:
        """The model's config.pbtxt."""
        return self.repository / self.model / "config.pbtxt"


def tune(home: Path, request: TuningRequest, say: Say = lambda _: None) -> Tuning:
    """The best settings for a model, measured in the Triton of `home`; nothing is changed (`apply` does that).

    Raises InvalidSettings when the machine has fewer cores, and what ends the server.
    """
    cpus = _cores(request.cpus)
    objective, text = request.objective, request.config.read_text()
    space = space_of(settings_of(text, cpus), cpus, largest_batch(text), objective.threshold)
    with bench(home, request.repository, request.model, request.body, objective, cpus) as server:
        server.seconds = request.seconds
        pid = server.server.process.pid
        before = read((pid,))
        tuning = tuned(server, space, objective, say, request.most)
        quiet = before.others(read((pid,))) <= QUIET
    return tuning.model_copy(update={"quiet": quiet})


def tuned(
    server: MeasuringBench, space: SettingsSpace, objective: LatencyTarget, say: Say = lambda _: None, most: int = MOST
) -> Tuning:
    """The best settings of a space, as a server shows them in at most so many measurements, two more to be sure."""
    trials: list[TunedTrial] = []
    reports: list[TuningTrial] = []
    try:
        while step := next_settings(space, trials, objective.threshold, most):
            trial, report = server.measure(step, BETTER * best(trials).capacity if trials else 0.0)
            trials.append(trial)
            reports.append(report)
            say(_progress(len(trials), trial))
        outcome = _outcome(server, objective, trials)
    except ClientTooSlow as slow:
        outcome = _unknown(space.usual, slow)
    return Tuning(
        percentile=objective.percentile,
        threshold=1000.0 * objective.threshold,
        cpus=space.cpus,
        requests_per_second=_rounded(outcome.capacity),
        usual=_rounded(outcome.usual),
        settings=written(outcome.settings),
        changed=outcome.settings != space.usual,
        reason=outcome.reason,
        trials=tuple(reports),
    )


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 2)


def apply(tuning: Tuning, config: Path) -> None:
    """Writes the settings into a config.pbtxt, when they are others than it has."""
    if tuning.changed:
        config.write_text(with_settings(config.read_text(), settings_from(tuning), tuning.cpus))


def settings_from(tuning: Tuning) -> ServerSettings:
    """The best settings as the search has them."""
    chosen = tuning.settings
    return ServerSettings(chosen.instances, chosen.threads, chosen.batch, chosen.delay)


@dataclass(frozen=True)
class _Outcome:
    settings: ServerSettings
    capacity: float | None
    usual: float | None
    reason: str


def _cores(requested: int | None) -> int:
    here = len(os.sched_getaffinity(0))
    if requested is None:
        return max(1, here - 1)
    if requested > here:
        raise InvalidSettings(f"this machine has {here} cores: tune for {here} at most, or on a larger one.")
    return requested


def _progress(number: int, trial: TunedTrial) -> str:
    capacity = f"{trial.capacity:.0f} requests/s" if trial.capacity else "no better"
    return f"{number}: {trial.settings}: {capacity}"


def _outcome(server: MeasuringBench, objective: LatencyTarget, trials: list[TunedTrial]) -> _Outcome:
    usual, leader = trials[0], best(trials)
    at = objective_text(objective.percentile, 1000.0 * objective.threshold)
    if leader.capacity == 0.0:
        reason = (
            f"{at} cannot be kept: one request alone takes {1000.0 * leader.alone:.3g} ms at best, with "
            f"{leader.settings}. Allow more, or make the model faster (modelyard optimize)."
        )
        return _Outcome(usual.settings, 0.0, 0.0, reason)
    plain = usual.capacity
    if leader.settings != usual.settings and worth(plain, leader.capacity):
        plain = max(plain, server.measure(usual.settings)[0].capacity)
        again = server.measure(leader.settings, WORTH * plain)[0].capacity
        if worth(plain, again):
            gain = f"{again / plain:.2f} times what the usual ones do" if plain else "where the usual ones never do"
            reason = f"{leader.settings}: keeps {at} up to {again:.0f} requests/s, {gain}."
            return _Outcome(leader.settings, again, plain, reason)
    reason = f"The usual settings keep {at} up to {plain:.0f} requests/s, and no others keep much more."
    return _Outcome(usual.settings, plain, plain, reason)


def _unknown(usual: ServerSettings, slow: ClientTooSlow) -> _Outcome:
    above = f"more than {slow.rate:.0f} requests/s" if slow.rate else "a rate that is not known"
    reason = (
        f"No figure: the client that asks was the bottleneck. The model takes on {above}; tune it on a quieter machine "
        "or one with more cores, or for fewer of them (--cpus)."
    )
    return _Outcome(usual, None, None, reason)
