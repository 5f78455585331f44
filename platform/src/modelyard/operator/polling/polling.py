"""All questions of one replica: a pool of threads for every outside party, and one thread that minds the time.

A party that hangs holds its own threads and nobody else's: registry, store, pods' logs and gateway have a pool each.
"""

import logging
import time
from collections.abc import Callable, Hashable
from typing import Protocol, TypeVar

from modelyard.background_thread import BackgroundThread

from .poller import DEADLINE, Habits, Poller, Wake
from .threads import Call, CallThreads

Q = TypeVar("Q", bound=Hashable)
A = TypeVar("A")

MOST_THREADS = 16
"""Threads a party may hold, those included whose calls hang."""
_TICK_SECONDS = 0.5
_TICKS_BETWEEN_CLEARINGS = 120
_log = logging.getLogger(__name__)


class Pool(Protocol):
    """Threads that make calls."""

    def submit(self, call: Call) -> None: ...
    def relieve(self) -> None: ...
    def close(self) -> None: ...


def threads(party: str) -> Pool:
    """The pool of a party: four calls at a time, and others beside those that hang."""
    return CallThreads(party.removeprefix("the ").replace(" ", "-"), 4, MOST_THREADS, DEADLINE)


class Polling(BackgroundThread):
    """Makes pollers, and keeps their time; `wake` has a Model reconciled."""

    def __init__(
        self,
        wake: Wake,
        clock: Callable[[], float] = time.monotonic,
        pool: Callable[[str], Pool] = threads,
    ) -> None:
        super().__init__("polling")
        self._wake, self._clock, self._pool = wake, clock, pool
        self._pools: dict[str, Pool] = {}
        self._pollers: list[Poller] = []

    def poller(self, party: str, ask: Callable[[Q], A], habits: Habits[A]) -> Poller[Q, A]:
        """A new kind of question to a party; `ask` is called in a thread of the party's pool."""
        pool = self._pools.get(party) or self._pools.setdefault(party, self._pool(party))
        poller = Poller(party, ask, habits, pool.submit, self._wake, self._clock)
        self._pollers.append(poller)
        return poller

    def stop(self, patience: float = 0.0) -> None:
        """Nothing more is asked; calls under way are left to themselves."""
        super().stop(patience)
        for pool in self._pools.values():
            pool.close()

    def tick(self) -> None:
        """Tells of answers that are late, and has hanging threads relieved."""
        for poller in self._pollers:
            poller.tick()
        for pool in self._pools.values():
            pool.relieve()

    def _run(self) -> None:
        ticks = 0
        while not self._stop.wait(_TICK_SECONDS):
            self.tick()
            ticks += 1
            if ticks % _TICKS_BETWEEN_CLEARINGS == 0:
                for poller in self._pollers:
                    poller.forget_unused()
