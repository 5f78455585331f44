"""What the endings of retrainings add up to, one after the other.

| outcome | failures in a row | last success |
|---|---|---|
| Pushed, Called | none | when it ended |
| Refused, Failed | one more | as before |
| Stopped | as before | as before |

A refused one is a failure, too: something called for a better version, and there is none.
"""

from typing import NamedTuple

from modelyard.api.lifecycle.retraining_status import RetrainingOutcome, RetrainingRun, RetrainingStatus

_SUCCESSES = (RetrainingOutcome.PUSHED, RetrainingOutcome.CALLED)
_FAILURES = (RetrainingOutcome.REFUSED, RetrainingOutcome.FAILED)


class TrackRecord(NamedTuple):
    """How many in a row came to nothing, and when one last came to something, RFC 3339, empty when none did."""

    failures: int = 0
    last_success_time: str = ""

    def after(self, ended: RetrainingRun) -> "TrackRecord":
        """With one more that has ended."""
        if ended.outcome in _SUCCESSES:
            return TrackRecord(0, ended.end_time)
        return TrackRecord(self.failures + (ended.outcome in _FAILURES), self.last_success_time)


def track_record(before: RetrainingStatus | None) -> TrackRecord:
    """What the status says."""
    return TrackRecord() if before is None else TrackRecord(before.failures, before.last_success_time)
