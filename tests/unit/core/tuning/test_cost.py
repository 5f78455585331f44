"""The cheapest way to keep an objective: fewest cores for 1,000 requests a second, smaller replicas among equals."""

from collections.abc import Sequence

import pytest

from modelyard.api.optimization import ORIGINAL
from modelyard.core.tuning.cost import LoadedOption, cheapest, cost_sentence, priced, sizes
from modelyard.settings import PriceSettings

GIB = 1024**3


def option(variant: str, cpus: int, capacity: float | None, memory: int = GIB) -> LoadedOption:
    return LoadedOption(variant, cpus, capacity, memory)


PLAIN, PLAIN_2 = option(ORIGINAL, 1, 400), option(ORIGINAL, 2, 700)
INT8, INT8_2 = option("int8", 1, 1200), option("int8", 2, 2000)


@pytest.mark.parametrize(
    ("options", "best"),
    [
        ([PLAIN, PLAIN_2, INT8, INT8_2], INT8),
        ([PLAIN, option("int8", 1, 410)], PLAIN),
        ([option("int8", 2, 2040), INT8_2, option("int8", 1, 1000)], option("int8", 1, 1000)),
        ([option("int8", 1, 0.0), option(ORIGINAL, 2, 100)], option(ORIGINAL, 2, 100)),
        ([option(ORIGINAL, 1, 0.0), option("int8", 1, None)], None),
        ([], None),
    ],
    ids=[
        "cheapest",
        "the original among equals",
        "a small replica among equals",
        "kept at all",
        "none keeps it",
        "none",
    ],
)
def test_the_fewest_cores_win(options: Sequence[LoadedOption], best: LoadedOption | None) -> None:
    assert cheapest(options) == best


def test_what_it_costs_is_told_with_its_memory() -> None:
    prices = PriceSettings(cpu_core_hour=0.036, memory_gib_hour=0.0036)

    plain, lost = priced([PLAIN, option("int4", 1, 0.0)], PLAIN, prices)

    assert (plain.cores_per_thousand, plain.chosen) == (2.5, True)
    assert plain.per_thousand == pytest.approx((0.036 + 0.0036) * 1000 / (400 * 3600), rel=1e-3)
    assert (lost.requests_per_second, lost.cores_per_thousand, lost.per_thousand, lost.chosen) == (
        0.0,
        None,
        None,
        False,
    )


def test_without_prices_cores_are_told_and_no_money() -> None:
    (plain,) = priced([PLAIN], None, PriceSettings())

    assert (plain.cores_per_thousand, plain.per_thousand) == (2.5, None)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            [PLAIN, INT8],
            "the cheapest that keeps p99<50ms is int8 on 1 core: 0.833 cores for 1,000 requests/s, against 2.5",
        ),
        ([PLAIN], "the cheapest that keeps p99<50ms is original on 1 core: 2.5 cores for 1,000 requests/s."),
        (
            [option(ORIGINAL, 1, 0.0), INT8_2],
            "int8 on 2 cores: 1 cores for 1,000 requests/s; the original does not keep it.",
        ),
        ([option(ORIGINAL, 1, 0.0)], "No variant keeps p99<50ms, whatever the replica's size"),
    ],
)
def test_the_choice_is_explained(options: list[LoadedOption], said: str) -> None:
    assert said in cost_sentence(cheapest(options), options, "p99<50ms")


@pytest.mark.parametrize(("most", "tried"), [(1, (1,)), (2, (1, 2)), (6, (1, 2, 4, 6)), (8, (1, 2, 4, 8))])
def test_replicas_of_every_size_up_to_the_most_are_tried(most: int, tried: tuple[int, ...]) -> None:
    assert sizes(most) == tried
