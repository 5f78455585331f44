"""What people and Prometheus are told of a revision's labelled answers, and the notes that belong to any telling."""

from collections.abc import Iterator

from modelyard.api.monitoring.performance import (
    MOST_DECAYED,
    MOST_MEASURES,
    DecayedSlice,
    MeasuredPerformance,
    PerformanceStatus,
    PerformanceVerdict,
)
from modelyard.core.monitoring.evaluated.data_status import moment
from modelyard.core.monitoring.performance.decay import said

from .measures import Measure
from .performance import ALL, ModelQuality, RevisionQuality

_LONGEST = 500


def performance_status(found: ModelQuality, revision: str) -> PerformanceStatus:
    """The status of one revision; what is said of labels that fit nothing is of the whole Model."""
    own = [one for one in found.revisions if one.revision == revision]
    decayed = sorted((one for many in own for one in _decayed(many)), key=_rank)
    learning = max((one.learning for one in own), default=0)
    verdict = PerformanceVerdict.NO_LABELS if not own else PerformanceVerdict.KEPT
    if own and all(one.learning for one in own):
        verdict = PerformanceVerdict.LEARNING
    if decayed:
        verdict = PerformanceVerdict.DECAYED
    return PerformanceStatus(
        verdict=verdict,
        labels=sum(one.rows for one in own),
        learning=learning,
        measures=[_measured(one.output, measure) for one in own for measure in one.slices[ALL]][:MOST_MEASURES],
        decayed=len(decayed),
        worst=decayed[:MOST_DECAYED],
        message=" ".join(sentences(found))[:_LONGEST],
    )


def sentences(found: ModelQuality) -> Iterator[str]:
    """Of labels that say nothing, and of columns that are not there."""
    for count, what in (
        (found.unknown, "labels are of rows that are not recorded"),
        (found.unfit, "labels fit no recorded answer: another output, an unknown class, or no number"),
        (found.repeated, "labels came again"),
        (found.contradicting, "labels contradict others; what was known last counts"),
    ):
        if count:
            yield f"{count} {what}."
    for name in found.unkept:
        yield f"no recorded row has the column {name} of a slice: name it in spec.monitoring.log.columns."


def _decayed(one: RevisionQuality) -> Iterator[DecayedSlice]:
    for finding in one.decays:
        if finding.alarm is not None:
            yield DecayedSlice(
                slice=finding.question.slice[:256],
                output=one.output[:128],
                since=moment(finding.alarm.since),
                message=said(finding)[:_LONGEST],
                share=_short(finding.alarm.observed),
                reference=_short(finding.alarm.share),
            )


def _rank(one: DecayedSlice) -> tuple[bool, float, str, str]:
    """All answers, then what has gone farthest."""
    return one.slice != ALL, one.reference - one.share, one.slice, one.output


def _measured(output: str, measure: Measure) -> MeasuredPerformance:
    numbers = {"value": measure.value, "low": measure.low, "high": measure.high}
    shown = {name: None if number is None else float(f"{number:.4g}") for name, number in numbers.items()}
    return MeasuredPerformance(name=measure.name, output=output[:128], labels=measure.rows, **shown)


def _short(share: float) -> float:
    return float(f"{min(1.0, max(0.0, share)):.3g}")
