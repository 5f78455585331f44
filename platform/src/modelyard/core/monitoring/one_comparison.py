"""Two heaps of rows without times, compared once: which features are not alike, with one chance in a hundred to err.

One step of `statistics/evidence.py`: E is the mean, over a feature's questions and alternatives, of LR_j. As an e-value
its mean is at most 1 while nothing changed, so E >= F / LEVEL happens with chance LEVEL / F (Markov), and with chance
LEVEL for any of the F features. Nothing is known of bursts in rows without times, so phi is 1.
"""

import math
from dataclasses import replace

from modelyard.api.monitoring.counts import FeatureCounts

from .alarms import Alarm, Clock
from .feature_state import FeatureState, fresh
from .model_state import ModelQuestions, ModelState
from .questions import SHAPE, FeatureQuestions
from .statistics.evidence import Slopes, advance_mixed

LEVEL = 0.01


def compared(questions: ModelQuestions, counts: dict[str, FeatureCounts]) -> ModelState:
    """The state in which the alarms are those of the comparison; their times mean nothing."""
    threshold = max(1, len(questions.features)) / LEVEL
    features, unfit = {}, 0
    for name, asked in questions.features.items():
        features[name] = fresh(asked, 0, 0.0)
        found = counts.get(name)
        if found is not None and not asked.fits(found):
            unfit += 1
        elif found is not None and found.rows:
            features[name] = _judged(asked, features[name], found, threshold)
    unknown = tuple(name for name in counts if questions.profile.feature(name) is None)
    return ModelState(features=features, unfit=unfit, unknown=unknown)


def one_step_needed(features: int, events: int) -> float:
    """log evidence that one event needs to be told, of `events` that a feature is asked about."""
    return math.log(max(1, features) / LEVEL * max(1, events))


def _judged(asked: FeatureQuestions, state: FeatureState, counts: FeatureCounts, threshold: float) -> FeatureState:
    values = counts.rows - counts.missing - counts.invalid
    hits = asked.shape_hits(counts.bins) if values else (0,) * len(asked.shapes)
    breaks = [
        (_evidence(hit, trials - hit, question.against),
         Alarm(Clock.MINUTE, question.kind, question.kind, 1, 0, 0, 0, hit, trials, question.share))
        for question in asked.breaks
        for hit, trials in (question.counted(counts),)
    ]  # fmt: skip
    sides = asked.sides(0.0)
    shapes = [
        (_evidence(*((hit, values - hit) if side > 0 else (values - hit, hit)), against),
         Alarm(Clock.DAY, SHAPE, question.label, side, 0, 0, 0, hit, values, question.share))
        for side, offset in ((1, 0), (-1, len(hits)))
        if offset < len(sides)
        for question, hit, against in zip(asked.shapes, hits, sides[offset:], strict=False)
    ]  # fmt: skip
    return replace(state, alarms=(_strongest(breaks, threshold), None, _strongest(shapes, threshold)))


def _evidence(hits: int, misses: int, against: Slopes) -> float:
    return advance_mixed(0.0, hits, misses, against) if against else 0.0


def _strongest(events: list[tuple[float, Alarm]], threshold: float) -> Alarm | None:
    """The event with the most evidence, when the mean of all is enough."""
    if not events or sum(evidence for evidence, _ in events) / len(events) < threshold:
        return None
    return max(events, key=lambda event: event[0])[1]
