"""Every answer of a load test, exactly: Locust's own numbers are rounded to two digits.

A row is when the request was due, the protocol, how long the answer took, how much later than planned the request was
sent (all users still waited, or the machine was busy), and whether it failed. Rows are told apart by when they were
due, which the plan alone decides, never by when an answer came. Eighteen bytes each and a limit on their number keep
the memory bounded. Rows of worker processes are drained and sent to the master.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

PROTOCOLS = ("http", "grpc")


class Row(NamedTuple):
    """One answer: seconds from the start of the load to when it was due, index in PROTOCOLS, milliseconds it took,
    milliseconds it was sent late, failed."""

    due: float
    protocol: int
    took: float
    late: float
    failed: bool


@dataclass
class Recording:
    """Rows in columns, why requests failed, who answered instead of the pinned revision, the generator's own lag in
    milliseconds, when the load of each process began (epoch), and how many users have nothing left to send."""

    most: int
    due: array[float] = field(default_factory=lambda: array("d"))
    protocols: array[int] = field(default_factory=lambda: array("B"))
    took: array[float] = field(default_factory=lambda: array("f"))
    late: array[float] = field(default_factory=lambda: array("f"))
    failed: array[int] = field(default_factory=lambda: array("B"))
    reasons: Counter[str] = field(default_factory=Counter)
    strangers: Counter[str] = field(default_factory=Counter)
    lags: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    resting: int = 0

    def __len__(self) -> int:
        return len(self.due)

    @property
    def full(self) -> bool:
        """No more rows are taken."""
        return len(self) >= self.most

    def add(self, row: Sequence[float], why: str = "") -> None:
        """One answer; dropped when the recording is full."""
        if self.full:
            return
        due, protocol, took, late, failed = row
        self.due.append(due)
        self.protocols.append(int(protocol))
        self.took.append(took)
        self.late.append(late)
        self.failed.append(int(failed))
        if why:
            self.reasons[why] += 1

    def rows(self) -> Iterable[Row]:
        """All rows in the order they came."""
        columns = (self.due, self.protocols, self.took, self.late, self.failed)
        return (Row(*values[:4], bool(values[4])) for values in zip(*columns, strict=True))

    def drained(self) -> dict[str, object]:
        """Everything since the last call as plain values, to be sent to the master; it is forgotten here."""
        sent = {
            "rows": [list(row) for row in self.rows()],
            "reasons": dict(self.reasons),
            "strangers": dict(self.strangers),
            "lags": self.lags,
            "starts": self.starts,
            "resting": self.resting,
        }
        for column in (self.due, self.protocols, self.took, self.late, self.failed):
            del column[:]
        self.reasons, self.strangers, self.lags, self.starts, self.resting = Counter(), Counter(), [], [], 0
        return sent

    def take_in(self, sent: dict[str, Any]) -> None:
        """What a worker drained."""
        for row in sent["rows"]:
            self.add(row)
        self.reasons.update(sent["reasons"])
        self.strangers.update(sent["strangers"])
        self.lags += sent["lags"]
        self.starts += sent["starts"]
        self.resting += sent["resting"]

    def began(self) -> float:
        """When the first process began; infinity before that."""
        return min(self.starts, default=math.inf)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of the values do not exceed; 0 of none. `ordered` rises."""
    if not ordered:
        return 0.0
    return ordered[max(0, math.ceil(len(ordered) * percent / 100.0) - 1)]
