"""What a stage came to, and how pytest's own report is read."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

SLOWEST = 10


@dataclass(frozen=True, order=True)
class Duration:
    """How long a test took, with what its fixtures did for it."""

    seconds: float
    test: str


@dataclass(frozen=True)
class Outcome:
    """Numbers of tests, their times, and the checks that failed, each a short sentence."""

    stage: str
    passed: int = 0
    failed: int = 0
    broken: list[str] = field(default_factory=list)
    seconds: float = 0.0
    durations: list[Duration] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """True when nothing failed."""
        return self.failed == 0 and not self.broken


def read_junit(report: Path) -> tuple[int, int]:
    """(passed, failed) of a JUnit file; a skipped test proves nothing and counts as failed.

    Raises ValueError when the file is missing or not such a report.
    """
    total = failed = 0
    for suite in _root(report).iter("testsuite"):
        total += int(suite.get("tests", 0))
        failed += sum(int(suite.get(kind, 0)) for kind in ("failures", "errors", "skipped"))
    return total - failed, failed


def durations(report: Path) -> list[Duration]:
    """The time of every test of a JUnit file; raises ValueError as `read_junit` does."""
    cases = _root(report).iter("testcase")
    return [Duration(float(case.get("time", 0)), f"{case.get('classname')}::{case.get('name')}") for case in cases]


def _root(report: Path) -> ElementTree.Element:
    try:
        return ElementTree.parse(report).getroot()  # noqa: S314 - we wrote the file a moment ago
    except (OSError, ElementTree.ParseError) as bad:
        raise ValueError(f"pytest left no report at {report}") from bad


def slowest(outcomes: Iterable[Outcome], count: int = SLOWEST) -> list[Duration]:
    """The slowest tests of all stages, the slowest first."""
    return sorted((duration for outcome in outcomes for duration in outcome.durations), reverse=True)[:count]


def last_line(outcomes: list[Outcome]) -> str:
    """`N passed, N failed` over all stages."""
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(outcome.failed + len(outcome.broken) for outcome in outcomes)
    return f"{passed} passed, {failed} failed"
