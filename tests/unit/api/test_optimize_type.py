"""`spec.optimize`: what it defaults to, and which of its fields decide what is made."""

import pytest
from pydantic import ValidationError

from modelyard.api.optimize import Optimize, Precision


def options(target: str = "cpu", **given: object) -> dict[str, object]:
    return Optimize.model_validate(given).options(target)["optimize"]


def test_nothing_said_is_latency_at_one_percent_within_ten_minutes() -> None:
    assert options() == {
        "goal": "latency",
        "maxQualityLoss": 0.01,
        "precisions": ["fp32", "fp16", "int8", "int4"],
        "budget": 600.0,
        "target": "cpu",
    }
    assert Optimize().wait is False


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"budget": "90s"}, {"budget": "1m30s"}),
        ({"maxQualityLoss": "1%"}, {"maxQualityLoss": "1.0%"}),
        ({"precisions": ["int8", "fp32"]}, {"precisions": ["fp32", "int8"]}),
        ({"wait": True}, {"wait": False}),
    ],
)
def test_the_same_wish_in_other_words_is_the_same_build(one: dict, other: dict) -> None:
    assert options(**one) == options(**other)


@pytest.mark.parametrize(
    "other",
    [{"goal": "size"}, {"maxQualityLoss": "2%"}, {"precisions": ["fp32"]}, {"budget": "11m"}, {"target": "gpu"}],
)
def test_another_wish_is_another_build(other: dict) -> None:
    assert options(**other) != options()


def test_the_budget_in_seconds() -> None:
    assert Optimize(budget="1h30m").budget_seconds == 5400


@pytest.mark.parametrize("precisions", [[], ["fp64"], [*Precision, "fp32"]])
def test_precisions_are_some_of_the_known_ones(precisions: list) -> None:
    with pytest.raises(ValidationError):
        Optimize.model_validate({"precisions": precisions})
