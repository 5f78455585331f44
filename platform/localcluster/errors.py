"""What can go wrong, as one tree.

ClusterError            one sentence for a person, optionally with the log that tells more
├── NotPossible         this machine or this call lacks something; says what to do
├── CommandFailed       a program ended with an error
├── NotReady            something did not become ready in its time
└── Stopped             another step failed first; nothing to report
"""

from pathlib import Path


class ClusterError(Exception):
    """A sentence for a person; `log` is the file that tells more, `hint` what to try."""

    def __init__(self, sentence: str, log: Path | None = None, hint: str = "") -> None:
        super().__init__(sentence)
        self.log = log
        self.hint = hint


class NotPossible(ClusterError):
    """This machine or this call lacks something."""


class CommandFailed(ClusterError):
    """A program ended with an error."""


class NotReady(ClusterError):
    """Something did not become ready in its time."""


class Stopped(ClusterError):
    """Another step failed first."""
