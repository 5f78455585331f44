"""What a simulated stream is put to: the e-detector on one clock, Modelyard's three clocks, a usual rule.

Each is asked minute by minute with the counts of all features and answers which of them alarm now. A feature that
alarmed starts anew, in all of them. `watched` is how many features a Model has: a simulation of a change need not draw
those that stay quiet, but thresholds are made for all.
"""

from collections.abc import Sequence
from typing import Protocol

from modelyard.api.monitoring.counts import FeatureCounts
from modelyard.api.monitoring.profile import FeatureProfile
from modelyard.core.monitoring.adding import added
from modelyard.core.monitoring.alarms import STEP, STEPS_A_YEAR, Clock
from modelyard.core.monitoring.feature_state import FeatureState, fresh
from modelyard.core.monitoring.feature_update import LEAST_TOLERANCE, closed, counted
from modelyard.core.monitoring.questions import FeatureQuestions
from modelyard.core.monitoring.statistics.dispersion import Phi, pooled
from modelyard.core.monitoring.statistics.evidence import Slopes, Sums, advance, slopes, threshold

from .streams import Draws
from .usual_rules import UsualRule

_HOUR = 60


class Detector(Protocol):
    """Anything that alarms."""

    def alarms(self, minute: int, counts: Sequence[FeatureCounts]) -> list[int]:
        """Places of the features that alarm at the end of this minute."""
        ...


class OneClock:
    """The e-detector on steps of `clock`, all questions together, without tolerance or with; phi as told."""

    def __init__(
        self,
        profiles: Sequence[FeatureProfile],
        watched: int,
        clock: Clock = Clock.MINUTE,
        *,
        dispersed: bool = True,
        tolerance: float = 0.0,
        points: bool = False,
    ) -> None:
        self._features = [_Plain(FeatureQuestions(one), dispersed, tolerance, points) for one in profiles]
        self._span, self._open = STEP[clock], [list[FeatureCounts]() for _ in profiles]
        self._threshold = threshold(STEPS_A_YEAR[clock], watched, 1.0)

    def alarms(self, minute: int, counts: Sequence[FeatureCounts]) -> list[int]:
        """See `Detector`."""
        raised = []
        for at, (feature, found) in enumerate(zip(self._features, counts, strict=True)):
            feature.disperse(minute, found)
            step = found
            if self._span > 1:
                kept = self._open[at]
                kept[:] = [added(kept[0], found)] if kept else [found]
                if (minute + 1) % self._span:
                    continue
                step = kept.pop()
            if feature.evidence(step) >= self._threshold:
                feature.restart()
                raised.append(at)
        return raised


class _Plain:
    """One feature of `OneClock`: sums by question, and phi by closed hours."""

    def __init__(self, questions: FeatureQuestions, dispersed: bool, tolerance: float, points: bool) -> None:
        self._questions, self._dispersed = questions, dispersed
        self._against = [question.against for question in questions.breaks]
        self._against += _shapes(questions, tolerance, points)
        self._phi, self._minutes, self._values = Phi(), 0, 0
        self._hits, self._squares = (0,) * len(questions.shapes), 0.0
        self.restart()

    def restart(self) -> None:
        self._sums: list[Sums] = [(0.0,) * len(against) for against in self._against]

    def disperse(self, minute: int, counts: FeatureCounts) -> None:
        if not self._dispersed:
            return
        hits, values = self._questions.shape_hits(counts.bins), sum(counts.bins)
        weighed = zip(hits, self._questions.variances, strict=True)
        self._squares += sum(hit * hit / variance for hit, variance in weighed) / max(1, values)
        self._hits = tuple(map(int.__add__, self._hits, hits))
        self._minutes, self._values = self._minutes + 1, self._values + values
        if (minute + 1) % _HOUR == 0:
            self._phi = self._phi.after(self._minutes, self._so_far())
            self._minutes, self._values, self._squares, self._hits = 0, 0, 0.0, (0,) * len(hits)

    def _so_far(self) -> float:
        return pooled(self._minutes, self._values, self._hits, self._squares, self._questions.variances)

    def evidence(self, counts: FeatureCounts) -> float:
        values, hits = sum(counts.bins), self._questions.shape_hits(counts.bins)
        events = [question.counted(counts) for question in self._questions.breaks]
        steps = [(hit, trials - hit) for hit, trials in events]
        steps += [(hit, values - hit) for hit in hits]
        steps += [(values - hit, hit) for hit in hits] if self._questions.both_sides else []
        phi = self._phi if self._phi.weight or not self._dispersed else Phi(self._so_far())
        self._sums = [
            advance(sums, hit, miss, against, phi.divisor)
            for sums, (hit, miss), against in zip(self._sums, steps, self._against, strict=True)
        ]
        return sum(map(sum, self._sums)) / sum(map(len, self._sums))


def _shapes(questions: FeatureQuestions, tolerance: float, points: bool) -> list[Slopes]:
    """The slopes of shapes on both sides; against the reference's own shares, as if these were the truth: `points`."""
    bounds = [question.share if points else question.high for question in questions.shapes]
    if questions.both_sides:
        bounds += [1.0 - (question.share if points else question.low) for question in questions.shapes]
    return [slopes(bound, tolerance) for bound in bounds]


class ThreeClocks:
    """What a Model's features are watched with, from the first minute on."""

    def __init__(self, profiles: Sequence[FeatureProfile], watched: int, tolerance: float = LEAST_TOLERANCE) -> None:
        self._questions = [FeatureQuestions(one) for one in profiles]
        self._states: list[FeatureState | None] = [None] * len(profiles)
        self._tolerance = tolerance
        minute, hour, day = (threshold(STEPS_A_YEAR[clock], watched, 1.0 / len(Clock)) for clock in Clock)
        self._thresholds = minute, hour, day

    def alarms(self, minute: int, counts: Sequence[FeatureCounts]) -> list[int]:
        """See `Detector`."""
        raised = []
        for at, (asked, found) in enumerate(zip(self._questions, counts, strict=True)):
            state = self._states[at] or fresh(asked, minute, self._tolerance)
            state = closed(asked, state, minute, self._thresholds)
            state = counted(asked, state, minute, found, self._thresholds)
            self._states[at] = state
            raised += [at for alarm in state.raised if alarm.last == minute]
        return raised


class FixedLooks:
    """A usual rule. The p-values of features that are not drawn are drawn themselves, uniformly."""

    def __init__(self, rule: UsualRule, profiles: Sequence[FeatureProfile], watched: int, chance: Draws) -> None:
        self._rule, self._profiles, self._watched, self._chance = rule, profiles, watched, chance
        self._empty()

    def _empty(self) -> None:
        self._bins: list[list[int]] = [[0] * len(profile.bins) for profile in self._profiles]

    def alarms(self, minute: int, counts: Sequence[FeatureCounts]) -> list[int]:
        """See `Detector`."""
        for bins, found in zip(self._bins, counts, strict=True):
            for at, count in enumerate(found.bins):
                bins[at] += count
        if (minute + 1) % self._rule.minutes:
            return []
        pairs = zip(self._profiles, self._bins, strict=True)
        values = [self._rule.statistic(profile.bins, bins) for profile, bins in pairs]
        self._empty()
        drawn = len(values)
        others = [self._chance.random() for _ in range(self._watched - drawn)] if self._by_chance else []
        return [at for at in self._rule.alarms([*values, *others], self._watched, self._rule.minutes) if at < drawn]

    @property
    def _by_chance(self) -> bool:
        return self._rule.name.startswith(("chi2", "half"))
