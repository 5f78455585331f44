"""Detectors of the simulation on counts by hand: when each answers, and what it does with features it does not draw."""

import random
from collections.abc import Callable, Sequence

import pytest

from modelyard.api.monitoring.counts import FeatureCounts
from modelyard.api.monitoring.profile import FeatureProfile
from modelyard.core.monitoring.alarms import Clock
from modelyard.core.monitoring.simulation.course import Setting, change, quiet
from modelyard.core.monitoring.simulation.detectors import Detector, FixedLooks, OneClock, ThreeClocks
from modelyard.core.monitoring.simulation.streams import Draws, StreamModel
from modelyard.core.monitoring.simulation.usual_rules import RULES

USUAL, HIGHER = (10, 20, 20, 20, 20, 10), (0, 0, 10, 20, 30, 40)
Made = Callable[..., FeatureProfile]


def minutes_of(detector: Detector, many: int, bins: tuple[int, ...], **counts: int) -> list[int]:
    """The minutes after which the only feature alarms."""
    rows = sum(bins) + sum(counts.values())
    found = FeatureCounts(rows=rows, bins=bins, **counts)
    return [minute for minute in range(many) if detector.alarms(minute, [found])]


def test_one_clock_of_minutes_alarms_at_once_and_starts_anew(number: Made) -> None:
    alarms = minutes_of(OneClock([number()], 30, dispersed=False), 12, HIGHER)
    assert alarms[0] <= 2
    assert len(alarms) > 2
    assert minutes_of(OneClock([number()], 30), 130, USUAL) == []


def test_one_clock_of_hours_alarms_at_their_ends(number: Made) -> None:
    assert minutes_of(OneClock([number()], 30, Clock.HOUR), 180, HIGHER) == [59, 119, 179]


def test_the_point_of_the_reference_is_left_by_the_smallest_difference(number: Made, category: FeatureProfile) -> None:
    slightly = (9, 20, 20, 20, 20, 11)
    assert minutes_of(OneClock([number()], 1, points=True), 3000, slightly)
    assert not minutes_of(OneClock([number()], 1), 3000, slightly)
    assert minutes_of(OneClock([category], 1, points=True), 3000, (55, 38, 7, 0))


def test_a_minute_without_values_is_none(number: Made) -> None:
    some = number(missing=2000, bins=tuple(count // 2 for count in number().bins))
    assert minutes_of(OneClock([some], 1), 3, (0,) * 6, missing=10) == []


def test_three_clocks_tell_what_breaks_at_once_and_shapes_by_the_day(number: Made) -> None:
    assert minutes_of(ThreeClocks([number()], 30), 30, USUAL, missing=20)[0] <= 2
    assert 1440 in minutes_of(ThreeClocks([number()], 30), 1442, HIGHER)


@pytest.mark.parametrize(("rule", "at"), [(RULES[0], [59, 119]), (RULES[3], [14, 29, 44, 59, 74, 89, 104, 119])])
def test_a_usual_rule_looks_at_its_times(number: Made, rule: object, at: list[int]) -> None:
    assert minutes_of(FixedLooks(rule, [number()], 30, random.Random(1)), 120, HIGHER) == at  # pyright: ignore


def test_features_that_are_not_drawn_do_not_alarm(number: Made) -> None:
    psi = next(rule for rule in RULES if rule.name.startswith("PSI"))
    assert minutes_of(FixedLooks(psi, [number()], 30, random.Random(1)), 60, USUAL) == []
    half = RULES[-1]
    assert minutes_of(FixedLooks(half, [number()], 30, random.Random(1)), 60, HIGHER) == []


class Every:
    """Alarms every tenth minute."""

    def alarms(self, minute: int, counts: Sequence[FeatureCounts]) -> list[int]:
        return [0] if minute % 10 == 9 else []


def made(profiles: Sequence[FeatureProfile], watched: int, chance: Draws) -> Detector:
    return Every()


def test_quiet_runs_are_counted_by_month() -> None:
    model, setting = StreamModel(rows=1), Setting(features=1, reference=40)
    never = type("Never", (), {"alarms": lambda self, minute, counts: []})
    rules = {"every": made, "never": lambda *_: never()}
    found = quiet(rules, model, setting, 1, 2, random.Random(1))
    assert found["every"] == (2, 2, 144 * 30)
    assert found["never"] == (2, 0, 0.0)


def test_a_change_is_timed_from_its_beginning() -> None:
    model, setting = StreamModel(rows=1, begins=15), Setting(features=1, reference=40)
    assert change(made, model, setting, 60, 3, random.Random(1)) == (3, 1.0, 5, 5.0)
    assert change(made, model, setting, 4, 3, random.Random(1)) == (3, 0.0, None, None)
