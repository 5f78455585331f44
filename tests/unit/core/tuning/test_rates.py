"""Which rate is offered next."""

import pytest

from modelyard.core.tuning.rates import CLOSE, OfferedRate, highest_kept, next_rate


def offered_to(capacity: float, saturated: float, to_beat: float = 0.0, lucky: int = 0) -> list[OfferedRate]:
    """Everything that is offered to a server that keeps its objective up to `capacity`; the first `lucky` answers are
    bad luck."""
    offered: list[OfferedRate] = []
    while (rate := next_rate(offered, saturated, to_beat)) is not None:
        offered.append(OfferedRate(rate, rate <= capacity and len(offered) >= lucky))
    return offered


@pytest.mark.parametrize("capacity", [12.0, 60.0, 100.0, 300.0, 700.0, 950.0, 1200.0])
def test_the_highest_rate_that_is_kept_is_known_within_three_percent(capacity: float) -> None:
    kept = highest_kept(offered_to(capacity, 1000.0))

    assert capacity / CLOSE <= kept <= capacity


def test_a_server_that_keeps_nothing_is_given_up() -> None:
    offered = offered_to(0.0, 1000.0)

    assert highest_kept(offered) == 0.0
    assert len(offered) <= 8


def test_one_that_does_not_beat_another_is_offered_that_rate_twice_and_no_other() -> None:
    assert [point.rate for point in offered_to(500.0, 1000.0, to_beat=600.0)] == [600.0, 600.0]


def test_one_that_beats_it_is_looked_at_further() -> None:
    assert highest_kept(offered_to(800.0, 1000.0, to_beat=600.0)) > 770.0


@pytest.mark.parametrize("to_beat", [0.0, 250.0])
@pytest.mark.parametrize("slow", [(300.0, 650.0), (400.0, 750.0), (280.0, 900.0)])
def test_a_rate_that_is_kept_is_no_capacity_while_a_lower_one_is_missed(
    slow: tuple[float, float], to_beat: float
) -> None:
    offered: list[OfferedRate] = []
    while (rate := next_rate(offered, 1400.0, to_beat)) is not None:
        offered.append(OfferedRate(rate, rate < slow[0] or slow[1] < rate < 1100.0))

    assert slow[0] / CLOSE <= highest_kept(offered) < slow[0]


def test_what_has_less_where_it_is_asked_less_does_not_beat_another() -> None:
    offered: list[OfferedRate] = []
    while (rate := next_rate(offered, 1400.0, to_beat=600.0)) is not None:
        offered.append(OfferedRate(rate, 500.0 < rate < 1100.0))

    assert highest_kept(offered) == 0.0


def test_the_curve_reaches_down_to_a_third_of_the_capacity() -> None:
    assert min(point.rate for point in offered_to(900.0, 1000.0)) < 300.0


def test_what_cannot_beat_it_even_at_saturation_is_offered_nothing() -> None:
    assert next_rate([], saturated=400.0, to_beat=600.0) is None


def test_bad_luck_once_changes_nothing() -> None:
    assert highest_kept(offered_to(900.0, 1000.0, lucky=1)) > 850.0


def test_nothing_far_above_saturation_is_offered() -> None:
    assert max(point.rate for point in offered_to(1e9, 1000.0)) == 1250.0


def test_an_end_comes_however_answers_go() -> None:
    swinging = [OfferedRate(100.0 + at, at % 2 == 0) for at in range(24)]

    assert next_rate(swinging, 1000.0) is None
