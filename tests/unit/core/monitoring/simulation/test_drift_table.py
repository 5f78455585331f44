"""What the detector promises, simulated with fixed seeds: a part of it here, the whole table in `make proof`.

30 features, 100 rows a minute, a reference of 4,000 rows, one false alarm a year; the change is in one feature. The
bench prints the table (`python -m tests.bench.monitoring.drift`).
"""

import random
from dataclasses import replace

import pytest

from modelyard.core.monitoring.alarms import Clock
from modelyard.core.monitoring.simulation.course import Made, Setting, change, quiet
from modelyard.core.monitoring.simulation.detectors import FixedLooks, OneClock, ThreeClocks
from modelyard.core.monitoring.simulation.streams import DAY, StreamModel
from modelyard.core.monitoring.simulation.usual_rules import RULES
from tests.support.repository.proof import PROOF

pytestmark = pytest.mark.no_cover
SETTING = Setting()
FEW = Setting(features=3)
WEEK = 7 * DAY
HOURS = 60.0

MINUTES: Made = lambda profiles, watched, _: OneClock(profiles, watched)  # noqa: E731
CLOCKS: Made = lambda profiles, watched, _: ThreeClocks(profiles, watched)  # noqa: E731


def usual(name: str) -> Made:
    rule = next(rule for rule in RULES if rule.name.startswith(name))
    return lambda profiles, watched, chance: FixedLooks(rule, profiles, watched, chance)


@pytest.mark.parametrize(
    ("model", "median", "slowest"),
    [
        (StreamModel(shift=0.5), (2, 7), 12),
        (StreamModel(shift=0.25), (13, 30), 60),
        (StreamModel(category=(0.05, 0.10)), (13, 40), 90),
        (StreamModel(missing=(0.0, 0.02)), (5, 15), 45),
        (StreamModel(missing=(0.0, 0.005)), (80, 330), 900),
        (StreamModel(missing=(0.01, 0.03)), (30, 120), 300),
        (StreamModel(outside=0.01), (12, 45), 120),
    ],
    ids=["0.5 sigma", "0.25 sigma", "category 5-10%", "nulls 0-2%", "nulls 0-0.5%", "nulls 1-3%", "unseen 0-1%"],
)
def test_on_minutes_alone_a_change_is_found_as_soon_as_the_table_says(
    model: StreamModel, median: tuple[int, int], slowest: int
) -> None:
    found = change(MINUTES, model, SETTING, 1500, 200 if PROOF else 9, random.Random(1))
    assert found.found == 1.0
    assert found.median is not None
    assert found.p90 is not None
    assert median[0] <= found.median <= median[1]
    assert found.p90 <= slowest


def test_five_hundred_rows_never_show_two_percent_of_nulls() -> None:
    model, days = StreamModel(missing=(0.0, 0.02)), 2 * DAY if PROOF else 600
    assert change(MINUTES, model, Setting(reference=500), days, 8, random.Random(1)).found == 0.0


def test_without_a_bound_from_the_reference_quiet_days_are_full_of_alarms() -> None:
    points: Made = lambda profiles, watched, _: OneClock(profiles, watched, points=True)  # noqa: E731
    setting, days = (SETTING, 3) if PROOF else (Setting(features=2), 2)
    found = quiet({"points": points, "bounds": MINUTES}, StreamModel(), setting, days, 1, random.Random(2))
    assert found["points"].alarmed == 1
    assert found["bounds"].alarms_a_month == 0


@pytest.mark.parametrize("correlation", [0.01, 0.05] if PROOF else [0.05])
def test_bursts_are_no_change_once_evidence_is_divided_by_phi(correlation: float) -> None:
    undivided: Made = lambda profiles, watched, _: OneClock(profiles, watched, dispersed=False)  # noqa: E731
    rules = {"phi": MINUTES, "none": undivided, "clocks": CLOCKS}
    setting, days = (SETTING, 10) if PROOF else (Setting(features=1), 1)
    found = quiet(rules, StreamModel(correlation=correlation), setting, days, 1, random.Random(3))
    assert found["phi"].alarms_a_month == found["clocks"].alarms_a_month == 0
    assert found["none"].alarmed == 1


@pytest.mark.parametrize("rhythm", [0.1, 0.2, 0.3] if PROOF else [0.2])
def test_a_rhythm_of_the_day_breaks_short_looks_and_neither_of_the_two_clocks(rhythm: float) -> None:
    hours: Made = lambda profiles, watched, _: OneClock(profiles, watched, Clock.HOUR)  # noqa: E731
    rules = {"hours": hours, "clocks": CLOCKS} | ({"minutes": MINUTES} if PROOF else {})
    setting, days = (FEW, 20) if PROOF else (Setting(features=1), 9)
    found = quiet(rules, StreamModel(rhythm=rhythm), setting, days, 1, random.Random(4))
    assert found["clocks"].alarms_a_month == 0
    assert found["hours"].alarms_a_month > 10


@pytest.mark.parametrize(("shift", "most"), [(0.5, 2 * HOURS), (0.25, 5 * HOURS)] if PROOF else [(0.25, 5 * HOURS)])
def test_with_a_rhythm_a_moved_mean_is_found_by_the_hours_clock(shift: float, most: float) -> None:
    model = StreamModel(begins=WEEK, shift=shift, rhythm=0.1)
    found = change(CLOCKS, model, SETTING, 2 * DAY, 20 if PROOF else 1, random.Random(5))
    assert found.found == 1.0
    assert found.median is not None
    assert found.median <= most


def test_what_breaks_is_found_in_minutes_whatever_the_rhythm() -> None:
    model = StreamModel(begins=60, missing=(0.0, 0.02), rhythm=0.3)
    found = change(CLOCKS, model, SETTING, DAY, 10, random.Random(6))
    assert (found.found, found.p90 is not None and found.p90 < 30) == (1.0, True)


@pytest.mark.parametrize(("shift", "least"), [(0.1, 0.6), (0.15, 0.9)] if PROOF else [(0.15, 0.9)])
def test_a_change_below_the_tolerance_is_found_by_the_end_of_a_day(shift: float, least: float) -> None:
    model = StreamModel(begins=2 * DAY, shift=shift, rhythm=0.3)
    found = change(CLOCKS, model, SETTING, 3 * DAY, 20 if PROOF else 1, random.Random(7))
    assert found.found >= least
    assert found.median is not None
    assert found.median >= 12 * HOURS


def test_the_usual_rules_cry_wolf_or_sleep() -> None:
    rules = {name: usual(name) for name in ("chi2 p <", "PSI", "Jensen")}
    found = quiet(rules, StreamModel(), replace(SETTING, features=6), 2, 1, random.Random(8))
    assert found["chi2 p <"].alarms_a_month > 50
    assert found["PSI"].alarms_a_month == found["Jensen"].alarms_a_month == 0
    asleep = change(usual("PSI"), StreamModel(shift=0.25), SETTING, DAY // 2, 5, random.Random(9))
    assert asleep.found <= 0.2
    corrected = change(usual("chi2, Bonferroni"), StreamModel(shift=0.25), SETTING, DAY, 5, random.Random(9))
    assert corrected.found == 1.0


@pytest.mark.proof
def test_a_month_of_a_quiet_model_has_no_alarm() -> None:
    found = quiet({"minutes": MINUTES, "clocks": CLOCKS}, StreamModel(), SETTING, 30, 2, random.Random(10))
    assert [result.alarmed for result in found.values()] == [0, 0]


def test_a_day_of_a_quiet_model_has_no_alarm() -> None:
    found = quiet({"minutes": MINUTES, "clocks": CLOCKS}, StreamModel(), Setting(features=2), 1, 1, random.Random(11))
    assert [result.alarmed for result in found.values()] == [0, 0]
