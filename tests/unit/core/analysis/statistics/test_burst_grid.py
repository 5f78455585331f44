"""Candidates like their stable under bursts: at most one rollout in a hundred is aborted, in every cell of the grid.

`make proof` tries every cell 400 times and holds it to 1 %; by default every tenth cell is tried 40 times, the first
drawn from the commit, and fails when its count would be a one in a thousand surprise at 1 %.
`tests/bench/false_aborts.py` measures the same grid for platform/docs/benchmarks.md.
"""

import pytest
from scipy import stats

from modelyard.core.analysis.statistics.sequential_test import Rule
from modelyard.core.analysis.statistics.simulation import TrafficModel
from tests.support.repository.proof import PROOF, sampled
from tests.support.traffic.burst_grid import failures, grid

RUNS = 400 if PROOF else 40
MOST = 0.01 * RUNS if PROOF else stats.binom.ppf(0.999, RUNS, 0.01)
SEED = 1
COMPARED = Rule(0.01, max_regression=0.25)


def failed(rule, traffic, runs=RUNS, every=5):
    return sum(one is not None for one in failures(rule, traffic, runs, SEED, every))


@pytest.mark.parametrize("cell", [cell for _, cell in sampled(grid(), 10)], ids=str)
def test_a_candidate_like_its_stable_is_aborted_in_at_most_one_of_a_hundred_rollouts(cell):
    assert failed(Rule(cell.allowed, max_regression=0.25), cell.traffic) <= MOST


@pytest.mark.parametrize("correlation", [0.01, 0.05])
@pytest.mark.parametrize("factor", [0.5, 1.0])
def test_the_same_holds_when_it_is_looked_at_every_second(correlation, factor):
    rate = 0.001 * factor
    bursty = TrafficModel(6000, rate, 0.5, rate, correlation)
    assert failed(Rule(0.001, max_regression=0.25), bursty, every=1) <= MOST


def test_the_same_holds_at_a_small_share():
    assert failed(COMPARED, TrafficModel(6000, 0.01, 0.05, 0.01, 0.05, history=10)) <= MOST


def test_the_same_holds_where_the_candidate_has_all_traffic_but_the_stable_was_watched():
    assert failed(Rule(0.01), TrafficModel(1000, 0.01, 1.0, 0.01, 0.05, history=10)) <= MOST


def found(traffic, minutes, allowed=0.01, history=0, runs=20):
    """Every one is found, and half of them within so many minutes."""
    took = failures(Rule(allowed, max_regression=0.25), traffic, runs, 11, 1)
    return None not in took and sorted(took)[runs // 2] <= minutes


def test_what_fails_evenly_is_found_all_the_same():
    assert found(TrafficModel(1000, 0.05, 0.5, 0.005), 3.1)
    assert found(TrafficModel(100, 0.05, 0.5, 0.005), 7.0)
    assert found(TrafficModel(6000, 0.02, 0.5, 0.005), 4.1)
    assert found(TrafficModel(1000, 1.0, 0.1, 0.005), 0.07)


def test_a_stable_that_was_watched_and_fails_evenly_makes_it_as_fast_as_independent_requests_allow():
    assert found(TrafficModel(6000, 0.02, 0.5, 0.005, history=10), 1.0)
    assert found(TrafficModel(6000, 0.05, 0.5, 0.005, history=10), 0.2)
