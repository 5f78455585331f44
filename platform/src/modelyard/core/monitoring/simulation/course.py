"""Many streams put to one detector: how often it alarms while nothing changes, and how soon once something does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from modelyard.api.monitoring.profile import FeatureProfile

from .detectors import Detector
from .streams import DAY, Draws, Stream, StreamModel, reference

MONTH = 30 * DAY

Made = Callable[[Sequence[FeatureProfile], int, Draws], Detector]
"""A detector for these profiles, of so many watched features."""


class QuietResult(NamedTuple):
    """Runs without a change: of how many, how many alarmed at all, and alarms in 30 days."""

    runs: int
    alarmed: int
    alarms_a_month: float


class ChangeResult(NamedTuple):
    """Runs with a change in one feature: the share that found it in time, then minutes of those that did."""

    runs: int
    found: float
    median: float | None
    p90: float | None


@dataclass(frozen=True)
class Setting:
    """How many features a Model has, and of how many rows the reference is."""

    features: int = 30
    reference: int = 4000


def quiet(
    rules: Mapping[str, Made], model: StreamModel, setting: Setting, days: int, runs: int, chance: Draws
) -> dict[str, QuietResult]:
    """What each rule does with the same streams of `model`, one a feature, of which none changes."""
    counts: dict[str, list[int]] = {name: [] for name in rules}
    for _ in range(runs):
        profiles = [reference(model, setting.reference, f"x{at}", chance) for at in range(setting.features)]
        streams = [Stream(model, profile, chance) for profile in profiles]
        detectors = {name: made(profiles, setting.features, chance) for name, made in rules.items()}
        alarms = dict.fromkeys(rules, 0)
        for minute in range(days * DAY):
            found = [stream.minute(minute) for stream in streams]
            for name, detector in detectors.items():
                alarms[name] += len(detector.alarms(minute, found))
        for name, count in alarms.items():
            counts[name].append(count)
    months = runs * days * DAY / MONTH
    return {name: QuietResult(runs, sum(map(bool, found)), sum(found) / months) for name, found in counts.items()}


def change(made: Made, model: StreamModel, setting: Setting, minutes: int, runs: int, chance: Draws) -> ChangeResult:
    """One feature is a stream of `model`, watched until an alarm or for `minutes` after its change."""
    delays = []
    for _ in range(runs):
        profile = reference(model, setting.reference, "x0", chance)
        stream, detector = Stream(model, profile, chance), made([profile], setting.features, chance)
        for minute in range(model.begins + minutes):
            if detector.alarms(minute, [stream.minute(minute)]) and minute >= model.begins:
                delays.append(minute - model.begins + 1)
                break
    if not delays:
        return ChangeResult(runs, 0.0, None, None)
    ranked = sorted(delays)
    return ChangeResult(runs, len(delays) / runs, median(ranked), float(ranked[(9 * len(ranked) - 1) // 10]))
