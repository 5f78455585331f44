"""Counts of the last five minutes, aligned to the clock, for the tests that must react fast.

Evidence since the beginning of a step is slow to turn when a revision that was fine for long breaks at once.
The burn rate, the observed bad rate over the allowed one, is not: 14.4 and more over both five minutes (it matters)
and one minute (it is still so), with at least ten bad requests, is the fast alert known from service level
objectives (Google, The Site Reliability Workbook, chapter 5), and here a failure unless it may be a burst
(`bursts.py`). Counts are kept by whole minutes of the clock and the newest is usually a part of one, so the spans are 4
to 5 minutes, and 1 to 2 minutes.

The same buckets tell whether the stable itself misses its objective now. That begins with proof and ends when the
short span is good again, or sooner: as soon as the stable has kept its objective for a whole minute, whatever the
clock says, in which DUE bad requests would have come had its outage gone on. All counts are forgotten then. For
five minutes the outage may come back, so until then nothing but a comparison with the stable fails the candidate.
"""

from dataclasses import dataclass
from typing import NamedTuple

from . import evalues

SPAN = 60
BUCKETS = 5
SHORT = 2
BURN = 14.4
FEWEST_BAD = 10
DUE = 5.0

Bucket = tuple[int, int, int, int]
_EMPTY: Bucket = (0, 0, 0, 0)


class RecoveryWindow(NamedTuple):
    """The stable after an outage: its counts since it was last above the allowed rate, at `since`, epoch seconds.

    When the outage is over, `since` is the moment of that, and nothing is counted any more.
    """

    since: int = 0
    requests: int = 0
    bad: int = 0

    def plus(self, end: int, requests: int, bad: int, allowed: float) -> "RecoveryWindow":
        """The run with the window that ended at `end`; a new run from `end` when that is above `allowed` (0..1)."""
        requests, bad = self.requests + requests, self.bad + bad
        return RecoveryWindow(end) if bad > allowed * requests else RecoveryWindow(self.since, requests, bad)

    def fresh(self, end: int) -> bool:
        """True as long as the outage may come back: BUCKETS minutes; `end` in epoch seconds."""
        return end - self.since < BUCKETS * SPAN


@dataclass(frozen=True, slots=True)
class SlidingWindow:
    """Buckets (requests, bad, stable's requests, stable's bad), newest first; `slot` is the newest one's number."""

    slot: int = 0
    buckets: tuple[Bucket, ...] = ()

    def plus(self, end: int, counts: Bucket) -> "SlidingWindow":
        """With the window that ended at `end`, seconds since the epoch; never called with an earlier one."""
        slot = (end - 1) // SPAN
        if slot == self.slot and self.buckets:
            a, b, c, d = self.buckets[0]
            newest = (a + counts[0], b + counts[1], c + counts[2], d + counts[3])
            return SlidingWindow(slot, (newest, *self.buckets[1:]))
        gap = min(slot - self.slot - 1, BUCKETS) if self.buckets else 0
        return SlidingWindow(slot, (counts, *(_EMPTY,) * gap, *self.buckets)[:BUCKETS])

    def burning(self, allowed: float) -> bool:
        """True when the candidate's bad rate is at least 14.4 times the allowed one, over both spans."""
        bad = sum(bucket[1] for bucket in self.buckets)
        if bad < FEWEST_BAD:
            return False
        return all(
            sum(bucket[1] for bucket in span) >= BURN * allowed * sum(bucket[0] for bucket in span) > 0
            for span in (self.buckets, self.buckets[:SHORT])
        )

    def stable_out(self, allowed: float, level: float, phi: float, now: tuple[int, int] = (0, 0)) -> bool:
        """True when the stable is proven above the allowed rate, now or over a span in which it still is above it.

        `log e >= level` is asked of the short and the long span, and twice as much of `now`, the stable's counts of
        the newest window alone: an outage that hits both arms at once has to be seen as such at once, however many
        good requests came before it.
        """
        if _above(*now, allowed, 2.0 * level, phi):
            return True
        short = self._stable(SHORT)
        if short[1] <= allowed * short[0]:
            return False
        return any(_above(*span, allowed, level, phi) for span in (short, self._stable(BUCKETS)))

    def recovered(self, run: RecoveryWindow, end: int, phi: float) -> bool:
        """True when the outage is over by `end`: SPAN seconds and DUE expected bad requests after the run began."""
        requests, bad = self._stable(BUCKETS)
        return end - run.since >= SPAN and run.requests * bad >= DUE * phi * requests

    def _stable(self, buckets: int) -> tuple[int, int]:
        newest = self.buckets[:buckets]
        return sum(bucket[2] for bucket in newest), sum(bucket[3] for bucket in newest)

    def stable_only(self) -> "SlidingWindow":
        """Without the candidate's counts."""
        return SlidingWindow(self.slot, tuple((0, 0, bucket[2], bucket[3]) for bucket in self.buckets))


def _above(requests: int, bad: int, allowed: float, level: float, phi: float) -> bool:
    if bad <= allowed * requests or evalues.ceiling(bad, requests - bad, allowed) < level * phi:
        return False
    return evalues.above(requests, bad, allowed, phi) >= level
