"""A server in simulated time: what a Triton with given settings does to requests that come whether it answers or not.

A batch of b rows on t threads takes (fixed + b x row) / (1 + (t - 1) x scales), longer where instances take memory
bandwidth from one another, and every request costs `protocol` seconds of one core besides. A free instance takes what
waits, up to the batch; with a delay it waits for more until the oldest request has waited that long.
"""

import heapq
import random
from collections import deque
from dataclasses import dataclass, replace
from functools import cache

from modelyard.core.tuning.rates import OfferedRate, highest_kept, next_rate
from modelyard.core.tuning.search import TunedTrial
from modelyard.core.tuning.settings import ServerSettings

FEWEST, MOST = 300, 1000


@dataclass(frozen=True)
class SimulatedServer:
    """Times in seconds; `scales` is what each further thread adds to the speed, `crowding` what each further instance
    adds to every batch's time, as shares."""

    fixed: float
    row: float
    scales: float = 0.8
    crowding: float = 0.1
    protocol: float = 0.0001
    seed: int = 1

    def service(self, settings: ServerSettings, rows: int) -> float:
        """Seconds a batch takes."""
        speed = 1.0 + (settings.threads - 1) * self.scales
        crowd = 1.0 + (settings.instances - 1) * self.crowding
        return (self.fixed + rows * self.row) / speed * crowd + rows * self.protocol

    def saturated(self, settings: ServerSettings) -> float:
        """Requests a second when more are always waiting."""
        return settings.instances * settings.batch / self.service(settings, settings.batch)

    def kept(self, settings: ServerSettings, rate: float, threshold: float) -> bool:
        """Whether 99 % of requests that come at random at that rate are answered within `threshold` seconds.

        Asked for several times as long as they may wait: a queue that grows is to be seen.
        """
        return rate <= self.saturated(settings) and self._p99(settings, rate, 8.0 * threshold) <= threshold

    def _p99(self, settings: ServerSettings, rate: float, seconds: float) -> float:
        draw = random.Random(self.seed)
        at, due = 0.0, []
        requests = round(min(MOST, max(FEWEST, rate * seconds)))
        for _ in range(requests):
            at += draw.expovariate(rate)
            due.append(at)
        took, free = [], [0.0] * settings.instances
        waiting = deque(due)
        while waiting:
            start = max(heapq.heappop(free), waiting[0])
            full = waiting[settings.batch - 1] if len(waiting) >= settings.batch else waiting[-1]
            start = max(start, min(waiting[0] + settings.delay / 1e6, full))
            batch = []
            while waiting and waiting[0] <= start and len(batch) < settings.batch:
                batch.append(waiting.popleft())
            end = start + self.service(settings, len(batch))
            took += [end - came for came in batch]
            heapq.heappush(free, end)
        return sorted(took)[int(0.99 * (requests - 1))]

    def measure(self, settings: ServerSettings, threshold: float, to_beat: float = 0.0) -> TunedTrial:
        """What a tuner would measure of these settings, with p99 as the objective."""
        offered: list[OfferedRate] = []
        saturated, alone = self.saturated(settings), self.service(settings, 1) + settings.delay / 1e6
        if alone > threshold:
            return TunedTrial(settings, 0.0, saturated, alone)
        while (rate := next_rate(offered, saturated, to_beat)) is not None:
            offered.append(OfferedRate(rate, self.kept(settings, rate, threshold)))
        return TunedTrial(settings, highest_kept(offered), saturated, alone)

    @cache  # noqa: B019 - a server is as good as its figures
    def capacity(self, settings: ServerSettings, threshold: float) -> float:
        """The rate at which p99 is `threshold`, exactly: what a grid that had all the time would find."""
        low, high = 0.0, self.saturated(settings)
        for _ in range(9):
            middle = (low + high) / 2.0
            kept = self.kept(settings, middle, threshold)
            low, high = (middle, high) if kept else (low, middle)
        return low


def drawn_server(seed: int) -> SimulatedServer:
    """One of very different kinds: tiny ones and heavy ones, those that gain from batches and those that do not."""
    draw = random.Random(seed)
    whole = 10 ** draw.uniform(-4.0, -1.7)
    shared = draw.uniform(0.05, 0.95)
    return SimulatedServer(
        fixed=whole * shared,
        row=whole * (1.0 - shared),
        scales=draw.uniform(0.1, 0.95),
        crowding=draw.uniform(0.0, 0.6),
        protocol=draw.uniform(2e-5, 2e-4),
        seed=draw.randrange(1000),
    )


def heavier(server: SimulatedServer, times: float) -> SimulatedServer:
    """The same with a model so many times as heavy."""
    return replace(server, fixed=server.fixed * times, row=server.row * times)
