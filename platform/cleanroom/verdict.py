"""What a command missed, read from what it printed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

MOST = 8
_MISSING = (
    re.compile(r"(?:^|\s)([\w./+-]+): (?:command )?not found$"),
    re.compile(r"No such file or directory: '([^']+)'"),
    re.compile(r"^(?:make|env|/bin/sh|bash)[^:]*: [‘']?([\w./+-]+)[’']?: No such file or directory"),
    re.compile(r"No module named '([^']+)'"),
    re.compile(r"error while loading shared libraries: ([\w.+-]+):"),
    re.compile(r"[Tt]he program (\S+) is missing"),
    re.compile(r"^\W*([\w.+-]+) is missing[:;]"),
    re.compile(r"There is no (\w+): run"),
    re.compile(r": install (\S+) \(Debian"),
)


@dataclass
class Attempt:
    """One command: its exit code (None while it runs or when it was cut off), seconds of wall time, and output."""

    command: str
    code: int | None = None
    seconds: float = 0.0
    lines: list[str] = field(default_factory=list)

    @property
    def missing(self) -> list[str]:
        """Names of what was not there, each once, in the order in which it was missed; empty when all went well."""
        if self.code == 0:
            return []
        matches = [pattern.search(line) for line in self.lines for pattern in _MISSING]
        return list(dict.fromkeys(match[1] for match in matches if match))


def last_line(attempts: Sequence[Attempt]) -> str:
    """One sentence: that nothing was missing, or for each command that failed what was or how it ended."""
    failed = [attempt for attempt in attempts if attempt.code != 0]
    times = ", ".join(f"{attempt.command} {attempt.seconds:.0f} s" for attempt in attempts)
    if attempts and not failed:
        return f"cleanroom: nothing was missing ({times})."
    return f"cleanroom: {'; '.join(map(_failure, failed)) or 'no command was run'}."


def _failure(attempt: Attempt) -> str:
    if attempt.missing:
        return f"`{attempt.command}` missed {', '.join(attempt.missing[:MOST])}"
    end = "was cut off" if attempt.code is None else f"ended with code {attempt.code}"
    words = next((line.strip() for line in reversed(attempt.lines) if line.strip()), "no output")
    return f"`{attempt.command}` {end}, its last words: {words}"
