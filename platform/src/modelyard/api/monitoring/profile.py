"""`profile.json`: what the rows of a reference look like, feature by feature. Made once, by the build or by hand.

It is all that the detector knows of the reference, so it is small: 19 quantiles or the names of nine categories, some
counts, and for text and long lists of categories numbers that stand for what was seen (CRC-32 of the UTF-8 text).

| kind | `edges` | bins of a minute | outside the reference |
|---|---|---|---|
| number | 5 % .. 95 % points, each value once | above no edge, above the first, ... | below `low` or above `high` |
| category | none | one for each of `categories`, then all others | not among `seen` |
| text | of the number of words | as for numbers | holds a word that is not among `seen` |

`outside` of the reference's own rows is counted leaving one out: a row counts when none of the *other* rows would have
let it pass, which is the share that new rows of the same kind must be expected to have (Good, The population
frequencies of species, 1953).
"""

from itertools import pairwise
from math import isfinite
from typing import Annotated, Literal

from pydantic import Field, model_validator

from modelyard.api.shape import StatusShape

PROFILE_FORMAT = 1
MOST_FEATURES = 100
"""Features of a Model that are watched; more would need evidence nobody has, and no table could show them."""
MOST_NAMED = 9
MOST_SEEN = 10_000

FeatureRole = Literal["input", "output", "confidence"]
FeatureKind = Literal["number", "category", "text"]


class FeatureProfile(StatusShape):
    """One feature of the reference."""

    name: str = Field(max_length=256, description="As people write it: age, input[3], image.brightness.")
    column: str = Field(max_length=256, description="The column of requests and answers that it is read from.")
    role: FeatureRole = Field(description="Whether it goes in, comes out, or says how sure the model is.")
    kind: FeatureKind = Field(description="number, category or text.")
    rows: int = Field(ge=0, description="Rows of the reference.")
    missing: int = Field(ge=0, description="Rows without a value: null, NaN, empty text.")
    outside: int = Field(default=0, ge=0, description="Rows that none of the others would have let pass.")
    low: float | None = Field(default=None, description="Smallest value.")
    high: float | None = Field(default=None, description="Largest value.")
    edges: tuple[float, ...] = Field(default=(), max_length=19, description="Quantiles between the bins, rising.")
    categories: tuple[str, ...] = Field(default=(), max_length=MOST_NAMED, description="The most frequent ones.")
    bins: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        default=(), max_length=20, description="Rows of the reference in each bin."
    )
    seen: tuple[int, ...] = Field(default=(), max_length=MOST_SEEN, description="CRC-32 of each category or word.")
    allowed_missing: float | None = Field(
        default=None, ge=0, le=1, description="Share of rows that may be missing, where a Model's spec says so."
    )
    importance: float | None = Field(
        default=None, description="Share of what all inputs move the outputs by, 0..1; none when it was not measured."
    )

    @model_validator(mode="after")
    def _adds_up(self) -> "FeatureProfile":
        events = len(self.categories) if self.kind == "category" else len(self.edges)
        if self.missing > self.rows or self.outside > self.values or sum(self.bins) != self.values:
            raise ValueError("rows are missing or in one of the bins, and what is outside is in a bin")
        if self.bins and len(self.bins) != events + 1:
            raise ValueError("there is one bin more than there are edges or categories")
        if any(not isfinite(edge) for edge in self.edges) or any(a >= b for a, b in pairwise(self.edges)):
            raise ValueError("edges are finite and rise")
        return self

    @property
    def values(self) -> int:
        """Rows with a value."""
        return self.rows - self.missing


class ReferenceProfile(StatusShape):
    """The content of `profile.json`."""

    format: int = Field(default=PROFILE_FORMAT, description="Number of the format.")
    source: str = Field(description="What it was made of: eval.npz of digits:1, or a file's name.")
    rows: int = Field(ge=1, description="Rows of the reference.")
    features: tuple[FeatureProfile, ...] = Field(min_length=1, max_length=MOST_FEATURES)
    left_out: tuple[str, ...] = Field(default=(), description="Features that are not watched, each with its reason.")

    def feature(self, name: str) -> FeatureProfile | None:
        """The feature of that name, or None."""
        return next((feature for feature in self.features if feature.name == name), None)
