"""What a stage came to, and how pytest's own report is read."""

from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree


@dataclass(frozen=True)
class Outcome:
    """Numbers of tests and the checks that failed, each a short sentence."""

    stage: str
    passed: int = 0
    failed: int = 0
    broken: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """True when nothing failed."""
        return self.failed == 0 and not self.broken


def read_junit(report: Path) -> tuple[int, int]:
    """(passed, failed) of a JUnit file; a skipped test proves nothing and counts as failed.

    Raises ValueError when the file is missing or not such a report.
    """
    try:
        root = ElementTree.parse(report).getroot()  # noqa: S314 - we wrote the file a moment ago
    except (OSError, ElementTree.ParseError) as bad:
        raise ValueError(f"pytest left no report at {report}") from bad
    total = failed = 0
    for suite in root.iter("testsuite"):
        total += int(suite.get("tests", 0))
        failed += sum(int(suite.get(kind, 0)) for kind in ("failures", "errors", "skipped"))
    return total - failed, failed


def last_line(outcomes: list[Outcome]) -> str:
    """`N passed, N failed` over all stages."""
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(outcome.failed + len(outcome.broken) for outcome in outcomes)
    return f"{passed} passed, {failed} failed"
