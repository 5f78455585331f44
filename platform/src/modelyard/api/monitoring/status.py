"""`status.monitoring`: what is known of the serving revision's rows and answers; small, whatever there is.

The evaluator writes one object a revision into the store, in this shape, and the operator publishes that of the
revision that serves. A part that nobody watches is absent.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from modelyard.api.shape import StatusShape

from .performance import PerformanceStatus

MOST_CHANGED = 5
MOST_UNKNOWN_COLUMNS = 5


def _moment(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("a time with its zone is needed")
    return text


Moment = Annotated[str, AfterValidator(_moment), Field(max_length=32)]
"""An RFC 3339 time that can be reckoned with, whoever wrote it."""


class DataVerdict(StrEnum):
    """What the rows of a revision are, all in all: the reason of the condition DataHealthy."""

    NO_REFERENCE = "NoReference"
    NO_ROWS = "NoRows"
    AS_REFERENCE = "AsReference"
    DRIFTED = "DriftDetected"
    BROKEN = "DataBroken"


class ChangedFeature(StatusShape):
    """One alarm of one feature."""

    name: str = Field(max_length=256, description="The feature, as `modelyard drift` names it.")
    kind: str = Field(max_length=16, description="missing, invalid or outside: data that broke; shape: drift.")
    since: str = Field(max_length=32, description="About when it began, RFC 3339.")
    message: str = Field(max_length=512, description="What is seen now, and what the reference has.")
    shift: float = Field(ge=0, le=1, description="Share of the rows that show it, or that would have to move.")
    weight: float | None = Field(
        default=None, ge=0, le=1, description="Importance x shift; absent where importance was not measured."
    )


class DataStatus(StatusShape):
    """The rows of a revision against its reference."""

    verdict: DataVerdict = Field(
        default=DataVerdict.NO_ROWS,
        description="AsReference, DriftDetected, DataBroken; or NoRows, NoReference while nothing can be said.",
    )
    reference: str = Field(default="", max_length=256, description="What the reference was made of.")
    features: int = Field(default=0, ge=0, description="Features that are watched.")
    broken: int = Field(default=0, ge=0, description="Features whose data broke.")
    drifted: int = Field(default=0, ge=0, description="Features whose distribution moved.")
    worst: list[ChangedFeature] = Field(
        default_factory=list, max_length=MOST_CHANGED, description="At most five: what broke, then by weight."
    )
    unknown: list[Annotated[str, Field(max_length=256)]] = Field(
        default_factory=list,
        max_length=MOST_UNKNOWN_COLUMNS,
        description="Columns that requests have and the reference does not, at most five.",
    )
    rows_a_day: int = Field(default=0, ge=0, description="Recorded rows of a day, as of the last hours.")
    message: str = Field(default="", max_length=512, description="What else people should know, and what to do.")


class MonitoringStatus(StatusShape):
    """What is watched of the revision that holds the traffic."""

    revision: str = Field(max_length=63, description="The revision this is about.")
    time: Moment = Field(description="When it was evaluated, RFC 3339; written once an hour.")
    data: DataStatus | None = Field(default=None, description="The rows it is asked with, against the reference.")
    performance: PerformanceStatus | None = Field(
        default=None, description="Its answers, as far as labels came; absent without spec.monitoring.feedback."
    )
