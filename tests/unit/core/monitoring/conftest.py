"""Profiles and minutes for tests of the detector."""

from collections.abc import Callable

import pytest

from modelyard.api.monitoring.counts import FeatureCounts, MinuteCounts
from modelyard.api.monitoring.profile import FeatureProfile, ReferenceProfile

BINS = (400, 800, 800, 800, 800, 400)


@pytest.fixture
def number() -> Callable[..., FeatureProfile]:
    """A feature of 4,000 numbers with edges at 10, 30, 50, 70 and 90 %."""

    def made(name: str = "age", **fields: object) -> FeatureProfile:
        plain = {
            "name": name, "column": name, "role": "input", "kind": "number", "rows": 4000, "missing": 0,
            "edges": (20.0, 30.0, 40.0, 50.0, 60.0), "bins": BINS, "low": 0.0, "high": 99.0, "outside": 2,
        }  # fmt: skip
        if fields.get("missing") == 4000:
            fields = {"bins": (), "edges": (), "low": None, "high": None, "outside": 0} | fields
        return FeatureProfile.model_validate(plain | fields)

    return made


@pytest.fixture
def category() -> FeatureProfile:
    """A feature of three categories, one of them rare."""
    return FeatureProfile(
        name="job", column="job", role="input", kind="category", rows=4000, missing=0, categories=("a", "b", "c"),
        bins=(2400, 1400, 200, 0), seen=(1, 2, 3),
    )  # fmt: skip


@pytest.fixture
def profile(number: Callable[..., FeatureProfile], category: FeatureProfile) -> ReferenceProfile:
    """Both."""
    return ReferenceProfile(source="eval.npz", rows=4000, features=(number(), category))


@pytest.fixture
def minute() -> Callable[..., MinuteCounts]:
    """A minute of 100 usual rows, or with other counts of `age`."""

    def made(at: int, **age: object) -> MinuteCounts:
        counts = FeatureCounts.model_validate({"rows": 100, "bins": (10, 20, 20, 20, 20, 10)} | age)
        job = FeatureCounts(rows=100, bins=(60, 35, 5, 0))
        return MinuteCounts(minute=at, requests=100, features={"age": counts, "job": job})

    return made
