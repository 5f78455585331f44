"""Percentiles of a histogram are right to a tenth of a percent, add up, and say how sure they are."""

import json

import numpy as np
import pytest

from loadtests.recording import percentile
from loadtests.reports.histogram import Histogram

RANDOM = np.random.default_rng(7)
SHAPES = {
    "lognormal": RANDOM.lognormal(3.0, 0.8, 40_000),
    "two kinds of answers": np.concatenate([RANDOM.normal(5.0, 0.1, 39_000), RANDOM.normal(900.0, 30.0, 1_000)]),
    "exponential": RANDOM.exponential(12.0, 40_000),
    "microseconds to minutes": np.geomspace(0.05, 120_000.0, 40_000),
}


@pytest.mark.parametrize("name", SHAPES)
def test_percentiles_of_known_times_are_right(name: str) -> None:
    times = SHAPES[name].tolist()
    exact, histogram = sorted(times), Histogram.of(times)

    assert len(histogram) == len(times)
    for percent in (1, 50, 90, 99, 99.9, 100):
        assert histogram.percentile(percent) == pytest.approx(percentile(exact, percent), rel=1e-3, abs=6e-4)


def test_a_server_of_known_distribution_is_measured_within_two_percent() -> None:
    """By quantiles of an exponential: -ln(1 - p) times its mean."""
    times = -10.0 * np.log(1.0 - (np.arange(100_000) + 0.5) / 100_000)

    histogram = Histogram.of(times.tolist())

    for percent in (50, 99, 99.9):
        assert histogram.percentile(percent) == pytest.approx(-10.0 * np.log(1 - percent / 100), rel=0.02)


def test_histograms_of_workers_add_up_to_that_of_all_and_survive_a_report() -> None:
    times = SHAPES["lognormal"].tolist()
    workers = [Histogram.of(times[worker::3]) for worker in range(3)]

    total = Histogram(json.loads(json.dumps((workers[0] + workers[1] + workers[2]).counts())))

    assert total.counts() == Histogram.of(times).counts()


def test_an_interval_holds_the_true_percentile_about_as_often_as_it_says() -> None:
    random, held = np.random.default_rng(3), 0
    for _ in range(200):
        low, high = Histogram.of(random.exponential(10.0, 2000).tolist()).interval(90)
        held += low <= 10.0 * np.log(10.0) <= high

    assert 180 <= held <= 199


def test_nothing_has_no_percentile() -> None:
    assert Histogram.of([]).percentile(99) == 0.0
    assert Histogram.of([0.0]).percentile(99) == 0.0
