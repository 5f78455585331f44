"""How much of the machine other programs use, from Linux's own count; timing among them means little.

/proc/stat counts the ticks every core spent working since boot. The difference of two readings, less what the
measuring processes themselves used, is what somebody else did meanwhile.
"""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")
MOST = 0.15
"""Share of the cores others may use while the machine still counts as quiet."""
_IDLE = (3, 4)  # columns idle and iowait


@dataclass(frozen=True)
class CpuReading:
    """Core-seconds worked, by everybody and by the processes given, and the cores counted."""

    busy: float
    ours: float
    cores: int
    at: float

    def others(self, later: "CpuReading") -> float:
        """Share of all cores that others used between this reading and a later one, 0 to 1."""
        elapsed = (later.at - self.at) * self.cores
        worked = (later.busy - self.busy) - (later.ours - self.ours)
        return min(1.0, max(0.0, worked / elapsed)) if elapsed > 0 else 0.0


def read(pids: Iterable[int] = ()) -> CpuReading:
    """The counts now, in core-seconds; `pids` are our other processes, and one that has ended counts no more."""
    text = Path("/proc/stat").read_text()
    ours = sum(_used(pid) for pid in (os.getpid(), *pids))
    return CpuReading(busy_seconds(text), ours, max(1, text.count("\ncpu")), time.monotonic())


def busy_seconds(stat: str) -> float:
    """Core-seconds worked since boot by the first line of /proc/stat; guests are part of user time already."""
    columns = [int(number) for number in stat.splitlines()[0].split()[1:9]]
    return sum(ticks for place, ticks in enumerate(columns) if place not in _IDLE) * TICK


def wait_until_quiet(
    patience: float,
    reading: Callable[[], CpuReading] = read,
    pause: Callable[[float], None] = time.sleep,
) -> float:
    """Waits until others use at most MOST of the cores, for at most `patience` seconds; returns their last share.

    `reading` takes a reading and `pause` sleeps for as many seconds as it is given.
    """
    before, waited, others = reading(), 0.0, 1.0
    while True:
        pause(0.5)
        waited += 0.5
        after = reading()
        others = before.others(after)
        if others <= MOST or waited >= patience:
            return others
        before = after


def _used(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) * TICK
