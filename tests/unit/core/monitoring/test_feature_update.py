"""One feature through its three clocks."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from modelyard.api.monitoring.counts import FeatureCounts
from modelyard.api.monitoring.profile import FeatureProfile
from modelyard.core.monitoring.alarms import Alarm, Clock
from modelyard.core.monitoring.feature_state import FeatureState, fresh
from modelyard.core.monitoring.feature_update import (
    FEWEST_A_DAY,
    FEWEST_AN_HOUR,
    LEARNING_HOURS,
    LEAST_TOLERANCE,
    MOST_TOLERANCE,
    closed,
    counted,
)
from modelyard.core.monitoring.questions import FeatureQuestions

DAY = 1440
USUAL = (10, 20, 20, 20, 20, 10)
HIGHER = (4, 13, 18, 22, 26, 17)
"""About as if the mean had moved by 0.4 standard deviations."""
THRESHOLDS = 3 * 525_960.0 * 30, 3 * 8_766.0 * 30, 3 * 365.25 * 30

Made = Callable[..., FeatureProfile]
Bins = tuple[int, ...]


class Course:
    """A feature and its state, fed minute by minute from the beginning of a day on."""

    def __init__(self, profile: FeatureProfile, start: int = 0, learnt: int = 0) -> None:
        self.asked = FeatureQuestions(profile)
        self.state = fresh(self.asked, start, LEAST_TOLERANCE)
        self.state = replace(self.state, tolerance=self.state.tolerance._replace(hours=learnt))
        self.minute = start

    def feed(self, minutes: int, bins: Bins = USUAL, every: int = 1, **counts: int) -> FeatureState:
        rows = sum(bins) + counts.get("missing", 0) + counts.get("invalid", 0)
        for _ in range(minutes):
            self.state = closed(self.asked, self.state, self.minute, THRESHOLDS)
            if self.minute % every == 0:
                found = FeatureCounts(rows=rows, bins=bins, **counts)
                self.state = counted(self.asked, self.state, self.minute, found, THRESHOLDS)
            self.minute += 1
        return self.state

    def alarm(self, clock: Clock) -> Alarm:
        found = self.state.alarms[clock]
        assert found is not None
        return found


def test_usual_rows_raise_nothing_for_three_days(number: Made) -> None:
    course = Course(number(), learnt=LEARNING_HOURS)
    assert course.feed(3 * DAY).raised == ()


@pytest.mark.parametrize(
    ("kind", "counts"), [("missing", {"missing": 4}), ("invalid", {"invalid": 4}), ("outside", {"outside": 4})]
)
def test_what_breaks_is_told_within_minutes(number: Made, kind: str, counts: dict[str, int]) -> None:
    course = Course(number())
    course.feed(90)
    course.feed(30, **counts)

    alarm = course.alarm(Clock.MINUTE)
    assert (alarm.kind, alarm.side, alarm.broken) == (kind, 1, True)
    assert 88 <= alarm.since <= 92
    assert alarm.raised < 110
    assert alarm.observed > alarm.share


def test_a_break_that_lasts_is_one_alarm_that_is_renewed_and_one_that_is_over_goes(number: Made) -> None:
    course = Course(number())
    course.feed(60)
    course.feed(120, missing=4)
    lasting = course.alarm(Clock.MINUTE)
    assert lasting.raised < 90 < lasting.last
    course.feed(180)
    assert course.state.alarms[Clock.MINUTE] is None


def test_a_moved_shape_is_told_by_the_hours_after_the_first_week(number: Made) -> None:
    course = Course(number(), learnt=LEARNING_HOURS)
    course.feed(6 * 60)
    course.feed(3 * 60, HIGHER)

    alarm = course.alarm(Clock.HOUR)
    assert (alarm.kind, alarm.side, alarm.broken) == ("shape", 1, False)
    assert alarm.label.startswith("above")
    assert 300 <= alarm.since <= 420


def test_a_shape_that_falls_is_told_as_well(number: Made) -> None:
    course = Course(number(), learnt=LEARNING_HOURS)
    course.feed(3 * 60, HIGHER[::-1])
    assert course.alarm(Clock.HOUR).side == -1


def test_in_the_first_week_hours_raise_nothing_and_the_day_does(number: Made) -> None:
    course = Course(number())
    course.feed(DAY + 1, HIGHER)
    assert course.state.alarms[Clock.HOUR] is None
    assert course.alarm(Clock.DAY).trials == 100 * DAY
    assert course.state.tolerance.hours == 24


def test_a_rhythm_teaches_the_tolerance_and_then_raises_nothing(number: Made) -> None:
    course = Course(number())
    down = HIGHER[::-1]
    for _ in range(7):
        course.feed(DAY // 2, HIGHER)
        course.feed(DAY // 2, down)
    course.feed(1)
    assert course.state.tolerance.hours == LEARNING_HOURS
    assert LEAST_TOLERANCE < course.state.tolerance.log_odds < MOST_TOLERANCE
    course.feed(DAY // 2 - 1, HIGHER)
    course.feed(DAY // 2 + 1, down)
    assert course.state.raised == ()


def test_the_tolerance_has_an_end(number: Made) -> None:
    course = Course(number())
    course.feed(61, (0, 0, 0, 0, 0, 100))
    assert course.state.tolerance.log_odds == MOST_TOLERANCE


def test_hours_with_few_rows_are_added_to_the_next_of_the_day(number: Made) -> None:
    course = Course(number(), learnt=LEARNING_HOURS)
    course.feed(61, every=60)
    assert course.state.hour.values == FEWEST_AN_HOUR
    course.feed(60, every=60)
    assert course.state.hour.values == 100
    assert course.state.day.hours == 0b11


def test_few_rows_do_not_go_into_the_next_day_but_their_day_is_kept(number: Made) -> None:
    course = Course(number())
    course.feed(DAY + 1, (1, 2, 2, 2, 2, 1), every=60)
    assert course.state.hour.values == 10
    assert course.state.day.kept[0] == 240
    course.feed(2 * DAY, (1, 2, 2, 2, 2, 1), every=60)
    assert FEWEST_A_DAY <= 3 * 240
    assert course.state.day.kept[0] == 0


def test_what_is_left_of_the_first_day_is_no_whole_day(number: Made) -> None:
    course = Course(number(), start=15 * 60)
    course.feed(9 * 60 + 1, HIGHER)
    assert course.state.alarms[Clock.DAY] is None
    course.feed(DAY, HIGHER)
    assert course.state.alarms[Clock.DAY] is not None


def test_a_day_with_an_outage_is_no_whole_day(number: Made) -> None:
    course = Course(number())
    course.feed(DAY)
    course.feed(9 * 60, HIGHER)
    course.minute = 2 * DAY
    course.feed(1)
    assert course.state.alarms[Clock.DAY] is None
    assert course.state.day.whole == 24


def test_a_gap_of_days_costs_nothing(number: Made) -> None:
    course = Course(number(), learnt=LEARNING_HOURS)
    course.feed(DAY)
    course.minute += 40 * DAY
    course.feed(DAY)
    assert course.state.raised == ()


def test_a_minute_of_nothing_but_missing_rows_has_no_shape(number: Made) -> None:
    course = Course(number(missing=2000, bins=tuple(count // 2 for count in number().bins)))
    course.feed(3, (0,) * 6, missing=100)
    assert (course.state.hour.values, course.state.hour.minutes) == (0, 3)
    course.feed(60, (0,) * 6, missing=100)


def test_an_empty_minute_is_none(number: Made) -> None:
    course = Course(number())
    course.feed(5, (0,) * 6)
    assert course.state.hour.minutes == 0


def test_bursts_of_missing_rows_are_divided_by_how_much_they_vary(number: Made) -> None:
    course = Course(number(missing=400, bins=tuple(count * 9 // 10 for count in number().bins)))
    for _ in range(12 * 60 // 6):
        course.feed(5)
        course.feed(1, missing=60)
    assert course.state.phis[2].divisor > 10
    assert course.state.phis[1].divisor == 1.0
    assert course.state.alarms[Clock.MINUTE] is None


def test_a_break_that_is_over_does_not_hide_the_next_one(number: Made) -> None:
    course = Course(number())
    course.feed(60)
    course.feed(30, missing=60)
    course.feed(6 * 60 - 90)
    assert course.state.phis[2].divisor == 1.0
    course.feed(3 * 60)
    course.feed(10, missing=4)
    assert course.alarm(Clock.MINUTE).raised < 9 * 60 + 8


def test_a_few_missing_rows_that_are_no_alarm_teach_how_bursty_they_are(number: Made) -> None:
    course = Course(number())
    course.feed(59)
    course.feed(1, missing=2)
    course.feed(1)
    assert course.state.phis[2].weight == 59


def test_a_category_that_grows_is_told(category: FeatureProfile) -> None:
    course = Course(category, learnt=LEARNING_HOURS)
    course.feed(60, (60, 35, 5, 0))
    course.feed(24 * 60 + 1, (55, 33, 12, 0))
    alarm = course.alarm(Clock.HOUR)
    assert (alarm.label, alarm.side) == ("c", 1)
    assert course.state.tolerance.log_odds == LEAST_TOLERANCE


def test_categories_teach_the_tolerance_by_growing_only(category: FeatureProfile) -> None:
    course = Course(category)
    course.feed(61, (60, 35, 5, 0))
    assert course.state.tolerance == (LEAST_TOLERANCE, 1)
    course.feed(60, (45, 35, 20, 0))
    assert course.state.tolerance.log_odds > LEAST_TOLERANCE


def test_a_reference_without_values_knows_no_shape_and_still_sees_what_is_invalid(number: Made) -> None:
    course = Course(number(missing=4000), learnt=LEARNING_HOURS)
    course.feed(2 * DAY, (100,))
    assert course.state.raised == ()
    course.feed(20, (90,), invalid=10)
    assert course.alarm(Clock.MINUTE).kind == "invalid"


def test_alarms_of_two_clocks_stand_beside_each_other(number: Made) -> None:
    course = Course(number(), learnt=LEARNING_HOURS)
    course.feed(4 * 60, HIGHER, missing=5)
    assert [alarm.clock for alarm in course.state.raised] == [Clock.MINUTE, Clock.HOUR]
    assert course.alarm(Clock.HOUR).renewed(course.alarm(Clock.HOUR)) == course.alarm(Clock.HOUR)
    assert Alarm(Clock.DAY, "shape", "x", 1, 0, 0, 0, 0, 0, 0.1).observed == 0.0


def test_a_day_of_nothing_but_missing_rows_says_nothing_of_shapes(number: Made) -> None:
    course = Course(number(missing=2000, bins=tuple(count // 2 for count in number().bins)))
    course.feed(DAY + 1, (0,) * 6, every=20, missing=2)
    assert course.state.phis[0].weight == 0
    assert course.state.tolerance.hours == 0
    assert course.state.raised[0].kind == "missing"


def test_evidence_that_is_not_enough_waits_for_more(number: Made) -> None:
    course = Course(number(), learnt=LEARNING_HOURS)
    course.feed(61, (5, 16, 20, 20, 20, 19), every=5)
    assert 10.0 < sum(course.state.hour_sums) / 10 < THRESHOLDS[Clock.HOUR]
    assert (course.state.raised, course.state.quiet[Clock.HOUR]) == ((), 0)
