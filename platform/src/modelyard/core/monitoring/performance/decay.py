"""Decay: the share of wrong answers has left what the reference bounds. The detector of drift, on labelled answers.

| answers | event | reference |
|---|---|---|
| classes | the answer is wrong | the evaluation set, where the build measured accuracy; else the first LEARNT_ROWS |
| numbers | the absolute error is above the median, or the 90 % point, of the first LEARNT_ROWS ones | those rows |
| a slice | as above, of its rows | the first LEARNT_ROWS labels of the slice |

Events are counted by the minute of the *answer*, so labels that come late re-open their hour, and `decay` goes through
all of it anew; it depends on the labels that count alone, not on when they came. Two clocks, as for shapes
(`feature_update`): hours with a tolerance of 0.2 log-odds, for the rhythm of a day, and whole days without. The hour
that runs is judged as far as it has come: evidence may be looked at at any time. Bursts are told by how much the
minutes of earlier hours varied (`statistics.dispersion`).
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from modelyard.core.monitoring.alarms import STEPS_A_YEAR, Alarm, Clock
from modelyard.core.monitoring.feature_update import LEAST_TOLERANCE, NEXT_TO_NOTHING
from modelyard.core.monitoring.statistics.bounds import interval
from modelyard.core.monitoring.statistics.dispersion import Phi, pooled
from modelyard.core.monitoring.statistics.evidence import Slopes, Sums, advance, slopes, threshold

DECAY = "decay"
LEARNT_ROWS = 500
_CLOCKS = (Clock.HOUR, Clock.DAY)


class QualityQuestion(NamedTuple):
    """What is asked of labelled answers: `slice` is empty for all of them; `hits` of `trials` in the reference."""

    slice: str
    event: str
    hits: int
    trials: int

    @property
    def share(self) -> float:
        """Of the event in the reference."""
        return self.hits / self.trials


class LabelledMinute(NamedTuple):
    """Labelled answers of a minute (since the epoch), and how many of them show the event."""

    minute: int
    rows: int
    hits: int


class DecayFinding(NamedTuple):
    """The alarm of a question, None when there is none, and the rows that were held against the reference."""

    question: QualityQuestion
    alarm: Alarm | None
    rows: int
    hits: int


class _Course(NamedTuple):
    """One clock: the evidence, since when it was next to nothing, and its alarm."""

    sums: Sums
    quiet: int
    alarm: Alarm | None = None


def decay(
    question: QualityQuestion, minutes: Sequence[LabelledMinute], questions: int, false_alarms: float, now: int
) -> DecayFinding:
    """What minutes in order say of one of `questions` questions, of which all together alarm falsely so often a year.

    `now` is the minute it is: the day that runs is not over. An alarm ends when labelled answers no longer renew it;
    that no label comes ends none.
    """
    seen = [one for one in minutes if one.rows and one.minute <= now]
    bound = interval(question.hits, question.trials)[1]
    needed = {clock: threshold(STEPS_A_YEAR[clock], questions, false_alarms / len(_CLOCKS)) for clock in _CLOCKS}
    against = {Clock.HOUR: slopes(bound, LEAST_TOLERANCE), Clock.DAY: slopes(bound)}
    begins, last = (seen[0].minute, seen[-1].minute) if seen else (now, now)
    courses = {clock: _Course((0.0,) * len(against[clock]), begins) for clock in _CLOCKS}
    phi = Phi()
    for day, of_day in groupby(seen, key=lambda one: one.minute // 1440):
        rows = hits = 0
        phi_before = phi
        for hour, of_hour in groupby(of_day, key=lambda one: one.minute // 60):
            here = list(of_hour)
            counted = (sum(one.rows for one in here), sum(one.hits for one in here))
            at = min(now, hour * 60 + 59)
            courses[Clock.HOUR] = _stepped(
                question, courses[Clock.HOUR], Clock.HOUR, at, counted, against[Clock.HOUR], phi, needed[Clock.HOUR]
            )
            phi = phi.after(len(here), pooled(len(here), counted[0], counted[1:], _squares(here), (1.0,)))
            rows, hits = rows + counted[0], hits + counted[1]
        if now // 1440 > day:
            at = day * 1440 + 1439
            courses[Clock.DAY] = _stepped(
                question, courses[Clock.DAY], Clock.DAY, at, (rows, hits), against[Clock.DAY], phi_before,
                needed[Clock.DAY],
            )  # fmt: skip
    alarms = [course.alarm for course in courses.values() if course.alarm is not None and not course.alarm.over(last)]
    return DecayFinding(
        question,
        min(alarms, key=lambda alarm: alarm.since, default=None),
        sum(one.rows for one in seen),
        sum(one.hits for one in seen),
    )


def minutes_of(events: Iterable[tuple[int, bool]]) -> list[LabelledMinute]:
    """The minutes of (minute, whether the event shows) of each answer, in order."""
    counts: dict[int, tuple[int, int]] = {}
    for minute, hit in events:
        rows, hits = counts.get(minute, (0, 0))
        counts[minute] = (rows + 1, hits + hit)
    return [LabelledMinute(minute, *counts[minute]) for minute in sorted(counts)]


def said(finding: DecayFinding) -> str:
    """What an alarm says, such as "12% of the answers are wrong; of the reference 5.1%"."""
    alarm = finding.alarm
    if alarm is None:
        return ""
    now, before = (f"{100.0 * share:.3g}%" for share in (alarm.observed, alarm.share))
    return f"{now} of the answers {_words(alarm.label)}; of the reference {before}"


def _words(event: str) -> str:
    return "are wrong" if event == "wrong" else f"have an {event}"


def _squares(minutes: Sequence[LabelledMinute]) -> float:
    return sum(one.hits * one.hits / one.rows for one in minutes)


def _stepped(
    question: QualityQuestion,
    course: _Course,
    clock: Clock,
    at: int,
    counted: tuple[int, int],
    against: Slopes,
    phi: Phi,
    needed: float,
) -> _Course:
    """The course after a step that ends at minute `at`, with `counted` rows and hits."""
    rows, hits = counted
    alarm = None if course.alarm is None or course.alarm.over(at) else course.alarm
    sums = advance(course.sums, hits, rows - hits, against, phi.divisor)
    evidence = sum(sums) / len(sums) if sums else 0.0
    if evidence < NEXT_TO_NOTHING:
        return _Course(sums, at, alarm)
    if evidence < needed:
        return _Course(sums, course.quiet, alarm)
    raised = Alarm(clock, DECAY, question.event, 1, course.quiet, at, at, hits, rows, question.share)
    return _Course((0.0,) * len(sums), at, raised if alarm is None else alarm.renewed(raised))
