"""Which settings to measure next, from what was measured so far: a first guess by Little's law, then line by line.

    1  what is served without tuning: it shows how fast the model is, and everything is compared with it
    2  Little's law L = lambda W: a server that does lambda requests a second and may take W for each has lambda W of
       them inside. One batch of each instance runs while the next one waits, so that lambda W / 2 rows in all just fit
    3  the cores: all as instances, all as threads, half of both, one alone
    4  the batch of the best so far: four times as many rows, a quarter; a side that was worse is not gone to again
    5  the delay of the best so far: the shortest; the longest with as many rows as then fit by Little's law
    6  the settings next to the best that are left, cores before batches

Nothing is left, or enough was measured: done. Where nothing kept the objective after three measurements, nothing will:
one request alone is too slow.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .settings import ServerSettings, SettingsSpace

MOST = 10
"""Measurements of one search."""
BETTER = 1.03
"""How many times as much settings must take on to be the best so far: they are offered that rate first."""
WORTH = 1.05
"""How many times as much tuned settings must take on to replace the usual ones: less is noise."""
_HOPELESS = 3


@dataclass(frozen=True)
class TunedTrial:
    """What was measured of some settings.

    `capacity` is the highest rate (requests a second) at which the objective was kept, 0 when none was or it did not
    beat the best; `saturated` the rate at which requests were answered when there were always more waiting; `alone`
    what a client who asks alone waits for an answer, in seconds, at the objective's percentile.
    """

    settings: ServerSettings
    capacity: float
    saturated: float
    alone: float


def next_settings(
    space: SettingsSpace, trials: Sequence[TunedTrial], threshold: float, most: int = MOST
) -> ServerSettings | None:
    """The settings to measure next for answers within `threshold` seconds; None when the search is over."""
    if not trials:
        return space.usual
    leader = best(trials)
    if len(trials) >= most or (leader.capacity == 0.0 and len(trials) >= _HOPELESS):
        return None
    measured = {trial.settings for trial in trials}
    return next((step for step in _steps(space, leader, trials, threshold) if step not in measured), None)


def best(trials: Sequence[TunedTrial]) -> TunedTrial:
    """The trial with the highest capacity, the earliest of equals; without any, where one request is answered first."""
    return max(trials, key=lambda trial: (trial.capacity, -trial.alone if trial.capacity == 0.0 else 0.0))


def worth(usual: float, tuned: float) -> bool:
    """Whether a capacity is so much higher than the usual one that settings are changed for it."""
    return tuned > 0.0 and tuned >= WORTH * usual


def _steps(
    space: SettingsSpace, leader: TunedTrial, trials: Sequence[TunedTrial], threshold: float
) -> Iterator[ServerSettings]:
    """Everything to try, the most promising first."""
    at = leader.settings
    if len(trials) == 1:
        yield replace(at, batch=_fitting(space, leader.saturated * threshold / 2.0))
    tried = {(trial.settings.instances, trial.settings.threads) for trial in trials}
    for instances, threads in space.ways_to_use_cores():
        if (instances, threads) not in tried:
            yield replace(at, instances=instances, threads=threads)
    yield from _along_batches(space, at, trials)
    together = _fitting(space, leader.capacity * threshold / 2.0)
    if at.delay == 0:
        yield from space.longer_delays(at)[:1]
        yield from space.longer_delays(replace(at, batch=together))[1:]
    yield from space.neighbours(at)
    yield replace(at, batch=together)


def _fitting(space: SettingsSpace, rows: float) -> int:
    return max(batch for batch in space.batches if batch <= max(1.0, rows))


def _along_batches(space: SettingsSpace, at: ServerSettings, trials: Sequence[TunedTrial]) -> Iterator[ServerSettings]:
    """Two sizes up and two down, unless something on that side was worse already."""
    others = [trial.settings.batch for trial in trials if replace(trial.settings, batch=at.batch) == at]
    larger = [batch for batch in space.batches if batch > at.batch]
    smaller = [batch for batch in space.batches if batch < at.batch]
    if larger and max(others) == at.batch:
        yield replace(at, batch=larger[:2][-1])
    if smaller and min(others) == at.batch:
        yield space.without_idle_delay(replace(at, batch=smaller[-2:][0]))
