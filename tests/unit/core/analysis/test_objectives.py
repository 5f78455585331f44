"""What counts as bad, how much of it is allowed, and how sure a gate has to be."""

import pytest

from modelyard.core.analysis.objectives import alpha, newest_bounds, objectives, usable_threshold
from modelyard.core.analysis.statistics.sequential_test import Rule
from modelyard.core.traffic import NO_TRAFFIC, Traffic, TrafficWindow
from tests.support.worlds.builders import a_model
from tests.support.worlds.gate_inputs import BOUNDS, SLO, counts, seconds


def asked(**spec):
    return {one.name: one for one in objectives(a_model(**spec).spec)}


@pytest.mark.parametrize(
    ("threshold", "bound"), [(100.0, 100.0), (99.9, 75.0), (5000.0, 200.0), (25.0, 25.0), (24.0, None)]
)
def test_a_threshold_between_two_bounds_is_judged_at_the_lower_one(threshold, bound):
    assert usable_threshold(threshold, BOUNDS) == bound


def test_without_bounds_there_is_no_threshold_to_use():
    assert usable_threshold(100.0, ()) is None


def test_errors_are_always_asked_and_one_in_a_hundred_is_allowed_where_nothing_was_promised():
    assert [(one.allowed, one.promised) for one in asked().values()] == [(0.01, False)]
    assert asked(slo={"errorRate": "0.1%"})["errors"].allowed == pytest.approx(0.001)
    assert asked(slo={"errorRate": "0.1%"})["errors"].promised


def test_latency_is_asked_where_it_was_promised_and_allows_what_its_percentile_leaves():
    latency = asked(slo=SLO)["latency"]
    assert (latency.allowed, latency.threshold) == (0.01, 100.0)
    assert asked(slo={"latency": {"percentile": 99.9, "threshold": "1.5s"}})["latency"].threshold == 1500.0
    assert "latency" not in asked(slo={"errorRate": "1%"})


@pytest.mark.parametrize("slo", [{"errorRate": "0.00001%"}, {"errorRate": "99%"}])
def test_every_promise_that_may_be_written_can_be_tested(slo):
    assert Rule(asked(slo=slo)["errors"].allowed)
    assert Rule(asked(slo={"latency": {"percentile": 50, "threshold": "1s"}})["latency"].allowed)


def test_late_answers_are_counted_at_the_bound_and_errors_apart():
    latency, errors = asked(slo=SLO)["latency"], asked(slo=SLO)["errors"]
    assert latency.count(counts(40, errors=3, slow=2)) == (40, 2)
    assert errors.count(counts(40, errors=3, slow=2)) == (40, 3)
    assert latency.count(NO_TRAFFIC) == errors.count(NO_TRAFFIC) == (0, 0)


def test_answers_are_not_counted_where_no_bucket_tells_slow_from_fast():
    latency = asked(slo={"latency": {"percentile": 99, "threshold": "10ms"}})["latency"]
    assert latency.count(counts(40, slow=2)) == (0, 0)


def test_counts_that_contradict_each_other_stay_within_reason():
    errors = asked()["errors"]
    assert errors.count(counts(2, errors=3)) == (2, 2)
    assert errors.count(counts(2, errors=-1)) == (2, 0)


@pytest.mark.parametrize(
    ("rollout", "weights"),
    [
        ({}, 4),
        ({"steps": [{"weight": 10}]}, 2),
        ({"strategy": "BlueGreen"}, 1),
        ({"strategy": "AB", "ab": {"header": "x-user"}}, 2),
        ({"strategy": "Shadow"}, 1),
        ({"strategy": "Shadow", "shadow": {"percent": 10}}, 1),
        ({"strategy": "Shadow", "shadow": {"then": "Canary"}}, 5),
    ],
)
def test_all_questions_at_all_weights_share_one_chance_in_a_hundred(rollout, weights):
    assert alpha(a_model(rollout=rollout).spec) == pytest.approx(0.01 / weights)
    assert alpha(a_model(rollout=rollout, slo=SLO).spec) == pytest.approx(0.005 / weights)


def test_the_newest_bounds_are_those_of_the_last_timed_answers():
    told = (
        *seconds((2, counts(1, bounds=(1.0,)), NO_TRAFFIC), (2, counts(1, bounds=(2.0,)), NO_TRAFFIC)),
        TrafficWindow(9, 1, {}),
    )
    assert newest_bounds(Traffic(told), ("b", "a")) == (2.0,)
    assert newest_bounds(Traffic(told), ("a",)) == ()
