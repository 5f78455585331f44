"""What is kept of a feature between two minutes: at most 50 numbers of evidence, and whole counts of what is open.

| evidence | numbers |
|---|---|
| minutes: 5 or 7 alternatives of at most 3 events | 21 |
| hours, days: at most 10 events and sides each | 20 |
| phi of shapes and of each of the three events, with their weights | 8 |
| tolerance | 1 |

`plain` and `restored` go to JSON and back. Numbers are written with seven digits, which is more than evidence has.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from .alarms import Alarm, Clock
from .questions import FeatureQuestions
from .statistics.dispersion import Phi
from .statistics.evidence import Sums

_CLOSED = -1


class OpenHour(NamedTuple):
    """Counts of the hour that is not over: minutes with rows, values, hits of each shape, (hits, trials) of each break.

    `squares` are sums over minutes of b^2/n: of the shapes, weighted, then of each break.
    """

    number: int = _CLOSED
    minutes: int = 0
    values: int = 0
    hits: tuple[int, ...] = ()
    breaks: tuple[tuple[int, int], ...] = ()
    squares: tuple[float, ...] = ()


class OpenDay(NamedTuple):
    """Counts of the day that is not over: which of its hours had rows (a bit each), values, hits of each shape.

    `whole` is the most hours with rows that a day has had; `kept` are values and hits of whole days that were too few.
    """

    number: int = _CLOSED
    hours: int = 0
    values: int = 0
    hits: tuple[int, ...] = ()
    whole: int = 0
    kept: tuple[int, ...] = ()


class RhythmTolerance(NamedTuple):
    """How far hours may leave the bounds, in log-odds, and how many hours of the first week taught it."""

    log_odds: float
    hours: int = 0


@dataclass(frozen=True, slots=True)
class FeatureState:
    """All of it. `quiet` are the last minutes at which the evidence on each clock was next to nothing."""

    minute_sums: tuple[Sums, ...]
    hour_sums: Sums
    day_sums: Sums
    phis: tuple[Phi, ...]
    tolerance: RhythmTolerance
    hour: OpenHour
    day: OpenDay
    quiet: tuple[int, int, int]
    alarms: tuple[Alarm | None, Alarm | None, Alarm | None] = (None, None, None)

    @property
    def raised(self) -> tuple[Alarm, ...]:
        """The alarms there are, the fast clock's first."""
        return tuple(alarm for alarm in self.alarms if alarm is not None)


def fresh(questions: FeatureQuestions, minute: int, tolerance: float) -> FeatureState:
    """The state before the first minute."""
    none = (0.0,) * len(questions.sides(0.0))
    return FeatureState(
        minute_sums=tuple((0.0,) * len(question.against) for question in questions.breaks),
        hour_sums=none,
        day_sums=none,
        phis=(Phi(),) * (1 + len(questions.breaks)),
        tolerance=RhythmTolerance(tolerance),
        hour=empty_hour(questions, minute // 60),
        day=OpenDay(minute // 1440, hits=(0,) * len(questions.shapes), kept=(0,) * (1 + len(questions.shapes))),
        quiet=(minute, minute, minute),
    )


def empty_hour(questions: FeatureQuestions, index: int) -> OpenHour:
    """An hour of which nothing is counted yet."""
    breaks, shapes = len(questions.breaks), len(questions.shapes)
    return OpenHour(index, hits=(0,) * shapes, breaks=((0, 0),) * breaks, squares=(0.0,) * (1 + breaks))


def plain(state: FeatureState) -> dict[str, Any]:
    """The state as plain values."""
    hour, day = state.hour, state.day
    return {
        "minutes": [_short(sums) for sums in state.minute_sums],
        "hours": _short(state.hour_sums),
        "days": _short(state.day_sums),
        "phis": [_short(phi) for phi in state.phis],
        "tolerance": [*_short(state.tolerance[:1]), state.tolerance.hours],
        "hour": [*hour[:3], list(hour.hits), [list(pair) for pair in hour.breaks], _short(hour.squares)],
        "day": [*day[:3], list(day.hits), day.whole, list(day.kept)],
        "quiet": list(state.quiet),
        "alarms": [None if alarm is None else list(alarm) for alarm in state.alarms],
    }


def restored(kept: dict[str, Any], questions: FeatureQuestions) -> FeatureState:
    """The state that `plain` wrote. Raises ValueError when it is none, or one of other questions."""
    try:
        hour, day = kept["hour"], kept["day"]
        made = FeatureState(
            minute_sums=tuple(_numbers(sums) for sums in kept["minutes"]),
            hour_sums=_numbers(kept["hours"]),
            day_sums=_numbers(kept["days"]),
            phis=tuple(Phi(*_numbers(phi)) for phi in kept["phis"]),
            tolerance=RhythmTolerance(float(kept["tolerance"][0]), int(kept["tolerance"][1])),
            hour=OpenHour(
                hour[0], hour[1], hour[2], tuple(hour[3]), tuple((b[0], b[1]) for b in hour[4]), _numbers(hour[5])
            ),
            day=OpenDay(day[0], day[1], day[2], tuple(day[3]), day[4], tuple(day[5])),
            quiet=(kept["quiet"][0], kept["quiet"][1], kept["quiet"][2]),
            alarms=_alarms(kept["alarms"]),
        )
    except (KeyError, TypeError, IndexError, AttributeError) as bad:
        raise ValueError(f"this is no state of a feature: {bad!r}") from bad
    if _sizes(made) != _sizes(fresh(questions, 0, 0.0)):
        raise ValueError("this state belongs to another profile: begin anew.")
    return made


def _alarms(kept: list[Any]) -> tuple[Alarm | None, Alarm | None, Alarm | None]:
    first, second, third = (None if one is None else Alarm(Clock(one[0]), *one[1:]) for one in kept)
    return first, second, third


def _sizes(state: FeatureState) -> tuple[Any, ...]:
    hour, day = state.hour, state.day
    return (
        [len(sums) for sums in state.minute_sums],
        *map(len, (state.hour_sums, state.day_sums, state.phis)),
        *map(len, (hour.hits, hour.breaks, hour.squares, day.hits, day.kept)),
    )


def _short(numbers: tuple[float, ...]) -> list[float]:
    return [float(f"{number:.7g}") for number in numbers]


def _numbers(kept: list[Any]) -> tuple[float, ...]:
    return tuple(float(number) for number in kept)
