"""`status.retraining`: whether a new version is wanted, what is done about it, and how the last one ended."""

from enum import StrEnum

from pydantic import Field

from modelyard.api.shape import StatusShape

from .retrain import RetrainCause


class RetrainingState(StrEnum):
    """Where the retraining of a Model stands; `modelyard.core.retraining` has the whole table."""

    IDLE = "Idle"
    WAITING = "Waiting"
    RUNNING = "Running"
    OFF = "Off"


class RetrainingOutcome(StrEnum):
    """How one retraining ended."""

    PUSHED = "Pushed"
    CALLED = "Called"
    REFUSED = "Refused"
    FAILED = "Failed"
    STOPPED = "Stopped"


class RetrainingRun(StatusShape):
    """One retraining: what called for it, and what came of it."""

    id: str = Field(max_length=32, description="Its name, new for every one.")
    causes: list[RetrainCause] = Field(max_length=3, description="What called for it: decay, drift, age.")
    evidence: str = Field(default="", max_length=512, description="What was seen, in words.")
    since: str = Field(default="", max_length=32, description="About when decay or drift began, RFC 3339.")
    revision: str = Field(max_length=63, description="The revision that served.")
    version: str = Field(max_length=63, description="The version that served: the champion.")
    webhook: bool = Field(default=False, description="True where an address was told, false where a Job trained.")
    start_time: str = Field(max_length=32, description="When it began, RFC 3339.")
    end_time: str = Field(default="", max_length=32, description="When it ended, RFC 3339; absent while it runs.")
    outcome: RetrainingOutcome | None = Field(
        default=None, description="Pushed, Called, Refused, Failed or Stopped; absent while it runs."
    )
    made: str = Field(default="", max_length=63, description="The version that it pushed.")
    message: str = Field(default="", max_length=1024, description="What came of it, in a sentence.")


class RetrainingStatus(StatusShape):
    """Where the retraining of a Model stands."""

    state: RetrainingState = Field(description="Idle, Waiting, Running or Off.")
    reason: str = Field(max_length=64, description="Why it is there: one word for programs.")
    message: str = Field(max_length=1024, description="Why it is there: a sentence.")
    since: str = Field(max_length=32, description="Since when state and reason are these, RFC 3339.")
    run: RetrainingRun | None = Field(default=None, description="The one under way.")
    last: RetrainingRun | None = Field(default=None, description="The one that ended last.")
    failures: int = Field(default=0, ge=0, description="How many in a row came to nothing: Failed or Refused.")
    last_success_time: str = Field(
        default="", max_length=32, description="When one last ended as Pushed or Called, RFC 3339."
    )
    month: str = Field(default="", max_length=7, description="The month that cpuHours are of, such as 2026-11.")
    cpu_hours: float = Field(default=0, ge=0, description="CPU hours that its Jobs reserved in that month.")
