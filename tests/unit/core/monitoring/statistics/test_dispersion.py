"""Overdispersion by minutes of an hour."""

import random

import pytest

from modelyard.core.monitoring.statistics.dispersion import MEMORY, Phi, pooled


def of(minutes: list[tuple[int, int]], variance: float = 1.0) -> float:
    rows, hits = sum(n for n, _ in minutes), sum(b for _, b in minutes)
    return pooled(len(minutes), rows, (hits,), sum(b * b / n for n, b in minutes) / variance, (variance,))


def test_independent_rows_have_a_factor_near_one() -> None:
    chance = random.Random(1)
    hours = [of([(100, sum(chance.random() < 0.3 for _ in range(100))) for _ in range(60)], 0.21) for _ in range(20)]
    assert sum(hours) / 20 == pytest.approx(1.0, abs=0.1)


def test_bursts_have_the_factor_of_their_correlation() -> None:
    chance, factors = random.Random(2), []
    for _ in range(40):
        shares = [chance.betavariate(0.3 * 99, 0.7 * 99) for _ in range(60)]
        factors.append(of([(100, sum(chance.random() < share for _ in range(100))) for share in shares]))
    assert sum(factors) / 40 == pytest.approx(1 + 99 * 0.01, abs=0.2)


def test_pearsons_statistic_of_two_minutes() -> None:
    assert of([(10, 2), (10, 4)]) == pytest.approx((0.4 + 1.6 - 36 / 20) / (0.3 * 0.7))


@pytest.mark.parametrize("minutes", [[], [(10, 5)], [(10, 0), (10, 0)], [(10, 10), (10, 10)]])
def test_nothing_that_varied_says_nothing(minutes: list[tuple[int, int]]) -> None:
    assert of(minutes) == 1.0


def test_the_mean_runs_over_two_days_and_divides_by_one_at_least() -> None:
    phi = Phi().after(60, 3.0)
    assert (phi.value, phi.weight) == (3.0, 59.0)
    for _ in range(100):
        phi = phi.after(60, 0.5)
    assert phi.weight == MEMORY
    assert phi.value == pytest.approx(0.55, abs=0.05)
    assert phi.divisor == 1.0
    assert phi.after(1, 9.0) is phi
