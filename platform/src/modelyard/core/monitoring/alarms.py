"""Alarms: what evidence on one clock has said of a feature, since when, and when it is over.

An alarm begins when E reaches the threshold; the evidence then starts anew. As long as the change lasts it comes there
again, in about the time it took before. So an alarm is over when it has not been renewed for three times that time, and
at least for the clock's patience.
"""

from enum import IntEnum
from typing import NamedTuple

from .questions import SHAPE


class Clock(IntEnum):
    """How long a step is."""

    MINUTE = 0
    HOUR = 1
    DAY = 2


STEP = {Clock.MINUTE: 1, Clock.HOUR: 60, Clock.DAY: 1440}
"""Minutes."""
STEPS_A_YEAR = {clock: 365.25 * 1440 / minutes for clock, minutes in STEP.items()}
PATIENCE = {Clock.MINUTE: 60, Clock.HOUR: 1440, Clock.DAY: 3 * 1440}
"""Minutes."""
RENEWALS = 3


class Alarm(NamedTuple):
    """One alarm. Times are minutes since the epoch.

    `hits` of `trials` rows showed the event when the alarm was last raised; `share` is that of the reference. `side` is
    1 for more, -1 for fewer. `since` is about when the change began: when the evidence was last next to nothing.
    """

    clock: Clock
    kind: str
    label: str
    side: int
    since: int
    raised: int
    last: int
    hits: int
    trials: int
    share: float

    @property
    def broken(self) -> bool:
        """Whether the data broke, which pages; a shape that moved is a ticket."""
        return self.kind != SHAPE

    @property
    def observed(self) -> float:
        """Share of the event when the alarm was last raised."""
        return self.hits / self.trials if self.trials else 0.0

    def renewed(self, again: "Alarm") -> "Alarm":
        """With the last words of `again`, as old as it was."""
        return again._replace(since=min(self.since, again.since), raised=self.raised)

    def over(self, minute: int) -> bool:
        """Whether it was not renewed for so long that it must be over by `minute`."""
        return minute - self.last > max(PATIENCE[self.clock], RENEWALS * (self.raised - self.since))
