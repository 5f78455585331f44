"""Counted traffic of one Model: how many requests each slot of its route answered, second by second.

Only good and bad counts are kept, never quantiles: latency is the number of answers within each bucket's bound.
Requests pinned to a revision by header (warm-ups, previews, load tests) are not in here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

MIRROR = "mirror"
"""Key of the mirrored requests beside the slots a and b."""


class Counts(NamedTuple):
    """Answers of one slot in a span of time.

    `errors` of the `requests` were the server's fault (HTTP 5xx, gRPC server codes); `timed` answers are in the
    latency histogram, of which `within` says, by bound in milliseconds, how many took at most so long. `rejected` of
    the `requests` were answered as the client's mistake (HTTP 4xx, the client's gRPC codes).
    """

    requests: int
    errors: int
    timed: int
    within: Mapping[float, int]
    rejected: int = 0


NO_TRAFFIC = Counts(0, 0, 0, {})


class Reserved(NamedTuple):
    """What pods kept from others in a span of time, used or not: core, GiB and GPU seconds, and seconds of pods."""

    cores: float = 0.0
    gib: float = 0.0
    gpus: float = 0.0
    pods: float = 0.0

    def times(self, factor: float) -> "Reserved":
        """So many times as much."""
        return Reserved(*(part * factor for part in self))

    def plus(self, other: "Reserved") -> "Reserved":
        """Both together."""
        return Reserved(*(mine + its for mine, its in zip(self, other, strict=True)))


NONE_RESERVED = Reserved()


@dataclass(frozen=True)
class TrafficWindow:
    """What was counted, by slot, in the `seconds` that ended at `end` (whole seconds since the epoch).

    `reserved` is what the Model's pods requested meanwhile; zeros where nobody asks what that costs.
    """

    end: int
    seconds: int
    slots: Mapping[str, Counts]
    reserved: Reserved = NONE_RESERVED

    def of(self, slot: str) -> Counts:
        """The counts of a slot; zeros when it had no request."""
        return self.slots.get(slot, NO_TRAFFIC)


@dataclass(frozen=True)
class Traffic:
    """The counted windows, oldest first and without holes while the provider answered.

    `failure` says why newer ones are missing; empty when none are. `counters` are the gateway's at the end of the
    newest window, as text to be kept in the status: from there counting goes on after an outage of the operator.
    `quiet` are the seconds up to the end of the newest window in which no request was counted, as far back as is known.
    """

    windows: tuple[TrafficWindow, ...] = field(default=())
    failure: str = ""
    counters: str = ""
    quiet: float = 0.0
