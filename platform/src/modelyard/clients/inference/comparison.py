"""Two revisions asked the same, in pairs, over HTTP and over gRPC: what differs, and how much longer one takes.

The two are asked one after the other, the first alternating, so that whatever else happens on the machine happens to
both; the ratio is that of their median times. A request the stable does not answer says nothing of the candidate and
is passed over; one that only the candidate does not answer is a disagreement. An answer by another revision than the
one asked for ends the comparison: then the route is not what it should be, and nothing was learned.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from modelyard.api.rollout import Tolerance
from modelyard.errors import InvalidInput, Refused, Unreachable

from .agreement import Difference, differences
from .predictions import Inference, Prediction

if TYPE_CHECKING:
    import numpy as np

_WORDS = 5
_USABLE = 0.5
_HOPELESS = 5
"""Requests without any answer of the stable after which no more are sent."""


class Side(NamedTuple):
    """A connection to one revision over one protocol."""

    revision: str
    connection: Inference


class Connections(NamedTuple):
    """The connections to both revisions over one protocol (http or grpc)."""

    protocol: str
    stable: Side
    candidate: Side


@dataclass
class OutputDifference:
    """One output tensor over all pairs: largest differences, rows of scores, and pairs out of tolerance."""

    absolute: float = 0.0
    relative: float = 0.0
    scored: int = 0
    same_top: int = 0
    disagreeing: int = 0

    def add(self, difference: Difference) -> None:
        """Adds the difference of one pair."""
        self.absolute, self.relative = max(self.absolute, difference.absolute), max(self.relative, difference.relative)
        self.scored, self.same_top = self.scored + difference.scored, self.same_top + difference.same_top
        self.disagreeing += difference.why != ""


@dataclass
class Findings:
    """What was found: `compared` of the `asked` requests got an answer from the stable, `disagreeing` of them
    another one from the candidate over some protocol, `failed` of those none at all; `times` are seconds of pairs
    (stable's, candidate's)."""

    asked: int = 0
    compared: int = 0
    disagreeing: int = 0
    failed: int = 0
    outputs: dict[str, OutputDifference] = field(default_factory=dict)
    times: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    passed_over: str = ""

    def ratios(self) -> dict[str, float]:
        """Candidate's median time in units of the stable's, by protocol."""
        pairs = {protocol: tuple(zip(*times, strict=True)) for protocol, times in self.times.items() if times}
        return {protocol: median(theirs) / median(ours) for protocol, (ours, theirs) in pairs.items()}


def compare(
    sides: Sequence[Connections],
    feeds: Sequence[Mapping[str, np.ndarray]],
    tolerance: Tolerance,
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Findings:
    """Sends as many of the feeds (arrays by input name) as `seconds` allow to both revisions, one at least.

    Raises Refused when another revision answers, Unreachable when the stable answers fewer than half.
    """
    findings, end = Findings(times={both.protocol: [] for both in sides}), clock() + seconds
    for index, feed in enumerate(feeds):
        hopeless = index >= _HOPELESS and not findings.compared
        if index and (hopeless or clock() >= end):
            break
        findings.asked += 1
        answered = [pair for both in sides if (pair := _pair(both, feed, index, findings, clock))]
        why = [word for pair in answered for word in _differing(pair, tolerance, findings)]
        findings.compared += bool(answered)
        findings.disagreeing += bool(why)
        findings.failed += any(isinstance(pair.candidate, str) for pair in answered)
        findings.words += why[: _WORDS - len(findings.words)]
    if findings.compared < _USABLE * findings.asked:
        raise Unreachable(
            f"the stable answered {findings.compared} of {findings.asked} requests, too few to compare with: "
            f"{findings.passed_over}"
        )
    return findings


class _Pair(NamedTuple):
    protocol: str
    stable: Prediction
    candidate: Prediction | str


def _pair(
    sides: Connections,
    feed: Mapping[str, np.ndarray],
    index: int,
    findings: Findings,
    clock: Callable[[], float],
) -> _Pair | None:
    """Both answers to one request, the candidate's reason when it has none; None when the stable does not answer."""
    if index % 2 == 0:
        ours, theirs = _answer(sides.stable, feed, clock), _answer(sides.candidate, feed, clock)
    else:
        theirs, ours = _answer(sides.candidate, feed, clock), _answer(sides.stable, feed, clock)
    if isinstance(ours.result, str):
        findings.passed_over = findings.passed_over or ours.result
        return None
    if index and not isinstance(theirs.result, str):  # the first pair also opens the connections
        findings.times[sides.protocol].append((ours.seconds, theirs.seconds))
    return _Pair(sides.protocol, ours.result, theirs.result)


class _Answer(NamedTuple):
    result: Prediction | str
    seconds: float


def _answer(side: Side, feed: Mapping[str, np.ndarray], clock: Callable[[], float]) -> _Answer:
    began = clock()
    try:
        prediction = side.connection.predict(feed)
    except (InvalidInput, Refused, Unreachable) as bad:
        return _Answer(str(bad), clock() - began)
    if prediction.revision != side.revision:
        by = prediction.revision or "an unnamed backend"
        raise Refused(f"revision {side.revision} was asked and {by} answered: its pinned route is not there (yet).")
    return _Answer(prediction, clock() - began)


def _differing(pair: _Pair, tolerance: Tolerance, findings: Findings) -> Iterator[str]:
    """Why this pair disagrees, as sentences; counts its outputs."""
    if isinstance(pair.candidate, str):
        yield f"{pair.protocol}: the candidate did not answer: {pair.candidate}"
        return
    for name, difference in differences(pair.stable.outputs, pair.candidate.outputs, tolerance).items():
        findings.outputs.setdefault(name, OutputDifference()).add(difference)
        if difference.why:
            yield f"{pair.protocol}: {difference.why}"


def opened(make: Callable[[str, bool], Inference], stable: str, candidate: str) -> list[Connections]:
    """Connections to both revisions over HTTP and gRPC; `make(revision, grpc)` opens one."""
    protocols = (("http", False), ("grpc", True))
    return [
        Connections(name, Side(stable, make(stable, grpc)), Side(candidate, make(candidate, grpc)))
        for name, grpc in protocols
    ]


def close(sides: Sequence[Connections]) -> None:
    """Closes the connections of all sides."""
    for both in sides:
        both.stable.connection.close()
        both.candidate.connection.close()
