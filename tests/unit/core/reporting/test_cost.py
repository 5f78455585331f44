"""What requests cost, and how much of what is reserved nobody needs, by prices, counts and reservations."""

from dataclasses import replace
from typing import Any

import pytest

from modelyard.api.status import CostStatus
from modelyard.core.decide import decide
from modelyard.core.traffic import MIRROR, Counts, Reserved, Traffic, TrafficWindow
from modelyard.settings import PriceSettings
from tests.support.worlds.builders import a_built_world, a_serving_world
from tests.support.worlds.world import World

PRICES = PriceSettings(cpu_core_hour=0.036, memory_gib_hour=0.0036)
ONE = Reserved(1.0, 2.0, 0.0, 2.0)
"""Two replicas that reserve a core and two GiB together, for a second."""


def windows(now: float, *requests: int, seconds: int = 20, each: Reserved = ONE) -> Traffic:
    """Slices one after the other up to now, with so many requests each."""
    first = int(now) - seconds * (len(requests) - 1)
    return Traffic(
        tuple(
            TrafficWindow(first + seconds * n, seconds, {"a": Counts(count, 0, 0, {})}, each.times(seconds))
            for n, count in enumerate(requests)
        )
    )


def a_priced_world(requests_per_second: float | None = None, **cost: Any) -> World:
    world = a_serving_world()
    world.settings = world.settings.model_copy(update={"prices": PRICES})
    if requests_per_second is not None:
        world.model["status"]["capacity"] = {"requestsPerSecond": requests_per_second, "at": "p99<50ms", "cpu": 1}
    if cost:
        world.model["status"]["cost"] = cost
    return world


def told(world: World, traffic: Traffic) -> CostStatus | None:
    """What the status says of the cost after a pass over that traffic."""
    plan = decide(replace(world.snapshot(), traffic=traffic), world.settings)
    if plan.status is None:
        return world.status.cost
    return CostStatus.model_validate(plan.status["cost"]) if "cost" in plan.status else None


def test_a_thousand_requests_cost_what_was_reserved_meanwhile() -> None:
    world = a_priced_world(requests_per_second=10)

    cost = told(world, windows(world.now, *[100] * 30))

    assert cost is not None
    assert cost.per_thousand == pytest.approx(600 * (0.036 + 2 * 0.0036) / 3600 / 3000 * 1000, rel=0.005)
    assert cost.idle_share == pytest.approx(1 - 3000 / (10 * 1200))
    assert cost.guess is False


def test_copies_of_requests_answer_nobody() -> None:
    world = a_priced_world()
    traffic = windows(world.now, *[0] * 30)
    copied = [replace(each, slots={MIRROR: Counts(9, 0, 0, {})}) for each in traffic.windows]

    cost = told(world, replace(traffic, windows=tuple(copied)))

    assert cost is not None
    assert (cost.per_thousand, cost.idle_share) == (None, 1.0)


def test_where_nobody_measured_only_the_time_without_a_request_is_called_idle() -> None:
    cost = told(a_priced_world(), windows(a_priced_world().now, *[0] * 10, *[1] * 20))

    assert cost is not None
    assert (cost.idle_share, cost.guess) == (0.33, True)


def test_more_than_was_measured_is_no_debt() -> None:
    world = a_priced_world(requests_per_second=0.1)

    cost = told(world, windows(world.now, *[100] * 30))

    assert cost is not None
    assert cost.idle_share == 0


def test_without_prices_nothing_is_said_and_what_was_said_goes() -> None:
    world = a_priced_world(idleShare=0.5, time="2026-01-01T00:00:00Z")
    world.settings = world.settings.model_copy(update={"prices": PriceSettings()})

    assert told(world, windows(world.now, *[100] * 30)) is None


@pytest.mark.parametrize(
    "traffic",
    [
        windows(1_800_000_000, *[100] * 14),
        windows(1_800_000_000, *[100] * 30, each=Reserved()),
    ],
    ids=["too short", "no pods"],
)
def test_too_little_says_nothing(traffic: Traffic) -> None:
    assert told(a_priced_world(), traffic) is None


@pytest.mark.parametrize(
    ("before", "again"),
    [
        ({"perThousand": 0.0024, "idleShare": 0.0, "guess": True}, False),
        ({"perThousand": 0.0026, "idleShare": 0.04, "guess": True}, False),
        ({"perThousand": 0.003, "idleShare": 0.0, "guess": True}, True),
        ({"perThousand": 0.0024, "idleShare": 0.1, "guess": True}, True),
        ({"perThousand": 0.0024, "idleShare": 0.0, "guess": False}, True),
        ({"idleShare": 0.0, "guess": True}, True),
    ],
)
def test_what_is_as_good_as_the_same_is_not_written(before: dict[str, Any], again: bool) -> None:
    world = a_priced_world(time="2026-12-01T00:00:00Z", **before)

    cost = told(world, windows(world.now, *[100] * 30))

    assert cost is not None
    assert (cost.time != "2026-12-01T00:00:00Z") is again


def test_a_young_figure_stands() -> None:
    world = a_priced_world()
    young = {"perThousand": 9.0, "idleShare": 0.5, "time": world.timestamp()}
    world.model["status"]["cost"] = young

    cost = told(world, windows(world.now, *[100] * 30))

    assert cost is not None
    assert cost.per_thousand == 9.0


def test_it_is_reckoned_again_by_itself_where_somebody_serves() -> None:
    priced = a_priced_world()
    new = a_built_world()
    new.settings = priced.settings

    wait = decide(priced.snapshot(), priced.settings).requeue_after

    assert wait is not None
    assert 0 < wait <= 300
    assert decide(a_serving_world().snapshot(), a_serving_world().settings).requeue_after is None
    assert new.decide().requeue_after == a_built_world().decide().requeue_after, "nothing that serves yet"
