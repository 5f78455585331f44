"""Shapes of load as people write them, each checked and turned into arrivals.

steady: {rate: 50}                                   a soak, when the duration is long
ramp:   {from: 5, to: 100, over: 60s}                and the last rate until the end
spike:  {base: 20, peak: 200, at: 30s, for: 10s}     the base before and after
steps:  {from: 10, by: 10, every: 20s}               higher and higher until the end, or untilMissed: true
trace:  {file: arrivals.csv, speed: 2}               seconds, one a line; its duration is the file's own
"""

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from modelyard.api.quantity import Duration, seconds
from modelyard.api.shape import Shape
from modelyard.errors import InvalidSettings

from .arrivals import Arrivals, Curve, Piece, Trace, steady

MOST_RATE = 10_000.0
MOST_ARRIVALS = 1_000_000

Rate = Annotated[float, Field(gt=0, le=MOST_RATE, description="Requests per second.")]


class SteadyLoad(Shape):
    """The same rate from the beginning to the end."""

    rate: Rate

    def arrivals(self, duration: float, folder: Path) -> Arrivals:
        """See `LoadShape.arrivals`."""
        return steady(self.rate, duration)


class RampLoad(Shape):
    """The rate goes evenly from one value to another and stays there."""

    begin: Rate = Field(alias="from")
    to: Rate
    over: Duration

    def arrivals(self, duration: float, folder: Path) -> Arrivals:
        """See `LoadShape.arrivals`."""
        over = _within(self.over, "ramp.over", duration)
        rest = [Piece(duration - over, self.to, self.to)] if duration > over else []
        return Curve([Piece(over, self.begin, self.to), *rest])


class SpikeLoad(Shape):
    """A rate that jumps and comes back."""

    base: Rate
    peak: Rate
    at: Duration
    lasting: Duration = Field(alias="for")

    def arrivals(self, duration: float, folder: Path) -> Arrivals:
        """See `LoadShape.arrivals`."""
        at, lasting = seconds(self.at), seconds(self.lasting)
        if at + lasting > duration:
            raise InvalidSettings(
                f"spike: it ends after {at + lasting:g} s, but the load after {duration:g} s; raise duration."
            )
        parts = ((at, self.base), (lasting, self.peak), (duration - at - lasting, self.base))
        return Curve([Piece(length, rate, rate) for length, rate in parts if length > 0.0])


class StepLoad(Shape):
    """Higher and higher, `every` so long, until the load ends."""

    begin: Rate = Field(alias="from")
    by: Rate
    every: Duration
    until_missed: bool = Field(default=False, description="Stop after the first step that is not kept.")
    at_least: float | None = Field(
        default=None, gt=0, le=MOST_RATE, description="Passed when this rate was kept; the first step when left out."
    )

    @model_validator(mode="after")
    def _for_a_limit(self) -> "StepLoad":
        if self.at_least is not None and not self.until_missed:
            raise ValueError("steps.atLeast is for untilMissed: true; without it every step has to be kept")
        return self

    def arrivals(self, duration: float, folder: Path) -> Arrivals:
        """See `LoadShape.arrivals`."""
        every = _within(self.every, "steps.every", duration)
        count = math.floor(duration / every)
        last = self.begin + (count - 1) * self.by
        if last > MOST_RATE:
            raise InvalidSettings(f"steps: the last would be {last:g} requests per second; at most {MOST_RATE:g} are.")
        if (self.at_least or 0.0) > last:
            raise InvalidSettings(
                f"steps.atLeast is {self.at_least:g} requests per second, but the last step has {last:g}: raise "
                "duration."
            )
        if self.until_missed and count < 2:
            raise InvalidSettings("steps.untilMissed needs two steps or more; raise duration.")
        pieces = [Piece(every, rate, rate) for rate in (self.begin + step * self.by for step in range(count))]
        return Curve(pieces, self.until_missed, self.at_least or 0.0)


class ReplayedLoad(Shape):
    """Arrivals as they were recorded: the first column of a CSV file, in seconds, from whatever second on."""

    file: str = Field(min_length=1)
    speed: float = Field(default=1.0, gt=0, le=1000)

    def arrivals(self, duration: float, folder: Path) -> Arrivals:
        """See `LoadShape.arrivals`."""
        times = sorted(_recorded(folder / self.file))
        if len(times) < 2 or times[-1] <= times[0]:
            raise InvalidSettings(f"trace: {self.file} holds fewer than two different seconds; write one a line.")
        trace = Trace([time - times[0] for time in times], self.speed)
        if trace.highest > MOST_RATE:
            raise InvalidSettings(
                f"trace: {self.file} asks {trace.highest:g} requests in one second at speed {self.speed:g}; at most "
                f"{MOST_RATE:g} are."
            )
        return trace


class LoadShape(Shape):
    """One of the shapes, and nothing else."""

    steady: SteadyLoad | None = None
    ramp: RampLoad | None = None
    spike: SpikeLoad | None = None
    steps: StepLoad | None = None
    trace: ReplayedLoad | None = None

    @model_validator(mode="after")
    def _one(self) -> "LoadShape":
        if len(self._written()) != 1:
            raise ValueError(f"write one shape of load: {', '.join(type(self).model_fields)}")
        return self

    def _written(self) -> list[SteadyLoad | RampLoad | SpikeLoad | StepLoad | ReplayedLoad]:
        shapes = (self.steady, self.ramp, self.spike, self.steps, self.trace)
        return [shape for shape in shapes if shape is not None]

    def arrivals(self, duration: float, folder: Path) -> Arrivals:
        """When requests are due in a load of `duration` seconds; files are looked for in `folder`.

        Raises InvalidSettings where the parts do not fit one another.
        """
        [shape] = self._written()
        return shape.arrivals(duration, folder)


def _within(written: str, name: str, duration: float) -> float:
    length = seconds(written)
    if length <= duration:
        return length
    raise InvalidSettings(f"{name} is {written}, but the load lasts {duration:g} s; raise duration.")


def _recorded(file: Path) -> Iterator[float]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            for number, row in enumerate(csv.reader(lines), 1):
                if number > MOST_ARRIVALS:
                    raise InvalidSettings(f"trace: {file.name} has more than {MOST_ARRIVALS:,} lines; replay a part.")
                if not row or not row[0].strip():
                    continue
                time = _second(row[0])
                if time is not None:
                    yield time
                elif number > 1:  # the first line may be a header
                    raise InvalidSettings(f"trace: {file.name}, line {number}: {row[0]!r} is no number of seconds.")
    except OSError as bad:
        raise InvalidSettings(f"trace: {file} cannot be read: {bad.strerror}.") from bad
    except (UnicodeDecodeError, csv.Error) as bad:
        raise InvalidSettings(f"trace: {file.name} is no CSV file in UTF-8: {bad}.") from bad


def _second(cell: str) -> float | None:
    try:
        time = float(cell)
    except ValueError:
        return None
    return time if math.isfinite(time) else None
