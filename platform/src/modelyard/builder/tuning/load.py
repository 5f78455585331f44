"""Load for one server: as fast as it answers, or at a rate, whether it answers or not.

In the open loop requests come at random (Poisson) from a seed. A request that finds all connections taken waits for
one, and that time counts, because users would wait as well; the client's own lateness does not count, but a client
that is late or busy measures itself: then there is no figure (`LoadResult.trustworthy`).
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .connection import Connection

T = TypeVar("T")
_OK = 200
_MOST_CONNECTIONS = 512
_BUSY = 0.9
"""Share of a core that the client may use itself."""
_LATE, _MOSTLY = 0.25, 90.0
"""Share of the threshold that the client may be late with so many percent of the requests."""
_HOPELESS = 3.0
"""Thresholds that requests may wait before the rest of them is not sent any more."""

_PATIENCE = 60.0
"""Seconds that one answer at least is waited for."""


@dataclass
class LoadResult:
    """Times to the answers and the client's own lateness, in seconds; requests that failed; the client's share of a
    core; whether the server fell so far behind that the rest was not sent."""

    took: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    failed: int = 0
    seconds: float = 0.0
    busy: float = 0.0
    overrun: bool = False

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.took) / self.seconds if self.seconds else 0.0

    def quantile(self, percentile: float) -> float:
        """That percentile of the times to the answers, where a request that failed took for ever; inf without any."""
        return quantile(sorted(self.took), percentile, self.failed)

    def trustworthy(self, threshold: float) -> bool:
        """Whether the client kept up, so that the figures are the server's."""
        return self.busy <= _BUSY and (self.overrun or quantile(sorted(self.late), _MOSTLY, 0) <= _LATE * threshold)


def quantile(ordered: list[float], percentile: float, infinite: int) -> float:
    """The value that so many percent of the values do not exceed, `infinite` larger ones among them; inf of none."""
    place = -int(-(len(ordered) + infinite) * percentile // 100.0) - 1
    return ordered[max(0, place)] if ordered and place < len(ordered) else float("inf")


def saturate(port: int, request: bytes, connections: int, seconds: float) -> LoadResult:
    """The same request over so many connections, each as soon as the last is answered; until there is one answer."""
    return _run(lambda loop: _Saturation(port, request, loop).run(min(connections, _MOST_CONNECTIONS), seconds))


def offer(port: int, request: bytes, rate: float, seconds: float, threshold: float, seed: int = 1) -> LoadResult:
    """The same request at a `rate` a second; requests wait for an answer or a connection in vain after a while."""
    return _run(lambda loop: _OpenLoop(port, request, loop).run(rate, seconds, threshold, seed))


def _run(load: Callable[[asyncio.AbstractEventLoop], Coroutine[Any, Any, LoadResult]]) -> LoadResult:
    async def timed() -> LoadResult:
        return await load(asyncio.get_running_loop())

    return asyncio.run(timed())


class _Load:
    """What both loops share."""

    def __init__(self, port: int, request: bytes, loop: asyncio.AbstractEventLoop) -> None:
        self._port, self._request, self._loop = port, request, loop
        self._result = LoadResult()
        self._connections: list[Connection] = []

    def _answered(self, connection: Connection, status: int) -> None:
        raise NotImplementedError

    def _record(self, connection: Connection, status: int) -> None:
        if status == _OK:
            self._result.took.append(self._loop.time() - connection.due)
        else:
            self._result.failed += 1

    async def _connect(self, count: int) -> None:
        for _ in range(count):
            _, made = await self._loop.create_connection(lambda: Connection(self._answered), "127.0.0.1", self._port)
            self._connections.append(made)

    def _begin(self) -> tuple[float, float]:
        return self._loop.time(), time.process_time()

    def _end(self, began: tuple[float, float]) -> LoadResult:
        self._result.seconds = self._loop.time() - began[0]
        self._result.busy = (time.process_time() - began[1]) / self._result.seconds
        for connection in self._connections:
            connection.close()
        return self._result


class _Saturation(_Load):
    async def run(self, connections: int, seconds: float) -> LoadResult:
        await self._connect(connections)
        began = self._begin()
        for connection in self._connections:
            connection.send(self._request, self._loop.time())
        await asyncio.sleep(seconds)
        last = began[0] + seconds + _PATIENCE
        while not self._result.took and not self._result.failed and self._loop.time() < last:
            await asyncio.sleep(0.001)
        return self._end(began)

    def _answered(self, connection: Connection, status: int) -> None:
        self._record(connection, status)
        if connection.open:
            connection.send(self._request, self._loop.time())


class _OpenLoop(_Load):
    def __init__(self, port: int, request: bytes, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(port, request, loop)
        self._free: list[Connection] = []
        self._waiting: deque[float] = deque()
        self._under_way = 0

    async def run(self, rate: float, seconds: float, threshold: float, seed: int) -> LoadResult:
        await self._connect(min(_MOST_CONNECTIONS, 8 + round(2.0 * rate * threshold)))
        self._free = list(self._connections)
        draw, began = random.Random(seed), self._begin()  # noqa: S311 - arrivals, no secrets
        due, end, limit = began[0], began[0] + seconds, _HOPELESS * threshold
        while not self._result.overrun:
            due += draw.expovariate(rate)
            if due > end:
                break
            if due > self._loop.time():
                await asyncio.sleep(due - self._loop.time())
            self._send(due)
            self._result.overrun = bool(self._waiting) and self._loop.time() - self._waiting[0] > limit
        last = self._loop.time() + limit
        while self._under_way and not self._result.overrun and self._loop.time() < last:
            await asyncio.sleep(0.001)
        self._result.failed += self._under_way
        return self._end(began)

    def _send(self, due: float) -> None:
        self._under_way += 1
        if not self._free:
            self._waiting.append(due)
            return
        now = self._loop.time()
        self._result.late.append(now - due)
        self._free.pop().send(self._request, now)

    def _answered(self, connection: Connection, status: int) -> None:
        self._under_way -= 1
        self._record(connection, status)
        if not connection.open:
            return
        if self._waiting:
            connection.send(self._request, self._waiting.popleft())
        else:
            self._free.append(connection)
