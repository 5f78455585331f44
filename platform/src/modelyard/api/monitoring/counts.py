"""`<minute>-<replica>.counts.json`: what one recorder counted of one revision in one minute. Counts add.

    monitor/<namespace>/<model>/<revision>/date=2026-11-29/1214-0.counts.json

All numbers are whole and never negative; a file that breaks a rule below is left out and counted, never half believed.
"""

from typing import Annotated

from pydantic import Field, model_validator

from modelyard.api.shape import StatusShape

COUNTS_FORMAT = 1

Count = Annotated[int, Field(ge=0, le=2**53)]


class FeatureCounts(StatusShape):
    """Rows of one feature in a minute; `bins` and `outside` are those of its profile's kind."""

    rows: Count = Field(description="Rows that were counted.")
    missing: Count = Field(default=0, description="Without a value: null, NaN, empty text.")
    invalid: Count = Field(default=0, description="Without the column, or with a value of another type.")
    outside: Count = Field(default=0, description="With a value that the reference would not let pass.")
    bins: tuple[Count, ...] = Field(default=(), max_length=20, description="Rows with a value, in each bin.")

    @model_validator(mode="after")
    def _adds_up(self) -> "FeatureCounts":
        values = self.rows - self.missing - self.invalid
        if values != sum(self.bins) or self.outside > values:
            raise ValueError("rows are missing, invalid, or in one of the bins, and what is outside is in a bin")
        return self


class MinuteCounts(StatusShape):
    """The content of one file."""

    format: int = Field(default=COUNTS_FORMAT, description="Number of the format.")
    minute: int = Field(ge=0, description="Minutes since the epoch.")
    share: float = Field(default=1.0, gt=0, le=1, description="Share of the requests that was looked at.")
    requests: Count = Field(default=0, description="Requests that were looked at.")
    incomplete: Count = Field(default=0, description="Requests of which only a part arrived here.")
    features: dict[str, FeatureCounts] = Field(description="By the features' names.")
