"""Another try when the machine failed us: three in all, with growing pauses, each with fresh shared memory."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from modelyard.errors import HostFailure

T = TypeVar("T")
PAUSES = (3.0, 15.0)
"""Seconds before the second and before the third try."""


@dataclass(frozen=True)
class Attempts:
    """How often and how patiently something is tried; `say` gets a sentence before every pause."""

    say: Callable[[str], None] = lambda _: None
    sleep: Callable[[float], None] = time.sleep
    pauses: tuple[float, ...] = PAUSES
    lasting: frozenset[str] = field(default_factory=frozenset)
    """Reasons that another try here would only meet again."""

    def of(self, attempt: Callable[[], T]) -> T:
        """The result of the first try that raises no HostFailure; raises the last one's, with the number of tries.

        A reason in `lasting` is raised at once; other errors always are.
        """
        for number, pause in enumerate(self.pauses, start=1):
            try:
                return attempt()
            except HostFailure as failure:
                if failure.reason in self.lasting:
                    raise
                self.say(f"{str(failure).rstrip('.')}; try {number + 1} of {len(self.pauses) + 1} in {pause:g} s")
                self.sleep(pause)
        try:
            return attempt()
        except HostFailure as failure:
            raise HostFailure(failure.reason, f"tried {len(self.pauses) + 1} times: {failure}") from failure


def fresh_prefix() -> str:
    """A name that no region of shared memory begins with yet: what an earlier Triton left cannot be in the way."""
    return f"modelyard-{uuid.uuid4().hex[:12]}-"
