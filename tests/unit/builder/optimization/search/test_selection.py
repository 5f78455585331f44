"""The choice: best for the goal among those that keep the quality, and the original when there is none."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.api.optimization import ORIGINAL, Goal, Latency, Variant
from modelyard.builder.optimization.search.selection import (
    choose,
    chosen_as,
    contenders,
    cost,
    loss,
    noise,
    pareto,
    refusal,
)

GOALS: tuple[Goal, ...] = ("latency", "throughput", "size", "cost")


def a_variant(name: str, speedup: float = 1.0, size: int = 100, lost: float | None = 0.0, **more: Any) -> Variant:
    """Timed, not refused, without noise."""
    facts = {
        "latency": {1: Latency(p50=1 / speedup, p99=2 / speedup, n=100, spread=0.0)},
        "throughput": 1000 * speedup,
        "speedup": speedup,
        "speedup_spread": 0.0,
        "quality": None if lost is None else 1 - lost,
    }
    return Variant(name=name, precision="fp32", size=size, quality_loss=lost, **{**facts, **more})


THE_ORIGINAL = a_variant(ORIGINAL)


def test_the_fastest_that_keeps_the_quality_is_chosen() -> None:
    variants = [THE_ORIGINAL, a_variant("fast", 3.0), a_variant("faster but worse", 5.0, lost=0.02)]

    assert choose(variants, "latency", 0.01).name == "fast"
    assert choose(variants, "latency", 0.02).name == "faster but worse"


def test_each_goal_looks_at_its_own_figure() -> None:
    variants = [THE_ORIGINAL, a_variant("quick", 3.0, 90), a_variant("broad", 1.5, 80, throughput=9000.0),
                a_variant("small", 1.2, 10)]  # fmt: skip

    assert [choose(variants, goal, 0.01).name for goal in GOALS] == ["quick", "broad", "small", "broad"]
    assert choose(variants, "throughput", 0.01).speedup == 9.0


def test_the_original_and_the_best_of_those_that_keep_the_quality_are_measured_under_load() -> None:
    variants = [THE_ORIGINAL, a_variant("good", 2.0), a_variant("best", 3.0), a_variant("third", 1.5),
                a_variant("worse", 5.0, lost=0.5), a_variant("no better", 1.01)]  # fmt: skip

    assert contenders(variants, "cost", 0.01, 2) == (ORIGINAL, "best", "good")
    chosen = chosen_as(variants, "good", "cost", "the cheapest")
    assert (chosen.name, chosen.reason, chosen.speedup) == ("good", "the cheapest", 2.0)
    assert chosen_as(variants, ORIGINAL, "cost", "it is").quality_loss == 0.0


def test_what_is_within_the_noise_goes_to_the_smaller_model() -> None:
    fast, small = a_variant("fast", 3.03, 100), a_variant("small", 3.0, 40)

    chosen = choose([THE_ORIGINAL, fast, small], "latency", 0.01)

    assert chosen.name == "small"
    assert chosen.size_ratio == 0.4
    assert "within the noise" in chosen.reason


def test_noise_as_measured_widens_the_tie() -> None:
    fast, small = a_variant("fast", 3.6, 100, speedup_spread=0.3), a_variant("small", 3.0, 40)

    assert choose([THE_ORIGINAL, fast, small], "latency", 0.01).name == "small"


def test_a_gain_that_may_be_noise_leaves_the_original() -> None:
    chosen = choose([THE_ORIGINAL, a_variant("hardly", 1.2, speedup_spread=0.25)], "latency", 0.01)

    assert chosen.name == ORIGINAL
    assert "by more than the noise" in chosen.reason


def test_a_quality_that_nothing_reaches_leaves_the_original_and_says_how_near_it_came() -> None:
    variants = [THE_ORIGINAL, a_variant("int4", 4.0, lost=0.2), a_variant("int8", 3.0, lost=0.05)]

    chosen = choose(variants, "latency", 0.01)

    assert (chosen.name, chosen.speedup, chosen.quality_loss, chosen.size_ratio) == (ORIGINAL, 1.0, 0.0, 1.0)
    assert "no variant keeps the quality; the least loss is 5 % (int8)" in chosen.reason


def test_without_any_variant_the_original_stays() -> None:
    refused = a_variant("broken", 9.0, lost=None, refused="it crashed.")

    assert "no variant could be used" in choose([THE_ORIGINAL, refused], "latency", 0.01).reason


def test_a_variant_that_keeps_the_quality_and_cannot_be_used_is_not_said_to_lose_it() -> None:
    refused = a_variant("int8", 3.0, lost=0.002, refused="it is not served as it answers by itself.")

    assert "no variant could be used" in choose([THE_ORIGINAL, refused], "latency", 0.01).reason


def test_without_an_evaluation_set_whatever_is_not_refused_may_be_chosen() -> None:
    original = a_variant(ORIGINAL, lost=None)

    assert choose([original, a_variant("fused", 2.0, lost=None)], "latency", 0.01).name == "fused"


def test_loss_is_a_share_of_what_can_be_lost() -> None:
    assert loss(0.45, 0.5, higher_is_better=True, scale=0.5) == pytest.approx(0.1)
    assert loss(0.3, 0.2, higher_is_better=False, scale=2.0) == pytest.approx(0.05)
    assert loss(0.9, 0.8, higher_is_better=True, scale=0.8) < 0
    assert loss(0.0, 0.0, higher_is_better=True, scale=0.0) == 0
    assert loss(0.1, 0.0, higher_is_better=False, scale=0.0) == math.inf


def test_a_loss_up_to_the_bound_is_no_reason_to_refuse() -> None:
    assert refusal("accuracy", 0.99, 1.0, 0.01, 0.01) is None
    assert refusal("accuracy", 0.9, 1.0, 0.1, 0.01) == ("accuracy goes from 1 to 0.9: 10 % is lost, 1 % is allowed.")


def test_the_front_holds_what_no_other_beats_in_everything() -> None:
    variants = [
        THE_ORIGINAL,
        a_variant("small and slow", 0.5, 10, 0.0),
        a_variant("fast, large", 4.0, 200, 0.0),
        a_variant("beaten", 3.0, 300, 0.005),
        a_variant("refused", 9.0, 1, 0.0, refused="why"),
    ]

    assert pareto(variants) == {ORIGINAL, "small and slow", "fast, large"}


SHARES = st.floats(0.001, 100.0)
VARIANTS = st.lists(
    st.builds(
        lambda speedup, size, lost, spread, refused, rate: a_variant(
            "", speedup, size, lost, speedup_spread=spread, refused=refused, throughput=rate
        ),
        SHARES,
        st.integers(1, 1000),
        st.none() | st.floats(-0.5, 2.0) | st.just(math.nan) | st.just(math.inf),
        st.floats(0.0, 2.0),
        st.none() | st.just("it crashed."),
        st.none() | SHARES,
    ),
    max_size=8,
).map(lambda found: [one.model_copy(update={"name": f"v{place}"}) for place, one in enumerate(found)])


@given(VARIANTS, st.sampled_from(GOALS), st.floats(0.0, 0.5))
def test_the_chosen_variant_always_meets_the_bound_and_is_better_than_the_original(
    others: list[Variant], goal: Goal, bound: float
) -> None:
    variants = [THE_ORIGINAL, *others]

    chosen = choose(variants, goal, bound)

    variant = next(one for one in variants if one.name == chosen.name)
    assert variant.refused is None
    assert variant.quality_loss is None or variant.quality_loss <= bound
    if variant.name != ORIGINAL:
        assert cost(variant, goal) < cost(THE_ORIGINAL, goal)


@given(VARIANTS, st.sampled_from(GOALS))
def test_nothing_allowed_beats_the_chosen_by_more_than_the_noise(others: list[Variant], goal: Goal) -> None:
    variants = [THE_ORIGINAL, *others]

    chosen = choose(variants, goal, 0.01)

    winner = next(one for one in variants if one.name == chosen.name)
    for one in others:
        allowed = one.refused is None and (one.quality_loss is None or one.quality_loss <= 0.01)
        if allowed and cost(one, goal) < math.inf:
            slack = 1 + max(noise(one, winner, goal), noise(one, THE_ORIGINAL, goal))
            assert cost(winner, goal) <= cost(one, goal) * slack * (1 + 1e-9)


@given(VARIANTS)
def test_every_eligible_variant_off_the_front_is_beaten_by_one_on_it(others: list[Variant]) -> None:
    def point(one: Variant) -> tuple[float, ...]:
        return (cost(one, "latency"), float(one.size or 0), round(one.quality_loss or 0.0, 6))

    finite = [one for one in others if one.quality_loss is None or not math.isnan(one.quality_loss)]
    variants = [THE_ORIGINAL, *finite]
    front = pareto(variants)

    for one in variants:
        if one.refused is None and one.name not in front:
            assert any(
                other.name in front and all(a <= b for a, b in zip(point(other), point(one), strict=True))
                for other in variants
            )
