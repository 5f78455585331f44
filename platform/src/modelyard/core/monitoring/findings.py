"""What people are told of each feature: what changed, since when, how far, how much it weighs, what would be seen.

*How far* is the share of rows that would have to move for the two distributions to be one: half the sum of the bins'
differences (total variation), 0..1; for what broke, the share of rows that show it. *Weight* is importance x how far:
what a model does not listen to may drift as it likes. Of the inputs, that is; outputs weigh what they moved.
"""

from collections.abc import Mapping
from typing import NamedTuple

from modelyard.api.monitoring.counts import FeatureCounts
from modelyard.api.monitoring.profile import FeatureProfile

from .alarms import Alarm
from .model_state import ModelQuestions, ModelState
from .questions import INVALID, MISSING, SHAPE
from .visible_change import VisibleChange, visible_change


class FeatureFinding(NamedTuple):
    """One feature with one alarm, or none; `weight` is None where importance was not measured."""

    profile: FeatureProfile
    alarm: Alarm | None
    shift: float
    weight: float | None
    visible: VisibleChange
    rows: int


def findings(
    questions: ModelQuestions, state: ModelState, recent: Mapping[str, FeatureCounts], rows_a_day: int
) -> list[FeatureFinding]:
    """One for every alarm and one for every quiet feature: what broke, then by weight, then the quiet ones.

    `recent` are the counts that "how far" is told from; at `rows_a_day` is the smallest visible change.
    """
    found = []
    for name, asked in questions.features.items():
        kept = state.features.get(name)
        counts = recent.get(name)
        visible = visible_change(asked, kept, rows_a_day, questions.thresholds)
        rows = counts.rows if counts is not None else 0
        for alarm in (kept.raised if kept is not None else ()) or (None,):
            shift = moved(asked.profile, counts) if alarm is None or not alarm.broken else alarm.observed
            found.append(FeatureFinding(asked.profile, alarm, shift, weight_of(asked.profile, shift), visible, rows))
    return sorted(found, key=_rank)


def moved(profile: FeatureProfile, counts: FeatureCounts | None) -> float:
    """Total variation between the reference's bins and the counted ones, 0..1; 0 when either is empty."""
    before, after = sum(profile.bins), sum(counts.bins) if counts is not None else 0
    if counts is None or not before or not after or len(counts.bins) != len(profile.bins):
        return 0.0
    return sum(abs(a / before - b / after) for a, b in zip(profile.bins, counts.bins, strict=True)) / 2.0


def weight_of(profile: FeatureProfile, shift: float) -> float | None:
    """Importance x how far; None where importance was not measured."""
    if profile.role != "input":
        return shift
    return None if profile.importance is None else profile.importance * shift


def sentence(alarm: Alarm) -> str:
    """What an alarm says, such as "3.1% of the rows have no value; of the reference 0.2%"."""
    now, before = _percent(alarm.observed), _percent(alarm.share)
    if alarm.kind == SHAPE:
        return f"{now} are {alarm.label}; of the reference {before}"
    words = {MISSING: "have no value", INVALID: "lack the column or hold another type"}
    return f"{now} of the rows {words.get(alarm.kind, 'lie outside the reference')}; of the reference {before}"


def _percent(share: float) -> str:
    return f"{100.0 * share:.3g}%"


def _rank(finding: FeatureFinding) -> tuple[bool, bool, float, str]:
    alarm, weight = finding.alarm, finding.weight
    weighed = finding.shift if weight is None else weight
    return alarm is None, alarm is not None and not alarm.broken, -weighed, finding.profile.name
