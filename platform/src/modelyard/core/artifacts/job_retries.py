"""When a Job that failed for no fault of the model's is made again: later and later, and for ever.

    failed --counted--> waits (attempts, nextAttemptTime in the status) --due--> the failed Job is deleted
    gone   --> made again; nextAttemptTime is empty from then on, attempts stays until the artifact is there

The pause after the n-th failure is min(LONGEST, FIRST * 2**(n - 1)) seconds. Whoever does not want to wait deletes the
Job. Everything is in the status, so a restarted operator waits no longer and no shorter.
"""

from dataclasses import dataclass

from modelyard.core.conditions import MAX_MESSAGE, ConditionUpdate, epoch, timestamp
from modelyard.core.snapshot import Failure

FIRST, LONGEST = 60.0, 1800.0


@dataclass(frozen=True)
class Retry:
    """How often the Jobs of one build failed so far, and when (RFC 3339) the next is made; empty while none waits."""

    attempts: int = 0
    next_attempt_time: str = ""

    def counted(self, now: float) -> "Retry":
        """With the failure that is seen now (seconds since the epoch), unless it is counted already."""
        if self.next_attempt_time:
            return self
        attempts = self.attempts + 1
        return Retry(attempts, timestamp(now + pause(attempts)))

    def under_way(self) -> "Retry":
        """The same count while a Job runs or is to be made; nothing waits then."""
        return Retry(self.attempts)

    def due_in(self, now: float) -> float:
        """Seconds until the failed Job gives way to the next; 0 when that is due."""
        return max(0.0, epoch(self.next_attempt_time) - now) if self.next_attempt_time else 0.0

    def due(self, now: float) -> bool:
        """Whether the failed Job has to give way to the next now."""
        return bool(self.next_attempt_time) and self.due_in(now) == 0.0

    def condition_update(self, failure: Failure, more: str = "") -> ConditionUpdate:
        """The condition to write: what failed, and when it is tried again.

        `more` comes between the two; the failure's message is cut so that the whole fits `MAX_MESSAGE`.
        """
        at = self.next_attempt_time.partition(".")[0].removesuffix("Z")
        again = f"{more}; that was Job {self.attempts}, and it is tried again at {at}Z."
        return ConditionUpdate(
            False, failure.reason, f"{failure.message.rstrip('.')[: MAX_MESSAGE - len(again)]}{again}"
        )


def pause(attempts: int) -> float:
    """Seconds between the failure of the Job with that number, counted from 1, and the next Job."""
    return min(LONGEST, FIRST * 2 ** min(attempts - 1, 30))
