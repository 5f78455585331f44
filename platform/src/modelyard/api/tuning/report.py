"""What tuning measured: the part `tuning` of a build's `report.json`; rates in requests a second, times in ms."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class _Written(BaseModel):
    """Open to fields that newer versions add: a report outlives the program that wrote it."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


class TunedSettings(_Written):
    """How a Triton was told to run the model."""

    instances: int = Field(description="Requests, or batches of them, that are run at the same time.")
    threads: int = Field(description="Threads of each.")
    batch: int = Field(description="Rows that are run together at most; 1: requests are never put together.")
    delay: int = Field(0, description="Microseconds a request waits for others.")


class RatePoint(_Written):
    """What came of one rate that was offered."""

    rate: float = Field(description="Requests a second, in an open loop.")
    p50: float = Field(description="Median time to the answer, milliseconds; large when most failed.")
    tail: float = Field(description="The objective's percentile of that time, milliseconds.")
    failed: float = Field(description="Share of the requests that were not answered.")
    kept: bool = Field(description="Whether the objective was kept.")


class TuningTrial(_Written):
    """Some settings, and what was measured of them."""

    settings: TunedSettings
    requests_per_second: float = Field(description="Highest rate that kept the objective; 0: none, or none above best.")
    saturated: float = Field(description="Rate of the answers while more requests were always waiting.")
    alone: float = Field(description="The objective's percentile for a client who asks alone, milliseconds.")
    points: tuple[RatePoint, ...] = ()


class Tuning(_Written):
    """The best settings for an objective, and how much one replica takes on with them."""

    percentile: float = Field(description="Share of the requests, in percent, that are to be answered in time.")
    threshold: float = Field(description="Milliseconds in which they are to be.")
    cpus: int = Field(description="Cores the server had.")
    requests_per_second: float | None = Field(
        None, description="Highest rate that kept the objective; 0 when none did, absent when it could not be measured."
    )
    usual: float | None = Field(None, description="The same without tuning.")
    settings: TunedSettings = Field(description="The best.")
    changed: bool = Field(description="Whether config.pbtxt says so now: less than 5 % more is not worth a change.")
    reason: str = Field(description="A sentence: what was found, and why it is so.")
    quiet: bool = Field(default=True, description="Whether other programs used little of the machine meanwhile.")
    trials: tuple[TuningTrial, ...] = ()

    @property
    def at(self) -> str:
        """The objective as people write it: p99<50ms."""
        return objective_text(self.percentile, self.threshold)


class TunedSummary(_Written):
    """The short form for whoever serves the artifact."""

    requests_per_second: float | None = Field(None, description="Capacity of one replica; absent when not known.")
    at: str = Field(description="The objective: p99<50ms.")
    cpus: int = Field(description="Cores it was measured with.")
    changed: bool = Field(description="Whether other settings than the usual ones serve.")
    reason: str = Field(description="A sentence.")


def summarized(tuning: Tuning) -> TunedSummary:
    """The short form of what was measured."""
    return TunedSummary(
        requests_per_second=tuning.requests_per_second,
        at=tuning.at,
        cpus=tuning.cpus,
        changed=tuning.changed,
        reason=tuning.reason,
    )


def objective_text(percentile: float, threshold: float) -> str:
    """`p99<50ms` for a percentile in percent and a threshold in milliseconds."""
    return f"p{percentile:g}<{threshold:g}ms"
