"""`status.monitoring.performance`: what labels say of the serving revision's answers; small, whatever there is."""

from enum import StrEnum

from pydantic import Field

from modelyard.api.shape import StatusShape

MOST_MEASURES = 8
MOST_DECAYED = 5


class PerformanceVerdict(StrEnum):
    """How right the answers of a revision are, all in all: the reason of the condition PerformanceHealthy."""

    NO_LABELS = "NoLabels"
    LEARNING = "LearningReference"
    KEPT = "PerformanceKept"
    DECAYED = "PerformanceDecayed"


class MeasuredPerformance(StatusShape):
    """One measure of all labelled answers."""

    name: str = Field(max_length=32, description="accuracy, f1, auc, calibration, mae or rmse.")
    output: str = Field(max_length=128, description="The output that it is of.")
    labels: int = Field(ge=0, description="Labelled answers that it is made of.")
    value: float | None = Field(default=None, description="Absent while there are too few.")
    low: float | None = Field(default=None, description="Lower end of the 95 % interval.")
    high: float | None = Field(default=None, description="Upper end of the 95 % interval.")


class DecayedSlice(StatusShape):
    """One alarm: answers that are wrong more often than the reference allows."""

    slice: str = Field(default="", max_length=256, description="Such as sex=Female; empty for all answers.")
    output: str = Field(max_length=128, description="The output that it is of.")
    since: str = Field(max_length=32, description="About when it began, RFC 3339.")
    message: str = Field(max_length=512, description="What is seen now, and what the reference has.")
    share: float = Field(ge=0, le=1, description="Share of the answers that are wrong, or far off.")
    reference: float = Field(ge=0, le=1, description="The same share in the reference.")


class PerformanceStatus(StatusShape):
    """The labelled answers of a revision against its reference."""

    verdict: PerformanceVerdict = Field(
        default=PerformanceVerdict.NO_LABELS,
        description="PerformanceKept, PerformanceDecayed; or NoLabels, LearningReference while nothing can be said.",
    )
    labels: int = Field(default=0, ge=0, description="Labelled answers of the last 30 days.")
    learning: int = Field(default=0, ge=0, description="Labels that are still needed before decay can be told.")
    measures: list[MeasuredPerformance] = Field(
        default_factory=list, max_length=MOST_MEASURES, description="Of all labelled answers of the last 30 days."
    )
    decayed: int = Field(default=0, ge=0, description="Slices that decayed, all answers counted as one.")
    worst: list[DecayedSlice] = Field(
        default_factory=list, max_length=MOST_DECAYED, description="At most five: all answers, then by how far."
    )
    message: str = Field(default="", max_length=512, description="What else people should know, and what to do.")
