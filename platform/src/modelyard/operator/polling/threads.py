"""Threads for calls that may hang.

Up to `size` calls are made at the same time. One that takes longer than `patience` seconds is left to itself and
counts no more, so that those behind it are made by another thread, up to `most` threads in all. The threads are
daemons: a call that never returns does not keep the process from ending, as those of `concurrent.futures` would.
"""

import threading
import time
from collections import deque
from collections.abc import Callable

Call = Callable[[], None]


class CallThreads:
    """Makes calls, the first that was submitted first; a call must not raise."""

    def __init__(
        self, name: str, size: int, most: int, patience: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name, self._size, self._most, self._patience, self._clock = name, size, most, patience, clock
        self._changed = threading.Condition()
        self._waiting: deque[Call] = deque()
        self._busy_since: dict[int, float] = {}
        self._idle = self._started = 0
        self._closed = False

    def submit(self, call: Call) -> None:
        """Has `call` made as soon as a thread is free."""
        with self._changed:
            self._waiting.append(call)
            self._changed.notify()
        self.relieve()

    def relieve(self) -> None:
        """Starts a thread when calls wait and fewer than `size` threads work in time."""
        with self._changed:
            if self._closed or len(self._waiting) <= self._idle or self._in_time() >= self._size:
                return
            if self._idle + len(self._busy_since) >= self._most:
                return
            self._idle += 1
            self._started += 1
            number = self._started
        threading.Thread(target=self._run, args=(number,), name=f"{self._name}-{number}", daemon=True).start()

    def close(self) -> None:
        """No further call is begun; those under way are left to themselves."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def threads(self) -> int:
        """How many threads there are now, those that hang included."""
        with self._changed:
            return self._idle + len(self._busy_since)

    def _in_time(self) -> int:
        now = self._clock()
        return self._idle + sum(now - since < self._patience for since in self._busy_since.values())

    def _run(self, number: int) -> None:
        while (call := self._next(number)) is not None:
            call()
            if not self._returned(number):
                return

    def _next(self, number: int) -> Call | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            self._idle -= 1
            if self._closed:
                return None
            self._busy_since[number] = self._clock()
            return self._waiting.popleft()

    def _returned(self, number: int) -> bool:
        """Back from a call; False when others have taken the place meanwhile."""
        with self._changed:
            del self._busy_since[number]
            if self._in_time() >= self._size:
                return False
            self._idle += 1
            return True
