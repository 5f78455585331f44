"""What the endings of retrainings add up to."""

import pytest

from modelyard.api.lifecycle.retraining_status import RetrainingOutcome, RetrainingRun
from modelyard.core.retraining.track_record import TrackRecord

STARTED, ENDED = "2026-11-29T09:50:00Z", "2026-11-29T10:00:00Z"
BEFORE = TrackRecord(2, "2026-11-01T00:00:00Z")


@pytest.mark.parametrize(
    ("outcome", "after"),
    [
        (RetrainingOutcome.PUSHED, TrackRecord(0, ENDED)),
        (RetrainingOutcome.CALLED, TrackRecord(0, ENDED)),
        (RetrainingOutcome.REFUSED, BEFORE._replace(failures=3)),
        (RetrainingOutcome.FAILED, BEFORE._replace(failures=3)),
        (RetrainingOutcome.STOPPED, BEFORE),
    ],
)
def test_a_success_ends_a_row_of_failures_and_a_stop_says_nothing(
    outcome: RetrainingOutcome, after: TrackRecord
) -> None:
    ended = RetrainingRun(
        id="1", causes=[], revision="loans-1", version="1", start_time=STARTED, end_time=ENDED, outcome=outcome
    )
    assert BEFORE.after(ended) == after
