"""One minute of one feature through the three clocks.

*Minutes* for what breaks: every minute's missing, invalid and outside rows are evidence at once. *Hours* for shapes
that move fast, with the bounds moved by a tolerance: a rhythm of the day is no change (+-0.1 sigma makes 240 false
alarms in 12 days). The first week teaches the tolerance and raises nothing on this clock. *Days* for shapes, without
tolerance: a whole day holds the whole rhythm. A day is whole when at least three quarters as many of its hours had rows
as of the fullest day before; what is left of the first one is none.

How bursty a break is shows in the hours that have any; where the reference has some (1 %), already in the first one,
as far as it has come. Of breaks that it does not have, an hour with an alarm teaches nothing: the beginning of a break
would look like a burst, and hide the next one.

A step with few rows costs more (log 7) than it tells, so hours below FEWEST_AN_HOUR rows go into the next of the same
day, and days below FEWEST_A_DAY into the next.
"""

import math
from dataclasses import replace

from modelyard.api.monitoring.counts import FeatureCounts

from .alarms import Alarm, Clock
from .feature_state import FeatureState, OpenDay, RhythmTolerance, empty_hour
from .questions import SHAPE, FeatureQuestions
from .statistics.bounds import logit
from .statistics.dispersion import Phi, pooled
from .statistics.evidence import advance, advance_mixed

LEARNING_HOURS = 168
LEAST_TOLERANCE, MOST_TOLERANCE = 0.2, 1.6
"""Log-odds. A rhythm that takes more than the second leaves the hours nothing to say."""
TOLERANCE_MARGIN = 1.25
FEWEST_AN_HOUR = 200
FEWEST_A_DAY = 500
NEXT_TO_NOTHING = 10.0
_WHOLE = 0.75
_ROUNDING = 0.05

Thresholds = tuple[float, float, float]
"""E from which on a feature alarms, by clock."""


def closed(questions: FeatureQuestions, state: FeatureState, minute: int, thresholds: Thresholds) -> FeatureState:
    """The state at the beginning of `minute`: hours and days that are over by then are judged, old alarms end."""
    if minute // 60 != state.hour.number:
        state = _hour_over(questions, state, minute, thresholds)
    alarms = tuple(None if alarm is None or alarm.over(minute) else alarm for alarm in state.alarms)
    return state if alarms == state.alarms else replace(state, alarms=alarms)


def counted(
    questions: FeatureQuestions, state: FeatureState, minute: int, counts: FeatureCounts, thresholds: Thresholds
) -> FeatureState:
    """The state after `minute`, which `closed` has begun."""
    if not counts.rows:
        return state
    values = counts.rows - counts.missing - counts.invalid
    hits = questions.shape_hits(counts.bins) if values else (0,) * len(questions.shapes)
    breaks = tuple(question.counted(counts) for question in questions.breaks)
    squares = (
        sum(hit * hit / variance for hit, variance in zip(hits, questions.variances, strict=True)) / max(1, values),
        *(hit * hit / trials if trials else 0.0 for hit, trials in breaks),
    )
    hour = state.hour
    hour = hour._replace(
        minutes=hour.minutes + 1,
        values=hour.values + values,
        hits=tuple(map(int.__add__, hour.hits, hits)),
        breaks=tuple((a + c, b + d) for (a, b), (c, d) in zip(hour.breaks, breaks, strict=True)),
        squares=tuple(map(float.__add__, hour.squares, squares)),
    )
    divisors = [
        Phi(_so_far(hour.minutes, kept, squared)).divisor if question.usual and not phi.weight else phi.divisor
        for question, phi, kept, squared in zip(
            questions.breaks, state.phis[1:], hour.breaks, hour.squares[1:], strict=True
        )
    ]
    sums = tuple(
        advance(before, hit, trials - hit, question.against, divisor)
        for before, (hit, trials), question, divisor in zip(
            state.minute_sums, breaks, questions.breaks, divisors, strict=True
        )
    )
    return _minute_judged(questions, replace(state, hour=hour, minute_sums=sums), minute, thresholds[Clock.MINUTE])


def _so_far(minutes: int, kept: tuple[int, int], squares: float) -> float:
    """phi of a break by the minutes of the open hour: what there is in the first hour, and what the mean gets of it."""
    hits, trials = kept
    return pooled(minutes, trials, (hits,), squares, (1.0,))


def _minute_judged(questions: FeatureQuestions, state: FeatureState, minute: int, threshold: float) -> FeatureState:
    kept = sum(map(len, state.minute_sums))
    evidence = sum(map(sum, state.minute_sums)) / kept if kept else 0.0
    if evidence < NEXT_TO_NOTHING:
        return replace(state, quiet=(minute, *state.quiet[1:]))
    if evidence < threshold:
        return state
    at = max(range(len(state.minute_sums)), key=lambda which: max(state.minute_sums[which]))
    question, (hits, trials) = questions.breaks[at], state.hour.breaks[at]
    alarm = Alarm(
        Clock.MINUTE, question.kind, question.kind, 1, state.quiet[0], minute, minute, hits, trials, question.share
    )
    none = tuple((0.0,) * len(sums) for sums in state.minute_sums)
    return _with_alarm(replace(state, minute_sums=none), alarm)


def _hour_over(questions: FeatureQuestions, state: FeatureState, minute: int, thresholds: Thresholds) -> FeatureState:
    """With the open hour judged, or carried into the next of the same day; then the day, where it is over."""
    span, same_day = state.hour, minute // 1440 == state.day.number
    if span.minutes and same_day and span.values < FEWEST_AN_HOUR:
        day = state.day._replace(hours=state.day.hours | 1 << span.number % 24)
        return replace(state, hour=span._replace(number=minute // 60), day=day)
    if span.minutes:
        state = _with_phis(questions, state)
        state = _hour_judged(questions, state, minute, thresholds[Clock.HOUR])
        day = state.day
        day = day._replace(
            hours=day.hours | 1 << span.number % 24,
            values=day.values + span.values,
            hits=tuple(map(int.__add__, day.hits, span.hits)),
        )
        state = replace(state, day=day)
    state = replace(state, hour=empty_hour(questions, minute // 60))
    return state if same_day else _day_over(questions, state, minute, thresholds[Clock.DAY])


def _with_phis(questions: FeatureQuestions, state: FeatureState) -> FeatureState:
    span, (shapes, *breaks) = state.hour, state.phis
    if span.values:
        factor = pooled(span.minutes, span.values, span.hits, span.squares[0], questions.variances)
        shapes = shapes.after(span.minutes, factor)
    calm = state.alarms[Clock.MINUTE] is None
    after = [
        phi.after(span.minutes, _so_far(span.minutes, kept, squares)) if kept[0] and (question.usual or calm) else phi
        for question, phi, kept, squares in zip(questions.breaks, breaks, span.breaks, span.squares[1:], strict=True)
    ]
    return replace(state, phis=(shapes, *after))


def _hour_judged(questions: FeatureQuestions, state: FeatureState, minute: int, threshold: float) -> FeatureState:
    """An hour's values against bounds with tolerance; in the first week they teach the tolerance."""
    span, learnt = state.hour, state.tolerance
    if not questions.shapes or not span.values:
        return state
    if learnt.hours < LEARNING_HOURS:
        seen = TOLERANCE_MARGIN * _excess(questions, state)
        wider = min(MOST_TOLERANCE, max(learnt.log_odds, math.ceil(seen / _ROUNDING) * _ROUNDING))
        return replace(
            state,
            tolerance=RhythmTolerance(wider, learnt.hours + 1),
            quiet=(state.quiet[0], minute, state.quiet[2]),
        )
    sums = _stepped(questions, state, state.hour_sums, span.values, span.hits, learnt.log_odds)
    return _shape_judged(
        questions, replace(state, hour_sums=sums), Clock.HOUR, minute, span.values, span.hits, threshold
    )


def _excess(questions: FeatureQuestions, state: FeatureState) -> float:
    """How far, in log-odds, the hour's shares are surely (two standard errors) beyond their bounds; 0 when none is."""
    span, phi, most = state.hour, state.phis[0].divisor, 0.0
    for question, hits in zip(questions.shapes, span.hits, strict=True):
        for count, bound in ((hits, question.high), (span.values - hits, 1.0 - question.low)):
            share = (count + 0.5) / (span.values + 1.0)
            error = math.sqrt(phi / (span.values * share * (1.0 - share)))
            if bound < 1.0 and (questions.both_sides or bound == question.high):
                most = max(most, logit(share) - 2.0 * error - logit(bound))
    return most


def _day_over(questions: FeatureQuestions, state: FeatureState, minute: int, threshold: float) -> FeatureState:
    """With the day judged when it is whole and has rows enough; a new one is begun."""
    day, first = state.day, not state.day.whole
    hours = day.hours.bit_count()
    begun = OpenDay(minute // 1440, hits=(0,) * len(day.hits), whole=max(day.whole, hours, 1), kept=day.kept)
    state = replace(state, day=begun)
    if not day.values or hours < _WHOLE * day.whole or (first and not day.hours & 1):
        return state
    values, hits = day.kept[0] + day.values, tuple(map(int.__add__, day.kept[1:], day.hits))
    if values < FEWEST_A_DAY:
        return replace(state, day=begun._replace(kept=(values, *hits)))
    state = replace(state, day=begun._replace(kept=(0,) * len(day.kept)))
    sums = _stepped(questions, state, state.day_sums, values, hits, 0.0)
    return _shape_judged(questions, replace(state, day_sums=sums), Clock.DAY, minute, values, hits, threshold)


def _stepped(
    questions: FeatureQuestions,
    state: FeatureState,
    sums: tuple[float, ...],
    values: int,
    hits: tuple[int, ...],
    tolerance: float,
) -> tuple[float, ...]:
    """The evidence on hours or days after one more step."""
    phi = state.phis[0].divisor
    counts = [(hit, values - hit) for hit in hits]
    counts += [(misses, hit) for hit, misses in counts] if questions.both_sides else []
    return tuple(
        advance_mixed(before, shown, not_shown, against, phi)
        for before, (shown, not_shown), against in zip(sums, counts, questions.sides(tolerance), strict=True)
    )


def _shape_judged(
    questions: FeatureQuestions,
    state: FeatureState,
    clock: Clock,
    minute: int,
    values: int,
    hits: tuple[int, ...],
    threshold: float,
) -> FeatureState:
    sums = state.hour_sums if clock is Clock.HOUR else state.day_sums
    evidence = sum(sums) / len(sums) if sums else 0.0
    if evidence < NEXT_TO_NOTHING:
        quiet = tuple(minute if which == clock else before for which, before in enumerate(state.quiet))
        return replace(state, quiet=quiet)
    if evidence < threshold:
        return state
    at = max(range(len(sums)), key=sums.__getitem__)
    question, side = questions.shapes[at % len(hits)], 1 if at < len(hits) else -1
    alarm = Alarm(
        clock, SHAPE, question.label, side, state.quiet[clock], minute, minute, hits[at % len(hits)], values,
        question.share,
    )  # fmt: skip
    none = (0.0,) * len(sums)
    cleared = replace(state, hour_sums=none) if clock is Clock.HOUR else replace(state, day_sums=none)
    return _with_alarm(cleared, alarm)


def _with_alarm(state: FeatureState, alarm: Alarm) -> FeatureState:
    before = state.alarms[alarm.clock]
    raised = alarm if before is None else before.renewed(alarm)
    alarms = tuple(raised if which == alarm.clock else other for which, other in enumerate(state.alarms))
    quiet = tuple(alarm.last if which == alarm.clock else minute for which, minute in enumerate(state.quiet))
    return replace(state, alarms=alarms, quiet=quiet)
