"""Where requests wait until a pod of their revision is ready.

    asks --not named by the operator, nor soon, nor lately--> NotNamed
    asks --a pod is ready--> its address, at once
    asks --room--> waits --a pod is ready--> its address
                         --max_wait--> NoPodInTime
                         --the client goes away--> its place is free again
    asks --no room--> NoRoom

Room is bounded for every revision, in requests and in bytes of their bodies, those that are still being read among
them, and in bytes for all together. What waits is published by version: whoever wakes revisions asks what has changed
since a version and is answered when it has, or after a while.

The gateway learns of a name, and that it is taken back, by a watch of its own, a little sooner or later than we do. So
a request for a revision that nobody has named waits for its name for `naming` seconds, and one whose name was taken
back is served for LINGER seconds more.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from .endpoint_slices import Address, Held

LINGER = 60.0
"""Seconds for which a revision whose name was taken back is served: longer than any Envoy goes on asking here."""
_LOOK_SECONDS = 0.05


class Limits(NamedTuple):
    """What may wait for one revision: requests, bytes of their bodies, and for how many seconds each.

    `naming` seconds are waited for a name; of such requests there may be as many as of one revision.
    """

    requests: int = 2000
    bytes: int = 64 * 1024 * 1024
    seconds: float = 60.0
    naming: float = 5.0

    @property
    def bytes_of_all(self) -> int:
        """Bytes of the bodies of all revisions together: so many as four of them may have."""
        return 4 * self.bytes


class NotHeld(Exception):
    """A request is not held any longer; `retry_after` are the seconds after which it is worth another try."""

    retry_after = 1


class NotNamed(NotHeld):
    """Nobody told this holder of the revision."""


class NoRoom(NotHeld):
    """As many requests as may, or as many bytes, wait already."""

    retry_after = 5


class NoPodInTime(NotHeld):
    """No pod became ready in the time a request may wait."""

    retry_after = 10


class Slices(Protocol):
    """What is known of revisions and their pods: `EndpointSlices`."""

    def named(self, held: Held) -> bool:
        """True when the operator has named this revision."""
        ...

    def ready(self, held: Held, port: str) -> Address | None:
        """A pod that takes requests at the port of that name."""
        ...


@dataclass
class _Line:
    """What waits for one revision; `since` is when the first of those now waiting came, by the wall clock.

    `pods_changed` is set, and another put in its place, when another pod may be ready.
    """

    requests: int = 0
    bytes: int = 0
    since: float = field(default_factory=time.time)
    pods_changed: asyncio.Event = field(default_factory=asyncio.Event)


class WaitingRoom:
    """All waiting requests of one process; used by its event loop alone, but for `changed`."""

    def __init__(self, slices: Slices, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._slices, self.limits, self._clock = slices, limits, clock
        self._lines: dict[Held, _Line] = {}
        self._reading: dict[Held, int] = {}
        self._served_until: dict[Held, float] = {}
        self._unnamed = 0
        self._loop = asyncio.get_running_loop()
        self._lines_changed = asyncio.Event()
        self.version = 0
        self._closing = False

    def changed(self, held: Held) -> None:
        """The slices of a revision have changed: every request that waits for it asks again. From any thread."""
        self._loop.call_soon_threadsafe(self._next_pods, held)

    async def address(self, held: Held, port: str, size: int = 0, waited: float = 0.0) -> Address:
        """A ready pod's address, as soon as there is one, for a request of `size` bytes that has `waited` already.

        Raises NotHeld.
        """
        await self.name(held)
        found = self._slices.ready(held, port)
        if found is not None:
            return found
        line = self._enter(held, size)
        try:
            return await self._await(held, line, port, self._clock() + self.limits.seconds - waited)
        finally:
            self._leave(held, line, size)

    @contextlib.contextmanager
    def reading(self, held: Held) -> Iterator[Callable[[int], None]]:
        """Counts a body while it is read: what it gives takes the size of each piece, and raises NoRoom."""
        mine = 0

        def more(size: int) -> None:
            nonlocal mine
            self._require_room(held, size)
            self._reading[held] = self._reading.get(held, 0) + size
            mine += size

        try:
            yield more
        finally:
            left = self._reading.pop(held, 0) - mine
            if left:
                self._reading[held] = left

    def waiting(self) -> dict[str, Any]:
        """`{version, waiting: {"<namespace>/<revision>": {requests, bytes, since}}}`; `since` in epoch seconds."""
        lines = {
            str(held): {"requests": line.requests, "bytes": line.bytes, "since": round(line.since, 3)}
            for held, line in self._lines.items()
        }
        return {"version": self.version, "waiting": lines}

    async def waiting_after(self, version: int, seconds: float) -> dict[str, Any]:
        """The same, as soon as it differs from what it was at `version`, and after `seconds` at the latest."""
        if version == self.version and not self._closing:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._lines_changed.wait(), seconds)
        return self.waiting()

    def close(self) -> None:
        """Whoever waits for news is answered now, and from now on at once."""
        self._closing = True
        self._lines_changed.set()

    def _named(self, held: Held) -> bool:
        """True when the operator has named it, or has until lately."""
        return self._slices.named(held) or self._clock() < self._served_until.get(held, 0.0)

    async def name(self, held: Held) -> None:
        """Returns when the operator has named it, as a rule at once. Raises NotNamed when that does not come soon."""
        if self._named(held):
            return
        deadline = self._clock() + self.limits.naming
        self._unnamed += 1
        try:
            while self._unnamed <= self.limits.requests and self._clock() < deadline:
                await asyncio.sleep(_LOOK_SECONDS)
                if self._named(held):
                    return
        finally:
            self._unnamed -= 1
        raise NotNamed(f"revision {held} is not held here; the operator has not named it")

    async def _await(self, held: Held, line: _Line, port: str, deadline: float) -> Address:
        while True:
            pods_changed, left = line.pods_changed, deadline - self._clock()
            found = self._slices.ready(held, port)
            if found is not None:
                return found
            try:
                await asyncio.wait_for(pods_changed.wait(), max(0.0, left))
            except TimeoutError:
                raise NoPodInTime(f"no pod of {held} became ready within {self.limits.seconds:g} s") from None

    def _enter(self, held: Held, size: int) -> _Line:
        self._require_room(held, size)
        line = self._lines.get(held) or _Line()
        line.requests, line.bytes = line.requests + 1, line.bytes + size
        if held not in self._lines:
            self._lines[held] = line
            self._next_lines()
        return line

    def _require_room(self, held: Held, size: int) -> None:
        """Raises NoRoom when one more request, or so many more bytes, may not wait."""
        line = self._lines.get(held) or _Line()
        if line.requests >= self.limits.requests:
            raise NoRoom(f"{line.requests} requests wait for {held} already")
        taken = self._reading.get(held, 0) + line.bytes
        if taken + size > self.limits.bytes:
            raise NoRoom(f"{taken} bytes wait for {held} already; {self.limits.bytes} may")
        together = sum(self._reading.values()) + sum(line.bytes for line in self._lines.values())
        if together + size > self.limits.bytes_of_all:
            raise NoRoom(f"{together} bytes wait for all revisions already; {self.limits.bytes_of_all} may")

    def _leave(self, held: Held, line: _Line, size: int) -> None:
        line.requests, line.bytes = line.requests - 1, line.bytes - size
        if not line.requests:
            del self._lines[held]
            self._next_lines()

    def _next_lines(self) -> None:
        self.version += 1
        woken, self._lines_changed = self._lines_changed, asyncio.Event()
        woken.set()

    def _next_pods(self, held: Held) -> None:
        now = self._clock()
        if self._slices.named(held):
            self._served_until[held] = math.inf
        elif self._served_until.get(held) == math.inf:
            self._served_until = {known: until for known, until in self._served_until.items() if until > now}
            self._served_until[held] = now + LINGER
        line = self._lines.get(held)
        if line is not None:
            woken, line.pods_changed = line.pods_changed, asyncio.Event()
            woken.set()
