"""The load goes from 1 to 6 times what one replica takes on, and back: replicas follow and never flap.

Played on Kubernetes' documented algorithm with the very policy and targets that the operator writes
(`tests.support.traffic.simulated_autoscaler`), with 5 % of unrest in the load.
"""

import math
from collections.abc import Sequence
from typing import Any

import pytest

from modelyard.api.scheduling.scaling import Scaling
from modelyard.api.status import CapacityStatus
from modelyard.core.autoscaling.policy import GUESS_PATIENCE, behavior
from modelyard.core.autoscaling.target import CONCURRENCY, GROWTH, QUEUE, replica_target
from tests.support.traffic.simulated_autoscaler import (
    Autoscaler,
    Metrics,
    Moment,
    Seen,
    Surroundings,
    course,
    direction_changes,
)
from tests.support.worlds.builders import a_model

CAPACITY = 100.0
STEP, CALM = 600, 1500
SOON = 16
"""Just after the autoscaler has looked for the first time."""
USUAL = Surroundings()
EXACT: dict[str, Any] = {"at_once": True}
GUESSED: dict[str, Any] = {"at_once": False, "patience": GUESS_PATIENCE}
BY_CPU: dict[str, Any] = {"at_once": False}
SCALING = Scaling(max_replicas=12)
SLO = {"latency": {"percentile": 99, "threshold": "50ms"}}


def restless(rate: float, seconds: int) -> list[float]:
    """A rate that is never quite the same."""
    return [rate * (1 + 0.05 * math.sin(0.7 * second) * math.cos(0.13 * second)) for second in range(seconds)]


def ramp(low: float = 1.0, high: float = 6.0) -> list[float]:
    times = (low * CAPACITY, STEP), (high * CAPACITY, STEP), (low * CAPACITY, CALM)
    return [rate for times_capacity, seconds in times for rate in restless(times_capacity, seconds)]


def by_requests(scaling: Scaling = SCALING) -> Metrics:
    """KEDA's triggers: requests a second and requests that wait."""
    spec = a_model(slo=SLO, scaling=scaling.model_dump(by_alias=True)).spec
    target = replica_target(spec, scaling, CapacityStatus(requests_per_second=CAPACITY, at="p99<50ms", cpu=1))
    per_second = target.per_second
    assert per_second is not None
    return lambda seen, ready: (seen.rate / per_second, min(seen.stayed / target.waiting, GROWTH * ready))


def by_requests_in_flight(seen: Seen, ready: int) -> Sequence[float]:
    """KEDA's triggers where nobody measured a capacity; a replica's queue is that of M/D/1."""
    busy = min(seen.rate / ready / CAPACITY, 0.99)
    in_flight = ready * (busy + busy**2 / (2 * (1 - busy))) + seen.waiting
    return (in_flight / (0.75 * CONCURRENCY), min(seen.stayed / QUEUE, GROWTH * ready))


def by_cpu(seen: Seen, ready: int) -> Sequence[float]:
    """Processors: a replica uses what it was given at most."""
    used = min(seen.rate + seen.waiting, ready * CAPACITY)
    return (used / CAPACITY / 0.75,)


def steps_of(moments: Sequence[Moment]) -> list[list[int]]:
    """The replicas of the three steps."""
    numbers = [moment.replicas for moment in moments]
    return [numbers[:STEP], numbers[STEP : 2 * STEP], numbers[2 * STEP :]]


def played(metrics: Metrics, scaling: Scaling = SCALING, about: Surroundings = USUAL, how: Any = EXACT) -> list[Moment]:
    autoscaler = Autoscaler(behavior(scaling, **how), scaling.min_replicas, scaling.max_replicas)
    return course(ramp(), autoscaler, metrics, about, replicas=2)


@pytest.mark.parametrize("window", [30, 60])
@pytest.mark.parametrize("start", [5, 20, 60])
@pytest.mark.parametrize(
    ("metrics", "how", "high"),
    [(by_requests(), EXACT, 8), (by_requests_in_flight, GUESSED, 6), (by_cpu, BY_CPU, 8)],
    ids=["by requests", "by requests in flight", "by CPU"],
)
def test_replicas_follow_a_ramp_and_turn_round_once_a_step_at_most(
    metrics: Metrics, how: Any, high: int, window: int, start: int
) -> None:
    moments = played(metrics, about=Surroundings(window=window, start=start), how=how)
    steps = steps_of(moments)

    assert [direction_changes(step) <= 1 for step in steps] == [True] * 3
    assert steps[1][-1] >= high
    assert min(steps[2]) <= 2


@pytest.mark.parametrize(("window", "seconds"), [(30, 45), (60, 60)])
def test_by_requests_all_replicas_are_there_soon_after_the_load_is(window: int, seconds: int) -> None:
    moments = played(by_requests(), about=Surroundings(window=window, start=5))
    needed = math.ceil(6 / 0.75)

    assert moments[STEP + seconds].replicas >= needed
    assert all(moment.ready >= 6 for moment in moments[STEP + seconds + 15 : 2 * STEP])


@pytest.mark.parametrize("start", [5, 20, 60])
def test_a_queue_that_grew_while_pods_start_asks_for_a_few_more_and_not_for_all(start: int) -> None:
    wide = Scaling(max_replicas=100)
    moments = played(by_requests(wide), wide, Surroundings(start=start))

    assert max(moment.replicas for moment in moments) <= 3 * math.ceil(6 / 0.75)


def test_replicas_go_slowly_and_only_after_the_delay() -> None:
    high, after = steps_of(played(by_requests()))[1:]
    delay = 300
    lost = [before - now for before, now in zip(after, after[60:], strict=False)]

    assert set(after[: delay - 60]) <= {high[-1]}
    assert max(lost) <= math.ceil(high[-1] / 4)


def test_a_load_at_the_edge_of_a_replica_more_changes_nothing_again_and_again() -> None:
    rates = restless(1.5 * CAPACITY, 3 * STEP)
    autoscaler = Autoscaler(behavior(SCALING, **EXACT), 1, 12)
    numbers = [moment.replicas for moment in course(rates, autoscaler, by_requests(), Surroundings(), replicas=2)]

    assert direction_changes(numbers) == 0


def test_a_prometheus_that_is_away_for_two_minutes_changes_nothing() -> None:
    about = Surroundings(blind=range(2 * STEP - 130, 2 * STEP))
    seen, blind = played(by_requests()), played(by_requests(), about=about)

    assert [moment.replicas for moment in blind] == [moment.replicas for moment in seen]


def test_one_that_is_away_while_the_load_falls_keeps_the_replicas() -> None:
    moments = played(by_requests(), about=Surroundings(blind=range(2 * STEP, 2 * STEP + CALM)))

    assert set(steps_of(moments)[2]) == {steps_of(moments)[1][-1]}


def test_the_range_holds_whatever_comes() -> None:
    scaling = Scaling(min_replicas=3, max_replicas=5)
    numbers = {moment.replicas for moment in played(by_requests(scaling), scaling)[SOON:]}

    assert numbers <= {3, 4, 5}


def test_the_algorithm_keeps_to_its_policies() -> None:
    """The documentation's own examples: 4 pods or 10 % a minute down from 80, the greater counts."""
    four = {"type": "Pods", "value": 4, "periodSeconds": 60}
    tenth = {"type": "Percent", "value": 10, "periodSeconds": 60}
    down = {"stabilizationWindowSeconds": 0, "policies": [four, tenth]}
    scaler = Autoscaler({"scaleUp": down, "scaleDown": down}, 1, 100)
    numbers, replicas = [], 80
    for minute in range(5):
        replicas = scaler.choose(60 * minute, replicas, [0.1])
        numbers.append(replicas)

    assert numbers == [72, 64, 57, 51, 45]
