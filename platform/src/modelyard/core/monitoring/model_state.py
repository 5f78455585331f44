"""All features of a revision, minute by minute, whatever order, clock or replica the counts come with.

| what comes | what happens |
|---|---|
| the next minute, or one after a gap | it is counted; hours and days that ended meanwhile are judged |
| a minute that was counted, or one before it | left out, and counted in `late`: what was decided is not decided again |
| a minute more than AHEAD minutes after now | left out, and counted in `ahead`: its clock is wrong |
| a state that is itself after now (the clock went back) | it goes on from now; its evidence stays |
| counts of other bins than the profile's | the feature is left out, and counted in `unfit` |
| a name that the profile does not have | kept in `unknown`, five at most: the schema changed |

A model's false alarms are shared out evenly between the three clocks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from modelyard.api.monitoring.counts import MinuteCounts
from modelyard.api.monitoring.profile import ReferenceProfile

from .alarms import STEPS_A_YEAR, Alarm, Clock
from .feature_state import FeatureState, fresh, plain, restored
from .feature_update import LEAST_TOLERANCE, Thresholds, closed, counted
from .questions import FeatureQuestions
from .statistics.evidence import threshold

AHEAD = 5
MOST_UNKNOWN = 5


@dataclass(frozen=True)
class DriftPolicy:
    """What a Model asks for: false alarms a year of all its features; which features (none named: all); tolerance."""

    false_alarms: float = 1.0
    features: tuple[str, ...] = ()
    tolerance: float = LEAST_TOLERANCE


@dataclass(frozen=True)
class ModelQuestions:
    """All that is asked of a revision's rows."""

    profile: ReferenceProfile
    policy: DriftPolicy = DriftPolicy()

    @cached_property
    def features(self) -> dict[str, FeatureQuestions]:
        """By the features' names."""
        wanted = set(self.policy.features)
        return {one.name: FeatureQuestions(one) for one in self.profile.features if not wanted or one.name in wanted}

    @cached_property
    def thresholds(self) -> Thresholds:
        """E from which on a feature alarms, by clock."""
        share = self.policy.false_alarms / len(Clock)
        minute, hour, day = (threshold(STEPS_A_YEAR[clock], len(self.features), share) for clock in Clock)
        return minute, hour, day

    @cached_property
    def unknown(self) -> tuple[str, ...]:
        """Names in the policy that the profile does not have."""
        there = {one.name for one in self.profile.features}
        return tuple(name for name in self.policy.features if name not in there)


@dataclass(frozen=True)
class ModelState:
    """What is kept of a revision; `minute` is the last one that was counted, -1 before the first."""

    minute: int = -1
    features: Mapping[str, FeatureState] = field(default_factory=dict)
    late: int = 0
    ahead: int = 0
    unfit: int = 0
    unknown: tuple[str, ...] = ()

    def alarms(self) -> list[tuple[str, Alarm]]:
        """(feature, alarm) of all there are: what broke first, then the earlier first."""
        found = [(name, alarm) for name, state in self.features.items() for alarm in state.raised]
        return sorted(found, key=lambda item: (not item[1].broken, item[1].since, item[0]))


def updated(questions: ModelQuestions, state: ModelState, counts: MinuteCounts, now: int) -> ModelState:
    """The state after one minute's counts, of all replicas together; `now` is the minute it is."""
    if state.minute > now + AHEAD:
        state = replace(state, minute=now)
    if counts.minute > now + AHEAD:
        return replace(state, ahead=state.ahead + 1)
    if counts.minute <= state.minute:
        return replace(state, late=state.late + 1)
    minute, unfit, features = counts.minute, 0, {}
    for name, asked in questions.features.items():
        feature = state.features.get(name) or fresh(asked, minute, questions.policy.tolerance)
        feature = closed(asked, feature, minute, questions.thresholds)
        found = counts.features.get(name)
        if found is not None and not asked.fits(found):
            unfit += 1
        elif found is not None:
            feature = counted(asked, feature, minute, found, questions.thresholds)
        features[name] = feature
    known = {one.name for one in questions.profile.features}
    unknown = dict.fromkeys([*state.unknown, *(name for name in counts.features if name not in known)])
    return replace(
        state,
        minute=minute,
        features=features,
        unfit=state.unfit + unfit,
        unknown=tuple(unknown)[:MOST_UNKNOWN],
    )


def judged(questions: ModelQuestions, many: Sequence[MinuteCounts], now: int) -> ModelState:
    """The state after many minutes, in any order, from nothing."""
    state = ModelState()
    for counts in sorted(many, key=lambda one: one.minute):
        state = updated(questions, state, counts, now)
    return state


def to_plain(state: ModelState) -> dict[str, Any]:
    """The state as plain values, for JSON."""
    return {
        "minute": state.minute,
        "late": state.late,
        "ahead": state.ahead,
        "unfit": state.unfit,
        "unknown": list(state.unknown),
        "features": {name: plain(feature) for name, feature in state.features.items()},
    }


def from_plain(kept: Mapping[str, Any], questions: ModelQuestions) -> ModelState:
    """The state that `to_plain` wrote. Raises ValueError when it is none, or one of another profile."""
    try:
        features = {
            name: restored(kept["features"][name], asked)
            for name, asked in questions.features.items()
            if name in kept["features"]
        }
        return ModelState(
            minute=int(kept["minute"]),
            features=features,
            late=int(kept["late"]),
            ahead=int(kept["ahead"]),
            unfit=int(kept["unfit"]),
            unknown=tuple(str(name) for name in kept["unknown"]),
        )
    except (KeyError, TypeError) as bad:
        raise ValueError(f"this is no state of a revision's features: {bad!r}") from bad
