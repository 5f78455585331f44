"""Quantities of resources as Kubernetes reads them, and the one way of writing an amount."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from modelyard.api.model import Resources
from modelyard.api.quantity import amount, canonical, shown

SAME = {
    "500m": ["0.5", ".5", "+0.5", "500000u", "5e-1", "500000000n", "0.0005k"],
    "1": ["1000m", "1.0", "1.", "01", "1e0", "1E0"],
    "1k": ["1000", "1e3", "1E3", "1e+3", "10e2"],
    "1500m": ["1.5"],
    "1Gi": ["1024Mi", "1073741824", "1048576Ki", "1.0Gi", "1073741824000m"],
    "1536Mi": ["1.5Gi"],
    "1Pi": ["1024Ti", "1125899906842624"],
    "1P": ["1e15", "1000T"],
    "1E": ["1e18", "1000P"],
    "1Ei": ["1024Pi"],
    "0": ["0.0", "0Gi", "0e5", "0m"],
}


@pytest.mark.parametrize(("written", "others"), SAME.items())
def test_equal_amounts_are_written_alike(written: str, others: list[str]) -> None:
    assert {canonical(other) for other in [written, *others]} == {written}


@pytest.mark.parametrize("quantity", ["100m", "250m", "2", "16", "64Mi", "512Mi", "1000Mi", "3Gi", "2G", "500M", "1Ti"])
def test_what_people_write_stays_as_it_is(quantity: str) -> None:
    assert canonical(quantity) == quantity


def test_amounts_are_exact_to_a_billionth_and_rounded_up() -> None:
    assert amount("0.1n") == Fraction(1, 10**9)
    assert amount("1e-12") == Fraction(1, 10**9)
    assert amount("0.1") * 10 == 1


@pytest.mark.parametrize(
    "text", ["", "1GB", "1e", "1e1.5", "e3", "1 Gi", "1ki", "--1", "-1", ".", "1e1000", "nan", "½"]
)
def test_anything_else_is_refused_with_the_sentence_that_mends_it(text: str) -> None:
    with pytest.raises(ValueError, match="write a Kubernetes quantity such as 500m, 2 or 1Gi"):
        canonical(text)
    with pytest.raises(ValidationError, match="write a Kubernetes quantity such as 500m, 2 or 1Gi"):
        Resources.model_validate({"requests": {"cpu": text}})


def test_numbers_may_be_written_as_numbers() -> None:
    resources = Resources.model_validate({"requests": {"cpu": 0.5}, "limits": {"cpu": 2, "memory": 1e9}})

    assert resources.canonical() == {"requests": {"cpu": "500m"}, "limits": {"cpu": "2", "memory": "1G"}}


@given(st.integers(1, 10**21), st.sampled_from(["n", "u", "m", "", "k", "M", "Gi", "Ti", "e-4", "E2"]))
def test_the_canonical_text_is_the_same_amount_and_stays(count: int, suffix: str) -> None:
    text = canonical(f"{count}{suffix}")

    assert amount(text) == amount(f"{count}{suffix}")
    assert canonical(text) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (4.0, "4"), (3.14159, "3.142"), (-0.5, "-0.5"), (1234.4, "1,234"), (9999.6, "10,000"),
        (12663.96, "12,664"), (-123456.7, "-123,457"), (0.0000292, "0.0000292"), (2e-10, "2e-10"), (3e15, "3e+15"),
        (math.inf, "inf"), (math.nan, "nan"),
    ],
)  # fmt: skip
def test_no_exponent_where_a_person_would_write_none(value: float, text: str) -> None:
    assert shown(value) == text


def test_fewer_digits_where_they_are_enough() -> None:
    assert [shown(value, 2) for value in (0.126, 12.6, 1260.0)] == ["0.13", "13", "1,260"]
