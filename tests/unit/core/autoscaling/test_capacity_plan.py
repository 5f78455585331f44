"""What a rate takes: replicas at the planned utilization, what they request, and what that costs a month."""

from fractions import Fraction

import pytest

from modelyard.core.autoscaling.capacity_plan import capacity_plan
from modelyard.core.cluster_room import ReplicaSize
from modelyard.settings import PriceSettings

SIZE = ReplicaSize(Fraction(1, 2), Fraction(2**30))
FREE = PriceSettings()


@pytest.mark.parametrize(
    ("rate", "each", "busy", "replicas"),
    [
        (500, 80, 0.75, 9),
        (60, 80, 0.75, 1),
        (60.1, 80, 0.75, 2),
        (0.01, 80, 0.75, 1),
        (120, 80, 0.75, 2),
        (0.3, 0.1, 1.0, 3),
    ],
    ids=["many", "just one", "one is too few", "next to nothing", "a whole number of them", "no rounding error"],
)
def test_as_many_replicas_as_keep_every_one_within_its_share(
    rate: float, each: float, busy: float, replicas: int
) -> None:
    plan = capacity_plan(rate, each, busy, SIZE, FREE)

    assert plan.replicas == replicas
    assert plan.headroom == pytest.approx(replicas * each - rate)
    assert plan.total == ReplicaSize(Fraction(replicas, 2), Fraction(replicas * 2**30))


def test_it_costs_what_its_pods_request() -> None:
    prices = PriceSettings(cpu_core_hour=0.04, memory_gib_hour=0.005, gpu_hour=2.0)
    plan = capacity_plan(100, 100, 1.0, SIZE._replace(gpus=Fraction(1)), prices)

    assert plan.month == pytest.approx((0.5 * 0.04 + 1 * 0.005 + 2.0) * 730)
    assert plan.per_thousand == pytest.approx((0.5 * 0.04 + 1 * 0.005 + 2.0) / 360)


def test_without_prices_no_cost_is_told() -> None:
    plan = capacity_plan(100, 100, 1.0, SIZE, FREE)

    assert (plan.month, plan.per_thousand) == (None, None)
