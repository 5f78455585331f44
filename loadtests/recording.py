"""Every answer of a load test, exactly: Locust's own numbers are rounded to two digits.

A row is when the request was due, the protocol, how long the answer took, how much later than planned the request was
sent, how much of that this process owes (it woke late; the rest is that every user still waited for an answer), whether
it failed, and who answered. Rows are told apart by when they were due, which the plan alone decides, never by when an
answer came. Some 24 bytes each and a limit on their number keep the memory bounded. Rows of worker processes are
drained and sent to the master.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

PROTOCOLS = ("http", "binary", "grpc")
"""HTTP with the body as it was given (JSON, as a rule), HTTP with raw tensors behind the JSON, gRPC."""
_MOST_REVISIONS = 255


class Row(NamedTuple):
    """One answer: seconds from the start of the load to when it was due, index in PROTOCOLS, then in milliseconds what
    it took, how late it was sent and how late for this process's own fault; failed; the revision that answered."""

    due: float
    protocol: int
    took: float
    late: float
    own: float
    failed: bool
    revision: str = ""

    @property
    def total(self) -> float:
        """Milliseconds from when it was due to the answer: what an independent user waits."""
        return self.late + self.took


@dataclass
class Recording:
    """Rows in columns; `owed` when the requests were due that had no answer when the load was ended; why requests
    failed; who answered instead of the pinned revision; of each process the generator's lag in milliseconds, its use of
    a core (0 to 1) and when its load began (epoch); how many users have nothing left to send."""

    most: int
    due: array[float] = field(default_factory=lambda: array("d"))
    protocols: array[int] = field(default_factory=lambda: array("B"))
    took: array[float] = field(default_factory=lambda: array("f"))
    late: array[float] = field(default_factory=lambda: array("f"))
    own: array[float] = field(default_factory=lambda: array("f"))
    failed: array[int] = field(default_factory=lambda: array("B"))
    answered_by: array[int] = field(default_factory=lambda: array("B"))
    revisions: list[str] = field(default_factory=list)
    owed: list[float] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    strangers: Counter[str] = field(default_factory=Counter)
    lags: list[float] = field(default_factory=list)
    cores: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    resting: int = 0
    processes: int = 1
    """How many make the load; the whole plan is theirs together."""

    def __len__(self) -> int:
        return len(self.due)

    @property
    def full(self) -> bool:
        """No more rows are taken."""
        return len(self) >= self.most

    def add(self, row: Row, why: str = "") -> None:
        """One answer; dropped when the recording is full."""
        if self.full:
            return
        self.due.append(row.due)
        self.protocols.append(row.protocol)
        self.took.append(row.took)
        self.late.append(row.late)
        self.own.append(row.own)
        self.failed.append(row.failed)
        self.answered_by.append(self._revision(row.revision))
        if why:
            self.reasons[why] += 1

    def _revision(self, name: str) -> int:
        if name not in self.revisions and len(self.revisions) < _MOST_REVISIONS:
            self.revisions.append(name)
        return self.revisions.index(name) if name in self.revisions else 0

    def rows(self) -> Iterable[Row]:
        """All rows in the order they came."""
        columns = (self.due, self.protocols, self.took, self.late, self.own, self.failed, self.answered_by)
        return (
            Row(*values[:5], bool(values[5]), self.revisions[values[6]])  # type: ignore[arg-type]
            for values in zip(*columns, strict=True)
        )

    def drained(self) -> dict[str, object]:
        """Everything since the last call as plain values, to be sent to the master; it is forgotten here."""
        sent = {"rows": [list(row) for row in self.rows()], "reasons": dict(self.reasons)}
        sent |= {"strangers": dict(self.strangers), "resting": self.resting}
        sent |= {name: list(getattr(self, name)) for name in _LISTS}
        for column in (self.due, self.protocols, self.took, self.late, self.own, self.failed, self.answered_by):
            del column[:]
        for name in _LISTS:
            getattr(self, name).clear()
        self.reasons, self.strangers, self.resting = Counter(), Counter(), 0
        return sent

    def take_in(self, sent: dict[str, Any]) -> None:
        """What a worker drained."""
        for row in sent["rows"]:
            self.add(Row(*row))
        self.reasons.update(sent["reasons"])
        self.strangers.update(sent["strangers"])
        self.resting += sent["resting"]
        for name in _LISTS:
            getattr(self, name).extend(sent[name])

    def lost(self, planned: int) -> int:
        """How many of the planned requests nobody has answered for: a process that dies says nothing of its own."""
        return 0 if self.processes == 1 or self.full else max(0, planned - len(self) - len(self.owed))

    def began(self) -> float:
        """When the first process began; infinity before that."""
        return min(self.starts, default=math.inf)


_LISTS = ("owed", "lags", "cores", "starts")


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of the values do not exceed; 0 of none. `ordered` rises."""
    if not ordered:
        return 0.0
    return ordered[max(0, math.ceil(len(ordered) * percent / 100.0 - 1e-9) - 1)]
