"""The work queue: which Models are to be reconciled, each once, and when.

    add --> waiting --take--> taken --done--> (gone)
                              taken --add---> waiting again once done
    add(after) --time--> waiting

A key waits at most once and is taken by one worker at a time, in the lane that `urgent` puts it into when it begins to
wait: those who take urgent keys alone are never held up by the others. A delayed add keeps the earliest moment
asked for. Failures are spaced by `base * 2**n` seconds up to `cap`, of which up to half is left off at random so
that many Models that failed together do not return together; `forget` ends the series.
"""

import heapq
import random
import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Queue(Generic[K]):
    """Deduplicating, delaying queue for threads; `clock` gives seconds that never run backwards."""

    def __init__(
        self,
        base: float = 1.0,
        cap: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
        urgent: Callable[[K], bool] = lambda _: False,
    ) -> None:
        self._base, self._cap, self._clock, self._urgent = base, cap, clock, urgent
        self._changed = threading.Condition()
        self._waiting: dict[K, None] = {}
        self._waiting_urgently: dict[K, None] = {}
        self._taken: dict[K, float] = {}
        self._again: set[K] = set()
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._order = 0
        self._failures: dict[K, int] = {}
        self._closed = False

    def add(self, key: K, after: float = 0.0) -> None:
        """Asks for `key` to be taken, not before `after` seconds from now."""
        with self._changed:
            if after > 0:
                self._delay(key, self._clock() + after)
            elif key in self._taken:
                self._again.add(key)
            else:
                self._wait(key)
            self._changed.notify_all()

    def retry(self, key: K) -> float:
        """Adds `key` after its next back-off; returns the seconds chosen."""
        with self._changed:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
            longest = min(self._cap, self._base * 2 ** min(failures, 30))
        after = longest * (0.5 + random.random() / 2)  # noqa: S311 - spreads load, guards nothing
        self.add(key, after)
        return after

    def forget(self, key: K) -> None:
        """Ends a series of failures."""
        with self._changed:
            self._failures.pop(key, None)

    def drop(self, key: K) -> None:
        """Forgets everything about `key`; a worker that holds it finishes undisturbed."""
        with self._changed:
            for keys in (self._waiting, self._waiting_urgently, self._due, self._failures):
                keys.pop(key, None)
            self._again.discard(key)

    def take(self, timeout: float, *, urgent: bool = False) -> K | None:
        """The next key, which stays taken until `done`; None after `timeout` seconds or when closed.

        With `urgent` only a key of that lane, else one of it when no other waits.
        """
        end = self._clock() + timeout
        with self._changed:
            while not self._closed:
                now = self._clock()
                next_due = self._ripen(now)
                lanes = (self._waiting_urgently,) if urgent else (self._waiting, self._waiting_urgently)
                for lane in lanes:
                    if lane:
                        key = next(iter(lane))
                        del lane[key]
                        self._taken[key] = now
                        return key
                if now >= end:
                    return None
                self._changed.wait(min(end, next_due) - now)
            return None

    def done(self, key: K) -> None:
        """Gives a taken key back; it waits again when it was added meanwhile."""
        with self._changed:
            del self._taken[key]
            if key in self._again:
                self._again.discard(key)
                self._wait(key)
                self._changed.notify_all()

    def close(self) -> None:
        """No key is given out any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def depth(self) -> int:
        """Keys that could be taken at once if there were workers."""
        with self._changed:
            self._ripen(self._clock())
            return len(self._waiting) + len(self._waiting_urgently) + len(self._again)

    def longest_taken(self) -> float:
        """Seconds since the oldest taken key was taken; 0 when none is."""
        with self._changed:
            return max((self._clock() - since for since in self._taken.values()), default=0.0)

    def knows(self, key: K) -> bool:
        """Whether `key` waits, is taken, is due later or has failed."""
        with self._changed:
            known = (self._waiting, self._waiting_urgently, self._taken, self._due, self._failures, self._again)
            return any(key in keys for keys in known)

    def _wait(self, key: K) -> None:
        """Puts a key into its lane; one that waits in the other lane by now changes over only when it is urgent."""
        if self._urgent(key):
            self._waiting.pop(key, None)
            self._waiting_urgently[key] = None
        elif key not in self._waiting_urgently:
            self._waiting[key] = None

    def _delay(self, key: K, due: float) -> None:
        if key in self._waiting or key in self._waiting_urgently or due >= self._due.get(key, float("inf")):
            return
        self._due[key] = due
        self._order += 1
        heapq.heappush(self._heap, (due, self._order, key))

    def _ripen(self, now: float) -> float:
        """Moves due keys to the waiting ones; the moment of the next, infinity when there is none."""
        while self._heap:
            due, _, key = self._heap[0]
            if self._due.get(key) != due:
                heapq.heappop(self._heap)
            elif due <= now:
                heapq.heappop(self._heap)
                del self._due[key]
                if key in self._taken:
                    self._again.add(key)
                else:
                    self._wait(key)
            else:
                return due
        return float("inf")
